"""The database fails just when the session is saved: 503, and nobody gets in."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.signals import request_finished
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.test import AsyncClient, override_settings

from authkit import saving
from authkit.exceptions import StoreUnavailable
from authkit.models import AuditEvent, Throttle, UserSession
from tests.api.callers import Caller, browser, sign_in
from tests.api.world import Outage
from tests.people import PASSWORD, make_superuser
from tests.saving import urls
from tests.saving.breaking import read_only, refusing, run, writable

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [
    pytest.mark.urls("tests.saving.urls"),
    pytest.mark.django_db(transaction=True),
]

ERRORS = [OperationalError, InterfaceError, InternalError]
ENGINES = ["db", "cached_db"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Django keeps its sessions in the database in this way."""
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{request.param}"):
        yield request.param


@pytest.fixture
def _read_only_in_the_end() -> Iterator[None]:
    """The database takes no writes any more once a view is done."""
    urls.at_the_end.append(read_only)
    yield
    writable()


def is_unavailable(response: Any) -> bool:
    return bool(
        response.status_code == 503
        and response.json()["code"] == "unavailable"
        and response["Cache-Control"] == "no-store"
        and settings.SESSION_COOKIE_NAME not in response.cookies
    )


def ask_async(path: str, caller: Caller) -> Any:
    client = AsyncClient(raise_request_exception=False)
    client.cookies = caller.client.cookies

    async def answer() -> Any:
        return await client.get(path)

    return async_to_sync(answer)()


def live() -> int:
    return UserSession.objects.filter(revoked_at=None).count()


# A view that writes into the session


@pytest.mark.usefixtures("engine", "_read_only_in_the_end")
@pytest.mark.parametrize("is_atomic", [False, True])
@pytest.mark.parametrize("path", ["/visit/", "/stream/"])
def test_a_database_that_has_become_read_only_is_503(
    path: str, is_atomic: bool, person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    caller = sign_in("session", person)
    response = caller.get(path)
    assert is_unavailable(response), response
    assert response["Retry-After"] == "5"
    writable()
    urls.at_the_end.clear()
    assert caller.get("/read/").json() == {"visits": 0}
    assert caller.get("/visit/").json() == {"visits": 1}


@pytest.mark.usefixtures("engine", "_read_only_in_the_end")
def test_a_strangers_first_session_that_cannot_be_kept_is_503():
    assert is_unavailable(Caller().get("/visit/"))


@pytest.mark.usefixtures("_read_only_in_the_end")
def test_an_answer_that_is_held_back_is_closed_once(person: AbstractUser):
    caller = sign_in("session", person)
    ends: list[object] = []

    def end(**_: object) -> None:
        ends.append(urls.opened_files[0].closed)

    request_finished.connect(end)
    try:
        assert is_unavailable(caller.get("/download/"))
    finally:
        request_finished.disconnect(end)
    assert ends == [True]


@pytest.mark.usefixtures("_read_only_in_the_end")
def test_whoever_reads_pages_sees_one(person: AbstractUser):
    response = sign_in("session", person).get("/visit/", headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/html")
    assert b"temporarily unavailable" in response.content
    assert settings.SESSION_COOKIE_NAME not in response.cookies


@pytest.mark.usefixtures("engine")
def test_a_row_that_the_database_refuses_is_503(person: AbstractUser):
    caller = sign_in("session", person)
    with refusing("UPDATE"):
        assert is_unavailable(caller.get("/visit/"))
        assert is_unavailable(ask_async("/visit/async/", caller))
        assert is_unavailable(ask_async("/visit/", caller))
    assert caller.get("/visit/").json() == {"visits": 1}
    assert ask_async("/visit/async/", caller).json() == {"visits": 2}


@pytest.mark.vendor("postgresql")
def test_a_server_that_ends_the_connection_is_503(person: AbstractUser):
    caller = sign_in("session", person)
    urls.at_the_end.append(_hang_up)
    try:
        assert is_unavailable(caller.get("/visit/"))
    finally:
        connection.close()
    urls.at_the_end.clear()
    assert caller.get("/visit/").json() == {"visits": 1}


def _hang_up() -> None:
    with pytest.raises(OperationalError):
        run("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("error", ERRORS)
def test_at_whatever_statement_it_is_503(error: type[Exception], person: AbstractUser):
    caller = sign_in("session", person)
    statements = 0
    for last in (1_000_000, 1):
        for after in range(1, 20):  # the first one asks who it is
            with Outage(after, until=after + last, error=error) as outage:
                response = caller.get("/visit/")
            if not outage.refused:
                break
            statements += 1
            assert is_unavailable(response), (after, response)
        assert response.status_code == 200
    assert statements >= 2


@pytest.mark.parametrize("error", ERRORS)
def test_under_asgi_at_whatever_statement_it_is_503(error: type[Exception], person: AbstractUser):
    caller = sign_in("session", person)
    for after in range(1, 20):
        with Outage(after, error=error) as outage:
            response = ask_async("/visit/async/", caller)
        if not outage.refused:
            break
        assert is_unavailable(response), (after, response)
    assert after > 1


@override_settings(SESSION_SAVE_EVERY_REQUEST=True)
def test_a_session_that_is_saved_with_every_request_is_503_too(person: AbstractUser):
    caller = sign_in("session", person)
    with refusing("UPDATE"):
        for path in ("/untouched/", "/read/", "/visit/"):
            assert is_unavailable(caller.get(path)), path
        assert is_unavailable(ask_async("/untouched/", caller))
        assert Caller().get("/untouched/").status_code == 200  # has no session to save
    assert caller.get("/untouched/").status_code == 200


def test_what_failed_by_itself_is_not_saved_and_stays_what_it_is(person: AbstractUser):
    caller = sign_in("session", person)
    with refusing("UPDATE"):
        response = caller.get("/fail/")
    assert (response.status_code, response.content) == (500, b"this page is broken")
    assert caller.get("/read/").json() == {"visits": 0}


def test_why_it_failed_is_logged(person: AbstractUser, caplog: pytest.LogCaptureFixture):
    caller = sign_in("session", person)
    with refusing("UPDATE"), caplog.at_level(logging.ERROR, "authkit"):
        caller.get("/visit/")
    [entry] = [each for each in caplog.records if each.name == "authkit"]
    assert "session" in entry.getMessage()
    assert "no space left" in str(caplog.text)


@pytest.mark.vendor("postgresql")
def test_no_key_of_a_session_is_logged(person: AbstractUser, caplog: pytest.LogCaptureFixture):
    """PostgreSQL tells the whole row that it refuses."""
    caplog.set_level(logging.INFO)
    caller = sign_in("session", person)
    size = len(Session.objects.get().session_data)
    run(f"ALTER TABLE django_session ADD CONSTRAINT small CHECK (length(session_data) <= {size})")
    try:
        assert is_unavailable(caller.get("/visit/"))
        with pytest.raises(StoreUnavailable) as refusal:
            _save_more(str(caller.cookie))
    finally:
        run("ALTER TABLE django_session DROP CONSTRAINT small")
    assert caller.cookie
    told = [caplog.text, *traceback.format_exception(refusal.value)]
    assert caller.cookie not in "".join(told)
    assert "23514" in caplog.text
    assert 'check constraint "small"' in caplog.text


def _save_more(key: str) -> None:
    store = SessionStore(key)
    store["much"] = "x" * 1000
    saving.save(store)


def test_a_database_that_names_the_key_is_not_repeated(
    person: AbstractUser, caplog: pytest.LogCaptureFixture
):
    """As MySQL does of a row that is there already, and a trigger may."""
    caplog.set_level(logging.INFO)
    caller = sign_in("session", person)
    with refusing("UPDATE", because=f"no space left for {caller.cookie}"):
        assert is_unavailable(caller.get("/visit/"))
    assert "no space left for" in caplog.text
    assert caller.cookie
    assert caller.cookie not in caplog.text


# A session that is really gone


@pytest.mark.usefixtures("engine")
def test_a_session_that_was_deleted_meanwhile_is_djangos_own_400(person: AbstractUser):
    caller = sign_in("session", person)
    urls.at_the_end.append(Session.objects.all().delete)
    response = caller.get("/visit/")
    assert response.status_code == 400
    assert settings.SESSION_COOKIE_NAME not in response.cookies
    assert not Session.objects.exists()


# Signing in


def doors(person: AbstractUser) -> list[tuple[str, dict[str, str]]]:
    name = {"username": person.get_username(), "password": PASSWORD}
    return [("/auth/session/", name), ("/login/", name), ("/admin/login/", name)]


def submit(caller: Caller, path: str, form: dict[str, str]) -> Any:
    if path.startswith("/auth/"):
        return caller.post(path, form)
    token = caller.client.cookies["csrftoken"].value
    fields = {**form, "csrfmiddlewaretoken": token, "next": "/read/"}
    return caller.client.post(path, fields)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_sign_in_whose_session_cannot_be_saved_did_not_happen(
    is_atomic: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    root = make_superuser()
    for path, form in doors(root):
        caller = browser()
        with refusing("UPDATE"):
            response = submit(caller, path, form)
        assert is_unavailable(response), (path, response)
        assert caller.cookie is None
        assert live() == 0
        for event in AuditEvent.objects.filter(kind="login.succeeded"):
            assert event.data["rolled_back"] is True
    for path, form in doors(root):
        caller = browser()
        assert submit(caller, path, form).status_code in {200, 302}
        assert caller.get("/read/").status_code == 200
        assert caller.cookie


@pytest.mark.parametrize("last", [1, 1_000_000], ids=["once", "for good"])
def test_a_form_that_breaks_off_at_any_statement_lets_nobody_in(last: int):
    root = make_superuser()
    for path, form in doors(root):
        for after in range(100):
            Throttle.objects.all().delete()  # what broke off may have stayed counted
            caller, before = browser(), live()
            with Outage(after, until=after + last) as outage:
                response = submit(caller, path, form)
            if not outage.refused:
                break
            if response.status_code in {200, 302} and caller.cookie:
                assert last == 1  # the failure did no harm
                assert live() == before + 1
            else:
                assert is_unavailable(response), (path, after, response)
                assert live() == before, (path, after)
        assert response.status_code in {200, 302}
        assert after > 3


@pytest.mark.usefixtures("engine")
def test_a_sign_in_by_another_package_is_503_as_well(person: AbstractUser):
    for path in ("/enter/", "/enter/async/", "/enter/api/"):
        with refusing("UPDATE"):
            for note in ("", "&note"):
                assert is_unavailable(Caller().get(f"{path}?pk={person.pk}{note}")), path
            assert is_unavailable(ask_async(f"{path}?pk={person.pk}", Caller())), path
        assert live() == 0


@pytest.mark.usefixtures("engine")
def test_whoever_could_not_be_signed_in_is_a_stranger(person: AbstractUser):
    """Even where a view takes no notice, and what it writes then can be saved."""
    caller = Caller()
    assert caller.get(f"/enter/all-the-same/?pk={person.pk}").status_code == 200
    assert not caller.client.session.get(SESSION_KEY)
    assert caller.get("/auth/me/").status_code == 401
    assert live() == 0


def test_what_is_written_after_a_sign_in_and_cannot_be_saved_ends_it(person: AbstractUser):
    """The sign-in is stored, and nobody has got its cookie: it is no device of theirs."""
    before = sign_in("session", person)
    caller = sign_in("session", person)
    with ExitStack() as broken:
        urls.at_the_end.append(lambda: broken.enter_context(refusing("UPDATE")))
        response = caller.get(f"/enter/?pk={person.pk}&note")
    assert is_unavailable(response)
    ended = UserSession.objects.filter(revoked_reason="cookie_not_sent")
    assert ended.count() == 1
    assert AuditEvent.objects.filter(
        kind="session.ended", data__reason="cookie_not_sent", session_id=ended.get().pk
    ).exists()
    assert live() == 1
    assert before.get("/auth/me/").status_code == 200
    assert caller.get("/auth/me/").status_code == 401


def test_whoever_holds_the_cookie_stays_signed_in(person: AbstractUser):
    caller = sign_in("session", person)
    with refusing("UPDATE"):
        assert is_unavailable(caller.get("/visit/"))
    assert live() == 1
    assert caller.get("/auth/me/").status_code == 200


# Signing out


@pytest.mark.usefixtures("engine")
def test_a_sign_out_whose_session_cannot_be_deleted_is_503():
    person = make_superuser()
    for path in ("/auth/session/", "/logout/", "/admin/logout/"):
        caller = sign_in("session", person)
        key = caller.cookie
        with refusing("DELETE"):
            response = caller.call("DELETE" if "auth" in path else "POST", path)
        assert is_unavailable(response), (path, response)
        assert caller.cookie == key  # may come back and sign out
        assert caller.get("/auth/me/").status_code == 401
