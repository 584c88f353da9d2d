"""Tokens are minted from a sign-in alone, and are simplejwt's tokens."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID

import jwt as pyjwt
import pytest
from django.contrib.auth import get_user_model
from django.db import models
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenBackendError, TokenError
from rest_framework_simplejwt.serializers import TokenBlacklistSerializer, TokenRefreshSerializer

from authkit import conf, sessions
from authkit.exceptions import SignInRefused, TokenNotValid
from authkit.jwt import keys, tokens
from authkit.jwt.backend import backend_for
from authkit.jwt.tokens import AccessToken, Pair, RefreshToken, mint_pair, user_pk_from_sub
from authkit.jwt.verify import verify_access, verify_refresh
from authkit.kernel.jwa import ALGORITHMS
from authkit.models import UserSession
from tests.jwt.some_tokens import AT, NOW, PK, SID, access, ada, refresh, session
from tests.kernel.some_keys import material, segment

pytestmark = pytest.mark.any_user_model

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


def said(token: str) -> dict[str, Any]:
    """What stands in a token, whoever signed it."""
    body = token.split(".")[1]
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return payload


def live_session(person: AbstractUser) -> UserSession:
    return sessions.start(person, "jwt", now=timezone.now())


# Minting.


def test_a_pair_says_who_and_from_which_sign_in():
    pair = mint_pair(session(generation=3), ada())
    claims = verify_access(pair.access, now=NOW)
    assert (claims.sub, claims.sid, claims.iat, claims.auth_time) == (str(PK), SID, NOW, NOW)
    assert claims.exp == NOW + 300
    again = verify_refresh(pair.refresh, now=NOW)
    assert (again.sub, again.sid, again.generation) == (str(PK), SID, 3)
    assert again.exp == NOW + 14 * 86_400
    assert claims.jti != again.jti


def test_a_pair_has_these_claims_and_no_others():
    pair = mint_pair(session(), ada())
    common = {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "token_type"}
    assert said(pair.access).keys() == common | {"email"}
    assert said(pair.refresh).keys() == common | {"gen"}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_same_generation_gets_the_same_tokens(alg: str):
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [{"alg": alg, "key": material(alg)}]}):
        first = mint_pair(session(), ada())
        keys.ring.cache_clear()  # as another process would
        assert mint_pair(session(), ada(), ring=keys.ring()) == first


def test_each_generation_and_each_session_has_tokens_of_its_own():
    sign_ins = [session(), session(generation=2), session(id=UUID(int=7))]
    made = [mint_pair(each, ada()) for each in sign_ins]
    ids = {said(text)["jti"] for pair in made for text in (pair.access, pair.refresh)}
    assert len(ids) == 6
    assert all(len(jti) == 22 for jti in ids)


def test_the_id_of_a_token_cannot_be_foretold():
    with override_settings(SECRET_KEY="another key of the test run, long enough for any check"):
        other = said(mint_pair(session(), ada()).refresh)["jti"]
    assert other != said(mint_pair(session(), ada()).refresh)["jti"]


def test_tokens_begin_when_the_session_was_rotated():
    rotated_at = AT + timedelta(hours=2, microseconds=999_999)
    pair = mint_pair(session(rotated_at=rotated_at), ada())
    assert said(pair.access)["iat"] == said(pair.refresh)["iat"] == NOW + 7200
    assert said(pair.access)["auth_time"] == NOW


def test_lifetimes_are_those_of_this_moment():
    lifetimes = {"ACCESS_TOKEN_LIFETIME": 60, "REFRESH_TOKEN_LIFETIME": timedelta(hours=1)}
    with override_settings(AUTHKIT=lifetimes):
        pair = mint_pair(session(), ada())
        assert said(pair.access)["exp"] == NOW + 60
        assert said(pair.refresh)["exp"] == NOW + 3600
        assert AccessToken.lifetime == timedelta(minutes=1)
        assert RefreshToken.lifetime == timedelta(hours=1)
    assert AccessToken.lifetime == timedelta(minutes=5)


def test_no_token_outlives_its_sign_in():
    rotated_at = AT + timedelta(days=90, seconds=-100)
    pair = mint_pair(session(rotated_at=rotated_at), ada())
    assert said(pair.access)["exp"] == said(pair.refresh)["exp"] == NOW + 90 * 86_400


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256"])
def test_others_verify_our_access_tokens_with_the_published_keys(alg: str):
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [{"alg": alg, "key": material(alg)}]}):
        rotated_at = timezone.now()
        token = mint_pair(session(rotated_at=rotated_at), ada()).access
        published = pyjwt.PyJWKSet.from_dict(keys.jwks(keys.ring()))
    header = pyjwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    payload = pyjwt.decode(
        token,
        published[header["kid"]],
        algorithms=[alg],
        audience="authkit",
        issuer="authkit",
        options={"require": ["exp", "iat", "sub", "jti"]},
    )
    assert payload["email"] == "ada@example.com"


def test_a_pair_shows_nothing():
    pair = mint_pair(session(), ada())
    assert repr(pair) == str(pair) == "Pair()"
    assert isinstance(pair, Pair)


# What of the user is copied.


def test_only_the_named_fields_are_copied():
    with override_settings(AUTHKIT={"JWT_USER_CLAIMS": ["email", "is_staff", "last_login"]}):
        payload = said(mint_pair(session(), ada(is_staff=True, last_login=AT)).access)
    assert (payload["email"], payload["is_staff"]) == ("ada@example.com", True)
    assert payload["last_login"] == str(AT)
    with override_settings(AUTHKIT={"JWT_USER_CLAIMS": []}):
        assert "email" not in said(mint_pair(session(), ada()).access)


NOT_COPIED = [
    "password",
    "sub",
    "sid",
    "iss",
    "exp",
    "scope",
    "groups",
    "pk",
    "get_username",
    "x",
]


@pytest.mark.parametrize("name", NOT_COPIED)
def test_what_must_not_be_copied_is_a_problem_and_is_not_copied(name: str):
    person = ada()
    person.sub = person.exp = person.scope = person.x = "shadow"  # type: ignore[attr-defined]
    before = mint_pair(session(), person)
    with override_settings(AUTHKIT={"JWT_USER_CLAIMS": ["email", name]}):
        assert mint_pair(session(), person) == before
        (problem,) = tokens.user_claim_problems(conf.get())
    assert repr(name) in problem


class _Odd(models.Model):
    scope = models.CharField(max_length=9)
    nickname = models.CharField(max_length=9)

    class Meta:
        abstract = True


def test_a_field_that_is_called_like_a_registered_claim_is_not_copied():
    assert tokens._may_be_copied(_Odd, "nickname")
    assert not tokens._may_be_copied(_Odd, "scope")


def test_the_default_is_no_problem_for_a_user_model_without_an_address():
    assert tokens.user_claim_problems(conf.get()) == []


def test_an_empty_or_very_long_field_is_left_out():
    person = ada()
    person.email = "x" * 10_000
    assert "email" not in said(mint_pair(session(), person).access)
    person.email = None  # type: ignore[assignment]
    assert "email" not in said(mint_pair(session(), person).access)


def test_a_claim_of_the_user_opens_nothing():
    claims = verify_access(access(is_staff=True, is_superuser=True, groups=["all"]), now=NOW)
    assert claims == verify_access(access(), now=NOW)
    assert claims.scope is None


# The subject.


def test_the_subject_leads_back_to_the_primary_key():
    assert user_pk_from_sub(str(PK)) == PK
    assert type(user_pk_from_sub(str(PK))) is type(PK)


SPELLINGS = [
    "017",
    "+17",
    " 17",
    "17 ",
    "1_7",
    "17.0",
    "٣",
    "0x11",
    "true",
    "True",
    "None",
    "",
    "abc",
]


@pytest.mark.parametrize("sub", [*SPELLINGS, "\0", "9" * 19, "9" * 5000, "-" + "9" * 30, "\ud800"])
def test_another_spelling_is_no_primary_key(sub: str):
    with pytest.raises(TokenNotValid):
        user_pk_from_sub(sub)


def test_another_spelling_of_a_uuid_is_no_primary_key():
    with patch.object(get_user_model()._meta, "pk", models.UUIDField()):
        assert user_pk_from_sub(str(SID)) == SID
        for sub in (str(SID).upper(), SID.hex, f"{{{SID}}}", SID.urn, str(SID)[:-1], "17"):
            with pytest.raises(TokenNotValid):
                user_pk_from_sub(sub)


class _Broken(models.Field):  # type: ignore[type-arg]
    def to_python(self, value: object) -> object:
        raise ZeroDivisionError


def test_a_field_that_fails_is_a_refusal():
    with patch.object(get_user_model()._meta, "pk", _Broken()), pytest.raises(TokenNotValid):
        user_pk_from_sub("17")


@given(st.text(max_size=30))
def test_no_subject_raises_anything_else(sub: str):
    try:
        pk = user_pk_from_sub(sub)
    except TokenNotValid:
        return
    assert str(pk) == sub


# simplejwt's classes.


def test_an_access_token_is_read_as_simplejwt_reads_it(person: AbstractUser):
    text = mint_pair(live_session(person), person).access
    token = AccessToken(text)  # type: ignore[arg-type]
    assert isinstance(token, simplejwt.AccessToken)
    assert token["sub"] == token.get("sub") == token.payload["sub"] == str(person.pk)
    assert "exp" in token
    assert str(token) == text


def test_a_refresh_token_is_read_as_simplejwt_reads_it(person: AbstractUser):
    text = mint_pair(live_session(person), person).refresh
    token = RefreshToken(text)  # type: ignore[arg-type]
    assert isinstance(token, simplejwt.RefreshToken)
    assert (token["sub"], token["gen"]) == (str(person.pk), 1)
    assert str(token) == text


def test_a_refresh_token_makes_an_access_token(person: AbstractUser):
    token = RefreshToken.for_user(person)
    made = verify_access(str(token.access_token), now=timezone.now().timestamp())
    assert (made.sub, str(made.sid)) == (str(person.pk), token["sid"])
    assert made.jti != token["jti"]
    assert "gen" not in token.access_token


def test_the_access_token_ends_with_its_refresh_token(person: AbstractUser):
    with override_settings(AUTHKIT={"REFRESH_TOKEN_LIFETIME": 60}):
        token = RefreshToken.for_user(person)
        assert token.access_token["exp"] == token["exp"]


@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
@pytest.mark.parametrize("text", ["", "garbage", "a.b.c", b"\xff", "A" * 5_000_000, 17, ["x"]])
def test_garbage_is_a_token_error(kind: Any, text: object):
    with pytest.raises(TokenError):
        kind(text)


def test_neither_class_reads_the_other_kind():
    pair = mint_pair(session(rotated_at=timezone.now()), ada())
    with pytest.raises(TokenError):
        AccessToken(pair.refresh)  # type: ignore[arg-type]
    with pytest.raises(TokenError):
        RefreshToken(pair.access)  # type: ignore[arg-type]


@pytest.mark.parametrize("changed", [{"exp": 1e20}, {"sub": True}, {"sid": "x"}, {"iss": "x"}])
def test_odd_claims_are_a_token_error(changed: dict[str, Any]):
    for kind, text in ((AccessToken, access(**changed)), (RefreshToken, refresh(**changed))):
        with pytest.raises(TokenError):
            kind(text, verify=False)  # type: ignore[arg-type]


def test_a_token_that_is_over_is_told_apart():
    with pytest.raises(ExpiredTokenError):
        AccessToken(access(iat=1, auth_time=1, exp=2))  # type: ignore[arg-type]


def test_without_verification_only_the_clock_is_not_asked():
    over = access(iat=1, auth_time=1, exp=2)
    assert AccessToken(over, verify=False)["exp"] == 2  # type: ignore[arg-type]
    for bad in (over[:-2], over.replace(".", ".A", 1), "a.b.c"):
        with pytest.raises(TokenError):
            AccessToken(bad, verify=False)  # type: ignore[arg-type]
    header, payload, _ = over.split(".")
    unsigned = f"{segment({'alg': 'none'}).decode()}.{payload}."
    for bad in (unsigned, f"{header}.{payload}."):
        with pytest.raises(TokenError):
            AccessToken(bad, verify=False)  # type: ignore[arg-type]


def test_tokens_of_plain_simplejwt_are_refused(person: AbstractUser):
    for kind, ours in (
        (simplejwt.AccessToken, AccessToken),
        (simplejwt.RefreshToken, RefreshToken),
    ):
        foreign = kind()
        foreign["sub"] = foreign["user_id"] = str(person.pk)
        with pytest.raises(TokenError):
            ours(str(foreign))  # type: ignore[arg-type]


def test_plain_simplejwt_refuses_ours(person: AbstractUser):
    pair = mint_pair(live_session(person), person)
    for text in (pair.access, pair.refresh):
        with pytest.raises(TokenError):
            simplejwt.UntypedToken(text)  # type: ignore[arg-type]


def test_what_would_not_be_read_is_not_signed():
    token = AccessToken()
    with pytest.raises(TokenBackendError):
        str(token)
    token["sub"], token["sid"], token["auth_time"] = str(PK), str(SID), token["iat"]
    assert verify_access(str(token), now=timezone.now().timestamp()).sub == str(PK)
    token["sub"] = 17
    with pytest.raises(TokenBackendError):
        str(token)


def test_issuer_audience_and_kind_are_not_the_callers_to_choose():
    payload = {**said(access()), "iss": "x", "aud": "x", "token_type": "refresh"}
    assert said(backend_for("access").encode(payload))["iss"] == "authkit"
    assert said(backend_for("access").encode(payload))["token_type"] == "access"


def test_no_representation_shows_what_a_token_says(person: AbstractUser):
    token = RefreshToken.for_user(person)
    shown = f"{token!r} {token.access_token!r} {vars(backend_for('access'))!r}"
    assert str(person.email) not in shown
    assert str(token) not in shown


# Every road to a token is a sign-in, and its end ends the token.


def test_a_token_for_a_user_is_a_sign_in(person: AbstractUser):
    token = RefreshToken.for_user(person)
    started = UserSession.objects.get(user_id=person.pk)
    assert token["sid"] == str(started.pk)
    other = AccessToken.for_user(person)
    assert UserSession.objects.filter(user_id=person.pk).count() == 2
    assert other["sid"] != token["sid"]


@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_there_is_no_token_for_a_deactivated_user(kind: Any, person: AbstractUser):
    """CVE-2024-22513."""
    person.is_active = False
    person.save()
    with pytest.raises(SignInRefused):
        kind.for_user(person)


def _end(started: UserSession) -> None:
    sessions.end([started.pk], reason="signed_out", now=timezone.now())


def _rotate(started: UserSession) -> None:
    UserSession.objects.filter(pk=started.pk).update(generation=2)


def _expire(started: UserSession) -> None:
    UserSession.objects.filter(pk=started.pk).update(expires_at=timezone.now())


def _deactivate(started: UserSession) -> None:
    get_user_model()._default_manager.filter(pk=started.user_id).update(is_active=False)


def _change_password(started: UserSession) -> None:
    get_user_model()._default_manager.filter(pk=started.user_id).update(password="another")


def _delete(started: UserSession) -> None:
    get_user_model()._default_manager.filter(pk=started.user_id).delete()


ENDS = [_end, _rotate, _expire, _deactivate, _change_password, _delete]


@pytest.mark.parametrize("happens", ENDS)
def test_a_refresh_token_dies_with_its_sign_in(happens: Any, person: AbstractUser):
    started = live_session(person)
    text = mint_pair(started, person).refresh
    happens(started)
    with pytest.raises(TokenError):
        RefreshToken(text)  # type: ignore[arg-type]


def test_a_refresh_token_does_not_lead_to_another_persons_sign_in(person: AbstractUser):
    started = live_session(person)
    mine, sub = str(person.pk), str(UUID(int=9) if isinstance(person.pk, UUID) else person.pk + 1)
    payload = said(mint_pair(started, person).refresh)
    RefreshToken(refresh(**{**payload, "sub": mine}))  # type: ignore[arg-type]
    with pytest.raises(TokenError):
        RefreshToken(refresh(**{**payload, "sub": sub}))  # type: ignore[arg-type]


def test_denylisting_a_refresh_token_ends_its_sign_in(person: AbstractUser):
    token = RefreshToken.for_user(person)
    token.blacklist()
    assert UserSession.objects.get(user_id=person.pk).revoked_at is not None


class _Refresh(TokenRefreshSerializer):
    token_class = RefreshToken


class _Blacklist(TokenBlacklistSerializer):
    token_class = RefreshToken


@override_settings(SIMPLE_JWT={"USER_ID_CLAIM": "sub"})
def test_serializers_of_simplejwt_work_with_these_tokens(person: AbstractUser):
    text = str(RefreshToken.for_user(person))
    answer = _Refresh().validate({"refresh": text})
    assert verify_access(answer["access"], now=timezone.now().timestamp()).sub == str(person.pk)
    _Blacklist().validate({"refresh": text})
    with pytest.raises(TokenError):
        _Refresh().validate({"refresh": text})
