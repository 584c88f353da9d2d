"""The same credentials for every Django view, sync and async."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncClient, override_settings

from authkit import signals
from authkit.models import AuditEvent, SignInName, UserSession
from tests.api.callers import (
    KINDS,
    Caller,
    bearer,
    browser,
    personal,
    sign_in,
    stranger,
    who,
)
from tests.api.world import Clock, Outage, Queries, start_process
from tests.people import PASSWORD, make_person, make_superuser

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)

PATHS = ("/plain/", "/async/")


@pytest.fixture(autouse=True)
def new_process() -> None:
    start_process()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def stale(kind: str, person: AbstractUser) -> Caller:
    """Somebody who goes on sending what has been ended elsewhere."""
    caller = sign_in(kind, person)
    if kind == "personal":
        owner = sign_in("token", person)
        assert owner.delete(f"/auth/tokens/{caller.answer['id']}/").status_code == 204
    else:
        elsewhere = sign_in("token", person)
        assert elsewhere.delete(f"/auth/sessions/{caller.session_id}/").status_code == 204
    return caller


# Who makes the request


@pytest.mark.parametrize("kind", KINDS)
def test_plain_views_know_the_caller_by_any_credential(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    expected = {"user": str(person.pk), "kind": "token" if kind == "personal" else kind}
    for path in PATHS:
        assert caller.get(path).json() == expected
    for path in ("/plain/touching/", "/async/touching/"):
        assert caller.get(path).json()["name"] == person.get_username()


def test_a_stranger_stays_a_stranger():
    for path in PATHS:
        assert stranger().get(path).json() == {"user": None, "kind": None}


@pytest.mark.parametrize("kind", KINDS)
def test_a_credential_that_has_ended_is_401_on_plain_open_views(kind: str, person: AbstractUser):
    for path in (*PATHS, "/plain/without-login/"):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
            caller = stale(kind, person)
            response = caller.call(method, path)
            assert response.status_code == 401, (path, method)
            assert 'error="invalid_token"' in response["WWW-Authenticate"]
            assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("kind", ["token", "jwt", "personal"])
def test_a_write_with_a_stale_header_is_401_and_not_a_csrf_failure(kind: str, person: AbstractUser):
    caller = stale(kind, person)
    for path in PATHS:
        assert caller.post(path).status_code == 401


def test_a_write_by_cookie_needs_a_csrf_token_on_plain_views(person: AbstractUser):
    caller = sign_in("session", person)
    for path in PATHS:
        assert caller.post(path, csrf=False).status_code == 403
        assert who(caller.post(path)) == str(person.pk)


def test_a_scheme_that_is_not_ours_is_left_to_the_view(person: AbstractUser):
    for header in ("Basic YTpi", "AWS4-HMAC-SHA256 x", "x"):
        for path in PATHS:
            assert who(Caller(header).get(path)) is None


@pytest.mark.parametrize("change", ["deactivated", "deleted"])
def test_a_jwt_whose_person_turns_out_to_be_gone_is_401_when_touched(
    change: str, person: AbstractUser
):
    caller = sign_in("jwt", person)
    people: Any = type(person)._default_manager.filter(pk=person.pk)
    if change == "deleted":
        UserSession.objects.all().delete()
        SignInName.objects.all().delete()
        people._raw_delete(people.db)
    else:
        people.update(is_active=False)
    seen = []
    signals.refused.connect(on_refused := lambda **told: seen.append(told["code"]))
    for path in ("/plain/touching/", "/async/touching/", "/api/touching/"):
        response = caller.get(path)
        assert response.status_code == 401
        assert response.json()["code"] == "session_ended"
        assert 'error="invalid_token"' in response["WWW-Authenticate"]
    signals.refused.disconnect(on_refused)
    assert seen == ["session_ended"] * 3


# A browser with a cookie that has ended


def test_a_person_who_follows_a_link_with_a_stale_cookie_arrives_as_a_stranger(
    person: AbstractUser,
):
    caller = stale("session", person)
    for path in PATHS:
        response = caller.get(f"{path}?a=1&b=2", headers={"Accept": "text/html"})
        if path == PATHS[0]:
            assert response.status_code == 302
            assert response["Location"] == f"{path}?a=1&b=2"
            assert response["Cache-Control"] == "no-store"
            assert caller.cookie is None
    assert who(caller.get("/plain/", headers={"Accept": "text/html"})) is None


def test_the_browser_is_told_to_forget_a_cookie_that_has_ended(person: AbstractUser):
    for path in (*PATHS, "/api/open/", "/auth/me/"):
        caller = stale("session", person)
        assert caller.get(path).status_code == 401
        assert caller.cookie is None


def test_a_redirect_leads_to_the_same_site_only(person: AbstractUser):
    for path in ("//evil.example/", "/\\evil.example/"):
        response = stale("session", person).get(path, headers={"Accept": "text/html"})
        assert "evil" not in response.get("Location", "").split("/")[:1]
        assert response.status_code in {404, 302}


# Doors: nothing stale stands in the way


def _doors(person: AbstractUser) -> list[tuple[str, dict[str, str]]]:
    name = {"username": person.get_username(), "password": PASSWORD}
    return [("/login/", name), ("/admin/login/", name)]


def _submit(caller: Caller, path: str, form: dict[str, str]) -> Any:
    """Open the form as a person does, and send it."""
    page = caller.get(path)
    assert page.status_code == 200, (path, page.status_code)
    fields = {**form, "csrfmiddlewaretoken": caller.client.cookies["csrftoken"].value}
    how: dict[str, Any] = {"headers": {}}
    if caller.authorization is not None:
        how["headers"]["Authorization"] = caller.authorization
    return caller.client.post(path, {**fields, "next": "/plain/"}, **how)


@pytest.mark.parametrize("kind", KINDS)
def test_signing_in_works_in_forms_while_something_stale_is_sent_along(kind: str):
    root = make_superuser()
    for path, form in _doors(root):
        caller = stale(kind, root)
        response = _submit(caller, path, form)
        assert response.status_code == 302, path
        caller.authorization = None
        assert who(caller.get("/plain/")) == str(root.pk)


@pytest.mark.parametrize("header", ["Bearer x", "Token", "Bearer a.b.c", "Basic x", "x"])
def test_signing_in_works_in_forms_while_garbage_is_sent_along(header: str):
    root = make_superuser()
    for path, form in _doors(root):
        caller = Caller(header)
        assert _submit(caller, path, form).status_code == 302
        caller.authorization = None
        assert who(caller.get("/plain/")) == str(root.pk)


def test_a_refused_header_does_not_switch_csrf_off_in_login_forms(person: AbstractUser):
    for path, form in _doors(person):
        for header in ("Bearer x", "Token x", "Basic x"):
            caller = Caller(header)
            caller.get(path)
            response = caller.client.post(path, form, headers={"Authorization": header})
            assert response.status_code == 403


def test_signing_out_in_djangos_view_works_with_a_stale_cookie(person: AbstractUser):
    caller = stale("session", person)
    assert caller.post("/logout/").status_code == 200
    assert caller.cookie is None


@override_settings(LOGIN_URL="/plain/without-login/")
def test_the_page_at_login_url_is_a_door_too(person: AbstractUser):
    assert who(bearer("x").get("/plain/without-login/")) is None
    assert who(stale("session", person).get("/plain/without-login/")) is None


@pytest.mark.parametrize("url", ["login", "no-such-view", "/nowhere/", "https://id.example/in"])
def test_any_login_url_leaves_the_other_views_closed(url: str):
    with override_settings(LOGIN_URL=url):
        assert bearer("x").get("/plain/").status_code == 401
        assert bearer("x").get("/plain/without-login/").status_code == 401


def test_djangos_login_required_middleware_sees_the_caller(person: AbstractUser):
    name = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, name], LOGIN_URL="/login/"):
        assert stranger().get("/plain/")["Location"] == "/login/?next=/plain/"
        assert who(stranger().get("/plain/without-login/")) is None
        for kind in KINDS:
            assert who(sign_in(kind, person).get("/plain/")) == str(person.pk)
        assert bearer("x").get("/plain/").status_code == 401


# The admin site


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_the_admin_site_knows_its_administrator(kind: str):
    root, nobody = make_superuser(), make_person("nobody")
    assert sign_in(kind, root).get("/admin/").status_code == 200
    assert sign_in(kind, nobody).get("/admin/").status_code == 302
    assert stale(kind, root).get("/admin/").status_code == 401


# Transactions


@pytest.mark.parametrize("is_atomic", [False, True])
@committed
def test_an_audit_event_survives_the_view_that_rolls_back(
    is_atomic: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    assert stranger().get("/rolled-back/").status_code == 204
    event = AuditEvent.objects.get(kind="test.tried")
    assert event.data == {"rolled_back": True}


@committed
def test_a_failed_sign_in_is_recorded_though_its_request_is_one_transaction(
    person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    name = person.get_username()
    for path in ("/auth/token/", "/auth/jwt/"):
        assert stranger().post(path, {"username": name, "password": "x"}).status_code == 401
    _submit(browser(), "/login/", {"username": name, "password": "x"})
    assert AuditEvent.objects.filter(kind="login.failed", actor_name=name).count() == 3


# The database is down


@committed
@pytest.mark.parametrize("kind", KINDS)
def test_without_the_database_nobody_gets_in_and_nobody_sees_an_error_page(
    kind: str, person: AbstractUser, clock: Clock
):
    caller = sign_in(kind, person)
    clock.advance(seconds=2)  # what is known of revocations has grown old
    for path in (*PATHS, "/api/open/", "/api/closed/", "/auth/me/", "/auth/sessions/"):
        with Outage():
            response = caller.get(path)
        assert response.status_code == 503, (path, response.content)
        assert response.json()["code"] == "unavailable"
        assert path.startswith("/api/") or response["Cache-Control"] == "no-store"
    assert who(caller.get("/plain/")) == str(person.pk)  # and it recovers


@committed
def test_a_stale_cookie_that_cannot_be_dropped_is_503(person: AbstractUser):
    for path in (*PATHS, "/api/open/", "/auth/session/"):
        caller = stale("session", person)
        with Outage(writes_only=True):
            response = caller.get(path)
        assert response.status_code == 503, path
        assert "user" not in response.json()


@committed
@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_database_lets_people_read(kind: str, person: AbstractUser, clock: Clock):
    caller = sign_in(kind, person)
    caller.get("/plain/")
    clock.advance(minutes=2)  # the use would be noted now
    for path in (*PATHS, "/api/closed/"):
        with Outage(writes_only=True) as outage:
            assert who(caller.get(path)) == str(person.pk)
        assert outage.refused == (0 if kind == "jwt" else 1)


@committed
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_login_forms_are_503_without_the_database_whatever_the_password(
    password: str, person: AbstractUser
):
    root = make_superuser()
    for writes_only in (False, True):
        for path, form in _doors(root):
            caller = browser()
            caller.get(path)
            token = caller.client.cookies["csrftoken"].value
            fields = {**form, "password": password, "csrfmiddlewaretoken": token}
            with Outage(writes_only=writes_only):
                response = caller.client.post(path, fields)
            assert response.status_code == 503, path
            assert caller.cookie is None


# ASGI


def _ask(path: str, caller: Caller, method: str = "GET") -> Any:
    """The same request to the same views, through Django's ASGI handler."""
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies = caller.client.cookies
    headers = {} if caller.authorization is None else {"Authorization": caller.authorization}
    token = client.cookies.get(settings.CSRF_COOKIE_NAME)
    if token is not None:
        headers["X-CSRFToken"] = token.value

    async def answer() -> Any:
        return await client.generic(method, path, headers=headers)

    return async_to_sync(answer)()


@pytest.mark.parametrize("kind", KINDS)
def test_under_asgi_every_view_knows_the_caller(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    for path in (*PATHS, "/api/closed/"):
        for method in ("GET", "POST"):
            assert who(_ask(path, caller, method)) == str(person.pk), (path, method)
    for path in ("/plain/touching/", "/async/touching/", "/api/touching/"):
        assert _ask(path, caller).json()["name"] == person.get_username()


@pytest.mark.parametrize("kind", KINDS)
def test_under_asgi_a_refused_credential_never_becomes_a_stranger(kind: str, person: AbstractUser):
    for path in (*PATHS, "/api/open/", "/plain/without-login/"):
        assert _ask(path, stale(kind, person)).status_code == 401
        for header in ("Bearer x", "Token", "bearer a.b.c"):
            assert _ask(path, Caller(header)).status_code == 401
        assert who(_ask(path, Caller())) is None


@committed
def test_under_asgi_a_jwt_does_not_touch_the_database(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    _ask("/async/", caller)
    for path in (*PATHS, "/api/closed/"):
        with Queries() as queries:
            assert who(_ask(path, caller)) == str(person.pk)
        assert len(queries) == 0


@committed
def test_under_asgi_a_look_that_falls_due_in_between_is_no_error(
    person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    """The clock may pass MAX_STALENESS between two questions of the same request."""
    caller = sign_in("jwt", person)
    ticks = iter(range(1, 1_000_000))
    with override_settings(AUTHKIT={"MAX_STALENESS": timedelta(seconds=1.5)}):
        caller.get("/plain/")
        real = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: real + next(ticks))
        for _ in range(5):
            assert who(_ask("/async/", caller)) == str(person.pk)


@pytest.mark.parametrize("change", ["deactivated", "deleted"])
def test_under_asgi_a_jwt_whose_person_is_gone_is_401_when_touched(
    change: str, person: AbstractUser
):
    caller = sign_in("jwt", person)
    people: Any = type(person)._default_manager.filter(pk=person.pk)
    if change == "deleted":
        UserSession.objects.all().delete()
        SignInName.objects.all().delete()
        people._raw_delete(people.db)
    else:
        people.update(is_active=False)
    for path in ("/plain/touching/", "/async/touching/", "/api/touching/"):
        assert _ask(path, caller).status_code == 401


@committed
def test_under_asgi_without_the_database_nobody_gets_in(person: AbstractUser, clock: Clock):
    for kind in KINDS:
        caller = sign_in(kind, person)
        clock.advance(seconds=2)
        for path in (*PATHS, "/api/open/"):
            with Outage():
                assert _ask(path, caller).status_code == 503


@committed
def test_under_asgi_a_stale_cookie_that_cannot_be_dropped_is_503(person: AbstractUser):
    for path in PATHS:
        caller = stale("session", person)
        with Outage(writes_only=True):
            assert _ask(path, caller).status_code == 503


@committed
def test_under_asgi_an_audit_event_survives_the_view_that_rolls_back():
    assert _ask("/rolled-back/", stranger()).status_code == 204
    assert AuditEvent.objects.filter(kind="test.tried").count() == 1


# What must not happen in between


def test_the_signal_of_a_refusal_is_sent_once_on_every_kind_of_view(person: AbstractUser):
    seen: list[Any] = []

    def on_refused(**told: Any) -> None:
        seen.append((told["code"], told["request"].path))

    signals.refused.connect(on_refused)
    try:
        for path in (*PATHS, "/api/open/", "/api/closed/", "/auth/me/"):
            bearer("x").get(path)
            assert seen.pop() == ("token_not_valid", path)
            assert not seen
            stale("session", person).get(path)
            assert seen.pop() == ("session_ended", path)
            assert not seen
    finally:
        signals.refused.disconnect(on_refused)


def test_a_receiver_that_fails_spoils_nothing(person: AbstractUser):
    def fail(**_: Any) -> None:
        raise RuntimeError

    signals.refused.connect(fail)
    try:
        assert bearer("x").get("/plain/").status_code == 401
        assert bearer("x").get("/api/open/").status_code == 401
    finally:
        signals.refused.disconnect(fail)


def test_an_answer_to_a_cookie_is_not_shared_by_caches(person: AbstractUser):
    caller = sign_in("session", person)
    for path in (*PATHS, "/api/closed/"):
        assert "Cookie" in caller.get(path)["Vary"]


def test_without_sessions_and_cookies_the_bearer_kinds_still_work(person: AbstractUser):
    without: list[str] = [
        name for name in settings.MIDDLEWARE if "sessions" not in name and "messages" not in name
    ]
    without.remove("django.contrib.auth.middleware.AuthenticationMiddleware")
    callers = {kind: sign_in(kind, person) for kind in ("token", "jwt", "personal")}
    with override_settings(MIDDLEWARE=without):
        for caller in callers.values():
            for path in (*PATHS, "/api/closed/"):
                assert who(caller.get(path)) == str(person.pk)
        assert who(stranger().get("/plain/")) is None
        assert bearer("x").get("/plain/").status_code == 401


def test_tokens_after_the_prefix_of_the_setting_are_taken_and_no_others(person: AbstractUser):
    old = sign_in("token", person)
    with override_settings(AUTHKIT={"TOKEN_PREFIX": "demo_"}):
        new = sign_in("token", person)
        assert new.token.startswith("demo_")
        assert who(new.get("/plain/")) == str(person.pk)
        assert old.get("/plain/").status_code == 401


def test_a_personal_token_works_as_long_as_its_owner_is_active(person: AbstractUser):
    caller = personal(person)
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=False)
    for path in (*PATHS, "/api/open/"):
        assert caller.get(path).status_code == 401


def test_refusals_are_json(person: AbstractUser):
    ask: list[Callable[[str], Any]] = [bearer("x").get, stale("token", person).get]
    for get in ask:
        for path in PATHS:
            response = get(path)
            assert response["Content-Type"] == "application/json"
            assert set(json.loads(response.content)) == {"code", "detail"}
