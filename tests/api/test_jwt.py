"""``jwt/``: a pair of JWTs, their refresh, and who may verify them."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from authkit import signals
from authkit.models import AuditEvent, UserSession
from tests.api.callers import Caller, bearer, sign_in, stranger, who
from tests.api.world import Clock, Queries
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)


def refresh(text: str) -> Any:
    return stranger().post("/auth/jwt/refresh/", {"refresh": text})


def verify(text: str) -> Any:
    return stranger().post("/auth/jwt/verify/", {"token": text})


def part_of(token: str, place: int) -> dict[str, Any]:
    segment = token.split(".")[place]
    octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    found: dict[str, Any] = json.loads(octets)
    return found


def is_refused(response: Any, code: str = "token_not_valid") -> bool:
    return (
        response.status_code == 401
        and response.json()["code"] == code
        and 'error="invalid_token"' in response["WWW-Authenticate"]
    )


# jwt/


def test_post_answers_access_refresh_user_and_session(person: AbstractUser):
    name = {"username": person.get_username(), "password": PASSWORD}
    response = stranger().post("/auth/jwt/", name)
    assert response.status_code == 200
    body = response.json()
    assert body.keys() >= {"access", "refresh", "user", "session"}
    assert str(body["user"]["id"]) == str(person.pk)
    assert body["session"]["kind"] == "jwt"
    stored = UserSession.objects.get(pk=body["session"]["id"])
    assert datetime.fromisoformat(body["session"]["expires_at"]) == stored.expires_at
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_the_claims_are_all_there_each_of_its_type(person: AbstractUser):
    caller = sign_in("jwt", person)
    for text, typ, kind in (
        (caller.access, "at+jwt", "access"),
        (caller.refresh, "rt+jwt", "refresh"),
    ):
        header, claims = part_of(text, 0), part_of(text, 1)
        assert header.keys() == {"alg", "kid", "typ"}
        assert header["typ"] == typ
        assert claims["sub"] == str(person.pk)
        assert claims["sid"] == caller.session_id
        assert claims["token_type"] == kind
        for name in ("iss", "aud", "jti"):
            assert type(claims[name]) is str
        for name in ("iat", "exp", "auth_time"):
            assert type(claims[name]) is int


def test_the_claims_hold_nothing_of_the_password_or_of_what_one_may_do(superuser: AbstractUser):
    caller = sign_in("jwt", superuser)
    known = {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "token_type"}
    assert part_of(caller.access, 1).keys() - known == {"email"}
    assert part_of(caller.refresh, 1).keys() - known == {"gen"}


def test_delete_ends_the_presented_tokens_session(person: AbstractUser):
    one, other = sign_in("jwt", person), sign_in("jwt", person)
    assert one.delete("/auth/jwt/").status_code == 204
    assert is_refused(one.get("/api/open/"), "session_ended")
    assert is_refused(refresh(one.refresh), "session_ended")
    assert is_refused(verify(one.access), "session_ended")
    assert who(other.get("/api/open/")) == str(person.pk)
    assert refresh(other.refresh).status_code == 200


def test_delete_with_anything_but_a_live_access_token_is_401(person: AbstractUser):
    caller = sign_in("jwt", person)
    for other in (
        stranger(),
        sign_in("token", person),
        sign_in("session", person),
        sign_in("personal", person),
        bearer(caller.refresh),
        bearer("a.b.c"),
    ):
        response = other.delete("/auth/jwt/")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer ")
    assert who(caller.get("/api/closed/")) == str(person.pk)


# jwt/verify/


def test_verify_answers_an_empty_object_for_a_live_access_token(person: AbstractUser):
    response = verify(sign_in("jwt", person).access)
    assert response.status_code == 200
    assert response.json() == {}


def test_verify_refuses_everything_else(person: AbstractUser):
    caller = sign_in("jwt", person)
    others = (
        caller.refresh,
        sign_in("token", person).token,
        sign_in("personal", person).answer["token"],
        caller.access + "=",
        caller.access[:-2],
        caller.access + ".",
        "a.b.c",
        "x",
    )
    for text in others:
        assert is_refused(verify(text)), text


@pytest.mark.parametrize("mode", ["stateless", "denylist", "stateful"])
def test_verify_refuses_what_has_been_ended_in_every_mode(mode: str, person: AbstractUser):
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode}):
        caller = sign_in("jwt", person)
        caller.delete("/auth/jwt/")
        assert is_refused(verify(caller.access), "session_ended")


def test_verify_refuses_the_token_of_a_deactivated_or_deleted_person(person: AbstractUser):
    gone, caller = make_person("gone"), sign_in("jwt", person)
    of_gone = sign_in("jwt", gone)
    gone.delete()
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=False)
    for each in (caller, of_gone):
        assert is_refused(verify(each.access), "session_ended")
        assert is_refused(refresh(each.refresh), "session_ended")


def test_verify_looks_at_the_clock(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    clock.advance(seconds=299)
    assert verify(caller.access).status_code == 200
    clock.advance(seconds=2)
    assert is_refused(verify(caller.access))


# .well-known/jwks.json


def test_the_jwks_is_empty_with_symmetric_keys():
    response = stranger().get("/auth/.well-known/jwks.json")
    assert response.status_code == 200
    assert response.json() == {"keys": []}


# jwt/refresh/


def test_refresh_answers_a_new_pair_that_works(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    clock.advance(minutes=1)
    response = refresh(caller.refresh)
    assert response.status_code == 200
    assert response.json().keys() >= {"access", "refresh"}
    assert response["Cache-Control"] == "no-store"
    fresh = response.json()
    assert fresh["access"] != caller.access
    assert fresh["refresh"] != caller.refresh
    assert who(bearer(fresh["access"]).get("/api/closed/")) == str(person.pk)
    assert part_of(fresh["access"], 1)["sid"] == caller.session_id
    assert refresh(fresh["refresh"]).status_code == 200


def test_refresh_needs_no_access_token_and_minds_no_stale_one(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    clock.advance(hours=1)
    assert caller.get("/api/closed/").status_code == 401
    assert caller.post("/auth/jwt/refresh/", {"refresh": caller.refresh}).status_code == 200


def test_refresh_takes_refresh_tokens_only(person: AbstractUser):
    caller = sign_in("jwt", person)
    for text in (
        caller.access,
        sign_in("token", person).token,
        sign_in("personal", person).answer["token"],
        str(sign_in("session", person).cookie),
        caller.refresh + "=",
        caller.refresh[:-1],
        "x",
        "a.b.c",
    ):
        assert is_refused(refresh(text)), text


def test_refresh_costs_at_most_three_queries(person: AbstractUser):
    caller = sign_in("jwt", person)
    with Queries() as queries:
        assert refresh(caller.refresh).status_code == 200
    assert len(queries) <= 3, queries.sql


def test_many_refreshes_leave_one_row(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    text = caller.refresh
    events = AuditEvent.objects.count()
    for _ in range(10):
        clock.advance(minutes=1)
        text = refresh(text).json()["refresh"]
    assert UserSession.objects.count() == 1
    assert AuditEvent.objects.count() == events
    assert UserSession.objects.get().generation == 11


# The grace


def test_within_the_grace_the_same_child_comes_again_byte_for_byte(
    person: AbstractUser, clock: Clock
):
    caller = sign_in("jwt", person)
    clock.advance(minutes=3)
    first = refresh(caller.refresh).content
    for _ in range(3):
        clock.advance(seconds=3)
        assert refresh(caller.refresh).content == first
    assert UserSession.objects.get().generation == 2


def test_the_child_of_the_grace_is_the_same_though_the_person_changed_the_address(
    person: AbstractUser, clock: Clock
):
    caller = sign_in("jwt", person)
    first = refresh(caller.refresh).json()
    get_user_model()._default_manager.filter(pk=person.pk).update(email="new@example.com")
    again = refresh(caller.refresh).json()
    assert again["refresh"] == first["refresh"]


def test_after_the_grace_the_sign_in_ends_and_all_that_hangs_from_it(
    person: AbstractUser, clock: Clock
):
    caller = sign_in("jwt", person)
    child = refresh(caller.refresh).json()
    clock.advance(seconds=10)
    assert is_refused(refresh(caller.refresh), "token_reused")
    assert is_refused(refresh(child["refresh"]), "session_ended")
    assert is_refused(bearer(child["access"]).get("/api/open/"), "session_ended")
    assert is_refused(verify(child["access"]), "session_ended")
    assert is_refused(refresh(caller.refresh), "session_ended")
    assert UserSession.objects.get().revoked_reason == "token_reused"


def test_a_generation_older_than_the_last_is_theft_within_the_grace_too(person: AbstractUser):
    caller = sign_in("jwt", person)
    child = refresh(caller.refresh).json()
    grandchild = refresh(child["refresh"]).json()
    assert is_refused(refresh(caller.refresh), "token_reused")
    assert is_refused(refresh(grandchild["refresh"]), "session_ended")


def test_no_clock_decides_when_ten_generations_pass_in_one_second(
    person: AbstractUser, clock: Clock
):
    texts = [sign_in("jwt", person).refresh]
    for _ in range(10):
        texts.append(refresh(texts[-1]).json()["refresh"])
    assert len(set(texts)) == 11
    assert is_refused(refresh(texts[0]), "token_reused")


def test_without_grace_a_second_use_is_theft_at_once(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"REFRESH_GRACE": 0}):
        caller = sign_in("jwt", person)
        child = refresh(caller.refresh).json()
        assert is_refused(refresh(caller.refresh), "token_reused")
        assert is_refused(refresh(child["refresh"]), "session_ended")


@committed
def test_theft_leaves_an_audit_event_and_tells_the_project_once(person: AbstractUser, clock: Clock):
    seen: list[tuple[str, Any]] = []

    def on_reused(**told: Any) -> None:
        seen.append(("reused", told["user"].pk))
        assert str(told["session"].pk) == caller.session_id
        assert told["request"].path == "/auth/jwt/refresh/"

    def on_signed_out(**told: Any) -> None:
        seen.append(("signed out", told["reason"]))

    def on_refused(**told: Any) -> None:
        seen.append(("refused", told["code"]))

    wired = [
        (signals.token_reused, on_reused),
        (signals.signed_out, on_signed_out),
        (signals.refused, on_refused),
    ]
    caller = sign_in("jwt", person)
    refresh(caller.refresh)
    clock.advance(minutes=1)
    for signal, receiver in wired:
        signal.connect(receiver)
    try:
        how = {"headers": {"User-Agent": "a thief"}, "REMOTE_ADDR": "203.0.113.9"}
        stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh}, **how)
    finally:
        for signal, receiver in wired:
            signal.disconnect(receiver)
    assert len(seen) == 3
    assert set(seen) == {
        ("reused", person.pk),
        ("signed out", "token_reused"),
        ("refused", "token_reused"),
    }
    event = AuditEvent.objects.get(kind="token.reused")
    assert event.subject == str(person.pk)
    assert str(event.session_id) == caller.session_id
    assert event.ip == "203.0.113.9"
    assert event.user_agent == "a thief"
    assert event.data == {"generation": 1, "current": 2}
    assert AuditEvent.objects.filter(kind="session.ended").count() == 1


def test_a_refresh_never_signs_in_who_has_another_password_by_now(person: AbstractUser):
    caller = sign_in("jwt", person)
    person.set_password("another")
    get_user_model()._default_manager.filter(pk=person.pk).update(password=person.password)
    assert is_refused(refresh(caller.refresh), "session_ended")


# How long


def test_a_session_that_is_not_refreshed_for_long_ends(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"REFRESH_TOKEN_LIFETIME": 3600}):
        caller = sign_in("jwt", person)
        text = caller.refresh
        for _ in range(3):
            clock.advance(seconds=3599)
            text = refresh(text).json()["refresh"]
        clock.advance(seconds=3600)
        assert refresh(text).status_code == 401


def test_refreshing_does_not_prolong_a_sign_in_beyond_session_lifetime(
    person: AbstractUser, clock: Clock
):
    with override_settings(AUTHKIT={"SESSION_LIFETIME": 3600, "REFRESH_TOKEN_LIFETIME": 1800}):
        caller = sign_in("jwt", person)
        text = caller.refresh
        ends_at = clock.now + timedelta(hours=1)
        for _ in range(5):
            clock.advance(minutes=11)
            pair = refresh(text).json()
            text = pair["refresh"]
            for token in (text, pair["access"]):
                assert part_of(token, 1)["exp"] <= ends_at.timestamp()
        clock.advance(minutes=4, seconds=59)
        assert who(bearer(pair["access"]).get("/api/open/")) == str(person.pk)
        clock.advance(seconds=1)
        assert refresh(text).status_code == 401
        assert bearer(pair["access"]).get("/api/open/").status_code == 401


def test_an_access_token_lives_for_access_token_lifetime(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"ACCESS_TOKEN_LIFETIME": 60}):
        caller = sign_in("jwt", person)
        clock.advance(seconds=59)
        assert who(caller.get("/api/open/")) == str(person.pk)
        clock.advance(seconds=1)
        response = caller.get("/api/open/")
        assert is_refused(response)
        assert "expired" in response["WWW-Authenticate"]


def test_a_token_from_the_future_is_refused(person: AbstractUser, clock: Clock):
    clock.advance(minutes=5)
    caller = sign_in("jwt", person)
    clock.advance(minutes=-5)
    assert is_refused(caller.get("/api/open/"))
    assert is_refused(refresh(caller.refresh))


# Where it comes from


def test_the_list_of_devices_follows_a_refresh(person: AbstractUser, clock: Clock):
    caller = sign_in("jwt", person)
    clock.advance(hours=1)
    how = {"headers": {"User-Agent": "the train"}, "REMOTE_ADDR": "198.51.100.7"}
    pair = stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh}, **how).json()
    [device] = Caller(f"Bearer {pair['access']}").get("/auth/sessions/").json()
    assert device["ip"] == "198.51.100.7"
    assert device["user_agent"] == "the train"
    assert datetime.fromisoformat(device["last_seen_at"]) == clock.now
