"""A session is saved once, whoever changes it, and its cookie is as Django makes it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import AsyncClient, override_settings

from tests.api.callers import Caller, browser, sign_in, with_cookie
from tests.api.world import Queries
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [
    pytest.mark.urls("tests.saving.urls"),
    pytest.mark.django_db,
]
committed = pytest.mark.django_db(transaction=True)

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
LATER = "tests.saving.urls.LaterMiddleware"
WITH_LATER = [
    each
    for known in settings.MIDDLEWARE
    for each in ([known, LATER] if known.endswith("SessionMiddleware") else [known])
]
OURS = "authkit.middleware.AuthkitMiddleware"
WITHOUT_OURS = [each for each in settings.MIDDLEWARE if each != OURS]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Django keeps its sessions in this way."""
    name = f"django.contrib.sessions.backends.{request.param}"
    with override_settings(SESSION_ENGINE=name, SESSION_FILE_PATH=str(tmp_path)):
        yield request.param


def writes(queries: Queries) -> list[str]:
    return [sql for sql in queries.sql if "django_session" in sql and not sql.startswith("SELECT")]


def stored(caller: Caller) -> dict[str, Any]:
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(caller.cookie)
    return dict(store.items())


# The same as Django


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"SESSION_SAVE_EVERY_REQUEST": True},
        {"SESSION_EXPIRE_AT_BROWSER_CLOSE": True},
        {"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_PATH": "/visit"},
    ],
    ids=str,
)
def test_cookie_and_headers_are_djangos(engine: str, changed: dict[str, Any]):
    answers = []
    for middleware in (settings.MIDDLEWARE, WITHOUT_OURS):
        with override_settings(MIDDLEWARE=middleware, **changed):
            caller = Caller()
            for path in ("/untouched/", "/visit/", "/read/", "/stream/", "/fail/", "/leave/"):
                response = caller.get(path)
                varies = path == "/untouched/" or "Cookie" in response["Vary"]
                answers.append((path, response.status_code, varies, _cookie(response)))
    half = len(answers) // 2
    assert answers[:half] == answers[half:]
    assert answers[1][-1] is not None
    assert answers[5][-1] is not None


def _cookie(response: Any) -> dict[str, Any] | None:
    morsel = response.cookies.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None
    # moments aside
    return {**morsel, "expires": bool(morsel["expires"]), "value": bool(morsel.value)}


def test_what_is_written_is_there_at_the_next_request(engine: str, person: AbstractUser):
    caller = sign_in("session", person)
    for visits in (1, 2, 3):
        assert caller.get("/visit/").json() == {"visits": visits}
    assert caller.get("/read/").json() == {"visits": 3}
    assert caller.get("/leave/").status_code == 200
    assert caller.cookie is None
    assert caller.get("/read/").json() == {"visits": 0}


# Once


@committed
@pytest.mark.parametrize("is_atomic", [False, True])
def test_it_is_written_once(is_atomic: bool, person: AbstractUser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    caller = sign_in("session", person)
    _is_written_once(caller)


def test_it_is_written_once_within_a_transaction_that_stays_open(person: AbstractUser):
    """As in a `TestCase` of Django."""
    _is_written_once(sign_in("session", person))


def _is_written_once(caller: Caller) -> None:
    for path, times in (("/visit/", 1), ("/message/", 0), ("/read/", 0), ("/untouched/", 0)):
        with Queries() as queries:
            assert caller.get(path).status_code == 200
        assert len(writes(queries)) == times, (path, queries.sql)
    with override_settings(SESSION_SAVE_EVERY_REQUEST=True), Queries() as queries:
        caller.get("/untouched/")
    assert len(writes(queries)) == 1


@committed
def test_under_asgi_it_is_written_once(person: AbstractUser):
    caller = sign_in("session", person)
    client = AsyncClient()
    client.cookies = caller.client.cookies

    async def answer(path: str) -> Any:
        return await client.get(path)

    for path in ("/visit/", "/visit/async/"):
        with Queries() as queries:
            assert async_to_sync(answer)(path).status_code == 200
        assert len(writes(queries)) == 1
    assert stored(caller)["visits"] == 2


@committed
def test_a_sign_in_writes_its_session_twice_and_asks_no_more_than_before(person: AbstractUser):
    """Its row is made, for the key; and filled."""
    caller = browser()
    name = {"username": person.get_username(), "password": PASSWORD}
    with Queries() as queries:
        assert caller.post("/auth/session/", name).status_code == 200
    assert len(writes(queries)) == 2
    counting = ("BEGIN", "authkit_throttle")
    assert len([sql for sql in queries.sql if not any(one in sql for one in counting)]) == 10


@committed
@pytest.mark.parametrize("is_atomic", [False, True])
def test_what_a_view_writes_after_signing_somebody_in_is_stored(
    is_atomic: bool, person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", is_atomic)
    caller = Caller()
    assert caller.get(f"/enter/?pk={person.pk}&note").status_code == 200
    assert stored(caller)["visits"] == 1
    assert caller.get("/auth/me/").status_code == 200


# Whoever stands outside


@pytest.mark.parametrize("path", ["/visit/", "/untouched/", "/read/", "/enter/?pk={pk}"])
def test_what_another_middleware_writes_later_is_stored(
    path: str, engine: str, person: AbstractUser
):
    with override_settings(MIDDLEWARE=WITH_LATER):
        caller = sign_in("session", person)
        for text in ("a", "b"):
            sign = "&" if "?" in path else "?"
            assert caller.get(f"{path.format(pk=person.pk)}{sign}later={text}").status_code == 200
            assert stored(caller)["later"] == text


@override_settings(CSRF_USE_SESSIONS=True)
def test_the_csrf_token_may_be_kept_in_the_session(engine: str, person: AbstractUser):
    name = {"username": person.get_username(), "password": PASSWORD}
    caller = Caller()
    page = caller.client.get("/login/")
    form = {**name, "csrfmiddlewaretoken": str(page.context["csrf_token"]), "next": "/read/"}
    assert caller.client.post("/login/", form).status_code == 302
    assert caller.get("/auth/me/").status_code == 200
    assert stored(caller)["_csrftoken"]


@override_settings(MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage")
def test_messages_may_be_kept_in_the_session(engine: str, person: AbstractUser):
    caller = sign_in("session", person)
    caller.get("/message/")
    assert "Saved." in str(stored(caller))


# What is rolled back is not saved


@committed
def test_a_save_that_was_rolled_back_is_made_again(person: AbstractUser):
    """By a middleware that ends its transaction before Django saves the session."""
    key = sign_in("session", person).cookie
    name = f"{__name__}.RollingBackMiddleware"
    middleware = [each if each != LATER else name for each in WITH_LATER]
    with override_settings(MIDDLEWARE=middleware):
        caller = with_cookie(key)
        assert caller.get("/visit/").status_code == 200
    assert stored(caller)["visits"] == 1


class RollingBackMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        with transaction.atomic():
            response = self.get_response(request)
            transaction.set_rollback(True)
        return response


def test_without_sessions_nothing_is_saved():
    stock = ("sessions", "contrib.auth", "messages", "csrf")
    middleware = [each for each in settings.MIDDLEWARE if not any(one in each for one in stock)]
    with override_settings(MIDDLEWARE=middleware):
        assert Caller().get("/untouched/").status_code == 200
    assert not Session.objects.exists()
