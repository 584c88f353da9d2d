"""``token/``: an opaque token for programs and apps."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import override_settings

from authkit.models import BearerToken, UserSession
from tests.api.callers import Caller, bearer, browser, personal, sign_in, stranger, who
from tests.api.world import Clock, Queries
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]


def credentials(person: AbstractUser) -> dict[str, str]:
    return {"username": person.get_username(), "password": PASSWORD}


def test_post_answers_token_expires_at_user_and_session(person: AbstractUser):
    response = stranger().post("/auth/token/", credentials(person))
    assert response.status_code == 200
    body = response.json()
    assert body.keys() >= {"token", "expires_at", "user", "session"}
    assert str(body["user"]["id"]) == str(person.pk)
    assert body["user"]["username"] == person.get_username()
    assert body["user"]["email"] == person.email
    assert body["session"]["kind"] == "token"
    assert body["session"]["expires_at"] == body["expires_at"]
    assert UserSession.objects.get().pk.hex == body["session"]["id"].replace("-", "")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_delete_ends_the_presented_tokens_session(person: AbstractUser):
    one, other = sign_in("token", person), sign_in("token", person)
    response = one.delete("/auth/token/")
    assert response.status_code == 204
    assert response.content == b""
    assert one.get("/api/open/").status_code == 401
    assert who(other.get("/api/open/")) == str(person.pk)
    assert UserSession.objects.get(pk=one.session_id).revoked_reason == "signed_out"


def test_delete_without_a_live_token_is_401(person: AbstractUser):
    gone = sign_in("token", person)
    gone.delete("/auth/token/")
    for caller in (stranger(), gone, bearer("x"), browser(), sign_in("session", person)):
        response = caller.delete("/auth/token/")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in gone.delete("/auth/token/")["WWW-Authenticate"]


def test_delete_with_a_jwt_is_401_and_ends_nothing(person: AbstractUser):
    caller = sign_in("jwt", person)
    response = caller.delete("/auth/token/")
    assert response.status_code == 401
    assert response.json()["code"] == "token_not_valid"
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert who(caller.get("/api/closed/")) == str(person.pk)


def test_delete_with_a_personal_access_token_revokes_it(person: AbstractUser):
    caller = personal(person)
    assert caller.delete("/auth/token/").status_code == 204
    assert caller.get("/api/open/").status_code == 401


def test_a_token_has_a_prefix_a_public_id_a_long_secret_and_a_checksum(person: AbstractUser):
    texts = {sign_in("token", person).token for _ in range(20)}
    assert len(texts) == 20
    for text in texts:
        assert re.fullmatch("ak_[0-9a-z]{63}", text)
    # 16 characters of id and 7 of checksum leave 40 of 5 bits each: 200 bits of secret
    assert (63 - 16 - 7) * 5 >= 160


def test_only_the_digest_is_stored(person: AbstractUser):
    text = sign_in("token", person).token
    row = BearerToken.objects.get()
    assert row.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text.startswith(f"ak_{row.pk}")
    assert text[len(f"ak_{row.pk}") :] not in str(BearerToken.objects.values())


def test_a_token_of_another_secret_with_a_right_checksum_is_refused(person: AbstractUser):
    one, other = sign_in("token", person), sign_in("token", person)
    from_both = one.token[:19] + other.token[19:]
    assert bearer(from_both).get("/api/open/").status_code == 401
    row = BearerToken.objects.get(pk=one.token[3:19])
    row.digest = BearerToken.objects.get(pk=other.token[3:19]).digest
    row.save()
    assert one.get("/api/open/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer x", "Token x", "Bearer a.b.c", "stale", "Basic x"])
def test_nothing_stale_hinders_anybody_from_signing_in(header: str, person: AbstractUser):
    gone = sign_in("token", person)
    gone.delete("/auth/token/")
    caller = Caller(gone.authorization if header == "stale" else header)
    for path in ("/auth/token/", "/auth/jwt/"):
        assert caller.post(path, credentials(person)).status_code == 200
    cookie = sign_in("session", person)
    sign_in("token", person).delete(f"/auth/sessions/{cookie.session_id}/")
    for path in ("/auth/token/", "/auth/jwt/"):
        assert cookie.post(path, credentials(person), csrf=False).status_code == 200


def test_signing_in_by_token_leaves_a_cookie_in_the_same_browser_alone(person: AbstractUser):
    caller = sign_in("session", person)
    for path in ("/auth/token/", "/auth/jwt/"):
        response = caller.post(path, credentials(person))
        assert response.status_code == 200
        assert not response.cookies
    assert who(caller.get("/plain/")) == str(person.pk)


def test_a_token_lives_for_token_lifetime(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"TOKEN_LIFETIME": 3600}):
        caller = sign_in("token", person)
        assert datetime.fromisoformat(caller.answer["expires_at"]) == clock.now + timedelta(hours=1)
        clock.advance(seconds=3599)
        assert who(caller.get("/api/open/")) == str(person.pk)
        clock.advance(seconds=1)
        response = caller.get("/api/open/")
        assert response.status_code == 401
        assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_no_token_outlives_session_lifetime(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"TOKEN_LIFETIME": 7200, "SESSION_LIFETIME": 3600}):
        caller = sign_in("token", person)
        assert datetime.fromisoformat(caller.answer["expires_at"]) == clock.now + timedelta(hours=1)
        for _ in range(5):
            clock.advance(minutes=11)
            assert who(caller.get("/api/open/")) == str(person.pk)  # use does not prolong it
        clock.advance(minutes=5)
        assert caller.get("/api/open/").status_code == 401


def test_a_sign_in_costs_few_queries(person: AbstractUser):
    with Queries() as queries:
        sign_in("token", person)
    # two of them find the person, whose name has one canonical form: `identify.person_named`
    assert len(queries) <= (11 if connection.vendor == "sqlite" else 14), queries.sql
