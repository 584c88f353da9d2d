"""The database goes away or takes no writes: 503, and nobody gets in.

With each statement that a door sends, it is the next one that fails.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.test import override_settings

from authkit.models import AuditEvent, BearerToken, UserSession
from tests.api.callers import (
    KINDS,
    SIGN_INS,
    Caller,
    bearer,
    browser,
    sign_in,
    stranger,
    who,
)
from tests.api.calls import CALLS
from tests.api.world import Clock, Outage
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [
    pytest.mark.urls("tests.api.urls"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.default_user_only,
]

MODES = ["stateless", "denylist", "stateful"]


@pytest.fixture(autouse=True)
def _no_noise(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")


def is_unavailable(response: Any) -> bool:
    return (
        response.status_code == 503
        and response.json()["code"] == "unavailable"
        and "OperationalError" not in response.content.decode()
    )


def _live() -> int:
    tokens = BearerToken.objects.filter(revoked_at=None, session=None)
    return UserSession.objects.filter(revoked_at=None).count() + tokens.count()


# Signing in


@pytest.mark.parametrize("writes_only", [False, True], ids=["down", "read-only"])
@pytest.mark.parametrize("kind", SIGN_INS)
def test_right_wrong_and_unknown_cannot_be_told_apart(
    kind: str, writes_only: bool, person: AbstractUser
):
    answers = set()
    for name, password in (
        (person.get_username(), PASSWORD),
        (person.get_username(), "wrong"),
        ("nobody", PASSWORD),
        ("nobody@example.com", "x"),
    ):
        caller = browser()
        with Outage(writes_only=writes_only):
            response = caller.post(f"/auth/{kind}/", {"username": name, "password": password})
        assert is_unavailable(response)
        assert caller.cookie is None
        answers.add((response.content, str(sorted(response.headers.items()))))
    assert len(answers) == 1
    assert _live() == 0


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_sign_in_that_breaks_off_at_any_statement_lets_nobody_in(
    kind: str, error: type[Exception], person: AbstractUser
):
    name = {"username": person.get_username(), "password": PASSWORD}
    for after in range(100):
        caller = browser()
        live = _live()
        with Outage(after, error=error) as outage:
            response = caller.post(f"/auth/{kind}/", name)
        if not outage.refused:
            break
        assert caller.cookie is None
        assert is_unavailable(response), (after, response.content)
        assert _live() == live  # the rows of a sign-in are all there or none
    assert response.status_code == 200
    assert 3 < after < 30


@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_statement_that_fails_once_does_no_more_harm(kind: str, person: AbstractUser):
    name = {"username": person.get_username(), "password": PASSWORD}
    for after in range(100):
        caller, live = browser(), _live()
        with Outage(after, until=after + 1) as outage:
            response = caller.post(f"/auth/{kind}/", name)
        if not outage.refused:
            break
        assert response.status_code == 200 or is_unavailable(response), (after, response.content)
        assert _live() == live + (response.status_code == 200)
        assert (response.status_code == 200) or caller.cookie is None
    assert response.status_code == 200


def test_it_recovers_without_a_restart(person: AbstractUser):
    for kind in SIGN_INS:
        caller = browser()
        name = {"username": person.get_username(), "password": PASSWORD}
        with Outage():
            assert is_unavailable(caller.post(f"/auth/{kind}/", name))
        assert caller.post(f"/auth/{kind}/", name).status_code == 200


# Using a credential


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_credential_is_believed_that_cannot_be_looked_up(
    kind: str, mode: str, person: AbstractUser, clock: Clock
):
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode}):
        caller = sign_in(kind, person)
        clock.advance(seconds=2)
        for path in ("/api/open/", "/api/closed/", "/plain/", "/async/", "/auth/me/"):
            with Outage():
                response = caller.get(path)
            asks_nothing = kind == "jwt" and mode == "stateless" and path != "/auth/me/"
            assert asks_nothing or is_unavailable(response), (path, response.content)


def test_a_made_up_token_is_refused_without_the_database(person: AbstractUser):
    real = sign_in("token", person).token
    for text in (real[:-1] + ("0" if real[-1] != "0" else "1"), "x", "a.b.c"):
        with Outage():
            assert bearer(text).get("/api/open/").status_code == 401


@pytest.mark.parametrize("kind", KINDS)
def test_the_note_of_a_use_fails_no_request(kind: str, person: AbstractUser, clock: Clock):
    caller = sign_in(kind, person)
    clock.advance(minutes=2)
    for is_atomic in (False, True):
        connection.settings_dict["ATOMIC_REQUESTS"] = is_atomic
        try:
            with Outage(writes_only=True):
                for path in ("/api/closed/", "/plain/", "/async/"):
                    if not (is_atomic and "async" in path):
                        assert who(caller.get(path)) == str(person.pk)
        finally:
            connection.settings_dict["ATOMIC_REQUESTS"] = False


# The rest of the API


@pytest.mark.default_user_only
@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 6, 8, 10])
def test_whatever_is_asked_is_503_or_done_and_never_an_error_page(
    after: int, person: AbstractUser, clock: Clock
):
    sign_in("token", person)  # others to end
    for name, make in CALLS.items():
        call = make(person)
        clock.advance(seconds=2)
        with Outage(after) as outage:
            response = call()
        assert response.status_code < 300 or is_unavailable(response), (name, response.content)
        assert outage.refused or response.status_code < 300, name


def test_a_logout_that_could_not_be_written_is_not_acknowledged(person: AbstractUser, clock: Clock):
    for kind in SIGN_INS:
        caller = sign_in(kind, person)
        key = caller.cookie
        with Outage(writes_only=True):
            assert is_unavailable(caller.delete(f"/auth/{kind}/"))
        assert caller.cookie == key
        assert who(caller.get("/api/closed/")) == str(person.pk)
        assert caller.delete(f"/auth/{kind}/").status_code == 204


def test_a_refresh_that_could_not_be_written_uses_nothing_up(person: AbstractUser):
    pair = sign_in("jwt", person)
    with Outage(writes_only=True):
        assert is_unavailable(stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh}))
    again = stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh})
    assert again.status_code == 200


def test_a_theft_that_could_not_be_written_down_yields_no_token(person: AbstractUser, clock: Clock):
    pair = sign_in("jwt", person)
    stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh})
    clock.advance(minutes=1)
    for after in range(20):
        with Outage(after) as outage:
            response = stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh})
        if not outage.refused:
            break
        assert is_unavailable(response), after
    assert response.json()["code"] in {"token_reused", "session_ended"}
    assert not UserSession.objects.filter(revoked_at=None).exists()
    assert AuditEvent.objects.filter(kind="token.reused").exists()


# A real database that takes no writes


@pytest.mark.vendor("postgresql")
def test_postgresql_read_only_lets_people_read_and_nobody_in(person: AbstractUser):
    _read_only(
        person,
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
    )


@pytest.mark.vendor("sqlite")
def test_sqlite_read_only_lets_people_read_and_nobody_in(person: AbstractUser):
    _read_only(person, "PRAGMA query_only = ON", "PRAGMA query_only = OFF")


@pytest.mark.vendor("mysql")
def test_mariadb_read_only_lets_people_read_and_nobody_in(person: AbstractUser):
    _read_only(person, "SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE")


def _read_only(person: AbstractUser, on: str, off: str) -> None:
    callers: list[Caller] = [sign_in(kind, person) for kind in KINDS]
    UserSession.objects.update(last_seen_at="2020-01-01T00:00:00Z")
    waiting = {kind: browser() for kind in SIGN_INS}
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        for caller in callers:
            for path in ("/api/closed/", "/plain/", "/auth/me/"):
                assert caller.get(path).status_code == 200
        for kind, caller in waiting.items():
            for name in (person.get_username(), "nobody"):
                for password in (PASSWORD, "wrong"):
                    body = {"username": name, "password": password}
                    assert is_unavailable(caller.post(f"/auth/{kind}/", body)), (kind, name)
            assert caller.cookie is None
        for kind, caller in zip(SIGN_INS, callers, strict=False):
            assert is_unavailable(caller.delete(f"/auth/{kind}/"))
            assert caller.get("/api/closed/").status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute(off)
    for kind, caller in waiting.items():
        body = {"username": person.get_username(), "password": PASSWORD}
        assert caller.post(f"/auth/{kind}/", body).status_code == 200
    assert settings.SESSION_ENGINE.endswith("db")
