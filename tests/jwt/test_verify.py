"""Only what we signed, for this use and this moment, is taken."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from authkit.exceptions import CredentialRejected, TokenExpired, TokenMadeUp, TokenNotValid
from authkit.jwt import keys
from authkit.jwt.tokens import mint_pair, user_pk_from_sub
from authkit.jwt.verify import AccessVerifier, verify_access, verify_refresh
from authkit.kernel import jws
from authkit.kernel.claims import CLOCK_LEEWAY, AccessClaims
from authkit.kernel.grant import Grant
from tests.jwt.some_tokens import ACCESS, NOW, PK, REFRESH, SID, access, ada, refresh, session
from tests.kernel.some_keys import material, signing

OTHER = "another key of the test run, long enough for every check, and no secret either"


def refused(text: Any, *, now: float = NOW) -> CredentialRejected:
    """Neither door takes it; returns what the first one says."""
    with pytest.raises((TokenNotValid, TokenExpired)) as first:
        verify_access(text, now=now)
    with pytest.raises((TokenNotValid, TokenExpired)):
        verify_refresh(text, now=now)
    return first.value


def verifier(remembered: int = 8) -> AccessVerifier:
    return AccessVerifier(keys.ring(), "authkit", "authkit", remembered=remembered)


def remembered_by(judge: AccessVerifier) -> set[str]:
    return {known[0].jti for known in (*judge._old.values(), *judge._young.values())}


def test_an_access_token_is_taken_as_often_as_it_is_presented():
    token = access(email="ada@example.com")
    first = verify_access(token, now=NOW)
    assert (first.sub, first.sid, first.jti) == (str(PK), SID, "an-id")
    assert verify_access(token, now=NOW + 1) is first
    assert verify_access(token.encode(), now=NOW + 2) is first


@pytest.mark.parametrize("scope", [{}, {"scope": "api.article:read"}])
def test_what_is_remembered_of_a_token_is_what_it_says(scope: dict[str, str]):
    says, _, grant = verifier().recognise(access(auth_time=NOW - 60, **scope), now=NOW)
    assert grant == Grant(
        kind="jwt",
        user_id=str(PK),
        session_id=SID,
        token_id=says.jti,
        scopes=says.scope,
        authenticated_at=datetime.fromtimestamp(NOW - 60, UTC),
        expires_at=datetime.fromtimestamp(says.exp, UTC),
    )
    assert (says.scope is None) is (not scope)
    assert (type(grant), len(grant)) == (Grant, len(Grant._fields))
    assert (type(says), len(says)) == (AccessClaims, len(AccessClaims._fields))


def test_a_refresh_token_is_taken():
    claims = verify_refresh(refresh(gen=7), now=NOW)
    assert (claims.sub, claims.sid, claims.generation) == (str(PK), SID, 7)


def test_neither_kind_is_the_other():
    pair = mint_pair(session(), ada())
    with pytest.raises(TokenNotValid):
        verify_access(pair.refresh, now=NOW)
    with pytest.raises(TokenNotValid):
        verify_refresh(pair.access, now=NOW)


@pytest.mark.parametrize("typ", ["at+jwt", "rt+jwt", "JWT"])
@pytest.mark.parametrize("payload", [ACCESS, REFRESH, {**REFRESH, "token_type": "access"}])
@pytest.mark.parametrize("key", ["access", "refresh"])
def test_key_type_and_claim_must_all_agree(typ: str, payload: dict[str, Any], key: str):
    token = jws.sign(payload, getattr(keys.ring(), f"{key}_signing"), typ=typ)
    agree = (key, typ, payload["token_type"])
    if agree == ("access", "at+jwt", "access"):
        verify_access(token, now=NOW)
    elif agree == ("refresh", "rt+jwt", "refresh"):
        verify_refresh(token, now=NOW)
    else:
        refused(token)


@pytest.mark.parametrize("name", ["iss", "aud"])
@pytest.mark.parametrize(
    "value", ["", "authkit ", "Authkit", "AUTHKIT", "authkit/", None, ["authkit"], True, 0, {}]
)
def test_another_issuer_or_audience_is_refused(name: str, value: object):
    for token in (access(**{name: value}), refresh(**{name: value})):
        assert type(refused(token)) is TokenNotValid


@pytest.mark.parametrize("setting", ["JWT_ISSUER", "JWT_AUDIENCE"])
def test_a_token_seen_before_is_refused_under_another_issuer_or_audience(setting: str):
    token = access()
    verify_access(token, now=NOW)
    with override_settings(AUTHKIT={setting: "elsewhere"}):
        refused(token)
    verify_access(token, now=NOW)


@pytest.mark.parametrize(
    "name", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "token_type"]
)
@pytest.mark.parametrize("value", [True, False, None, 1.5, 1e20, 10**30, -1, [], {}, "", "1", "\0"])
def test_a_claim_of_the_wrong_type_is_refused(name: str, value: object):
    """simplejwt: sub=true is the first user, exp=1e20 a server error."""
    if (name, value) in (("sub", "1"), ("jti", "1")):
        return
    assert type(refused(access(**{name: value}))) is TokenNotValid
    refused(refresh(**{name: value}))


# The clock.


def test_a_token_that_is_over_is_refused_also_when_seen_before():
    token = access()
    verify_access(token, now=NOW + 299.9)
    assert type(refused(token, now=NOW + 300)) is TokenExpired
    verify_access(token, now=NOW + 299.9)


def test_a_token_of_the_future_is_refused_also_when_seen_before():
    token = access()
    verify_access(token, now=NOW - CLOCK_LEEWAY)
    assert type(refused(token, now=NOW - CLOCK_LEEWAY - 1)) is TokenNotValid


def test_a_refresh_token_that_is_over_is_refused():
    with pytest.raises(TokenExpired):
        verify_refresh(refresh(), now=NOW + 86_400)


def test_a_forged_token_that_is_over_is_forged_first():
    assert type(refused(access()[:-4] + "AAAA", now=NOW + 10**6)) is TokenMadeUp


# The ring.


def test_a_key_that_is_removed_ends_its_tokens_also_those_seen_before():
    token = access()
    verify_access(token, now=NOW)
    with override_settings(SECRET_KEY=OTHER):
        refused(token)


def test_a_fallback_secret_key_keeps_both_kinds_alive():
    tokens = access(), refresh()
    fallback = [django_settings.SECRET_KEY]
    with override_settings(SECRET_KEY=OTHER, SECRET_KEY_FALLBACKS=fallback):
        verify_access(tokens[0], now=NOW)
        verify_refresh(tokens[1], now=NOW)


def test_rotating_to_another_algorithm_logs_nobody_out():
    old = {"alg": "HS256", "key": material("HS256")}
    new = {"alg": "EdDSA", "key": material("EdDSA")}
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [old]}):
        before = access()
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [new, old]}):
        verify_access(before, now=NOW)
        after = access()
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [new]}):
        verify_access(after, now=NOW)
        refused(before)


def test_who_holds_the_access_key_makes_no_refresh_token():
    with override_settings(
        AUTHKIT={"JWT_SIGNING_KEYS": [{"alg": "HS256", "key": material("HS256")}]}
    ):
        stolen = signing("HS256")
        verify_access(jws.sign(ACCESS, stolen, typ="at+jwt"), now=NOW)
        refused(jws.sign(REFRESH, stolen, typ="rt+jwt"))


# What is remembered.


def test_only_so_many_tokens_are_remembered():
    judge = verifier(remembered=4)
    tokens = [access(jti=f"number-{number}") for number in range(10)]
    for token in tokens:
        judge.recognise(token, now=NOW)
    assert remembered_by(judge) == {f"number-{number}" for number in range(6, 10)}
    assert judge.recognise(tokens[0], now=NOW)[0].jti == "number-0"


def test_what_is_in_use_stays_remembered():
    judge = verifier(remembered=4)
    used = access(jti="used")
    first = judge.recognise(used, now=NOW)
    for number in range(50):
        judge.recognise(access(jti=f"number-{number}"), now=NOW)
        assert judge.recognise(used, now=NOW) is first
    assert len(remembered_by(judge)) <= 4


def test_what_is_refused_is_not_remembered():
    judge = verifier()
    for bad in ("garbage", access(exp=NOW + 1, iat=NOW), access(iss="other"), refresh()):
        with pytest.raises((TokenNotValid, TokenExpired)):
            judge.recognise(bad, now=NOW + 2)
    assert remembered_by(judge) == set()


def test_no_text_of_a_token_is_remembered():
    judge = verifier()
    token = access()
    judge.recognise(token, now=NOW)
    assert token not in repr(vars(judge))
    assert token.rpartition(".")[2] not in repr(vars(judge))


def test_threads_share_what_is_remembered():
    judge = verifier(remembered=16)
    tokens = [access(jti=f"number-{number}") for number in range(64)]
    wrong: list[object] = []

    def present(start: int) -> None:
        for place in range(2000):
            number = (start + place * 7) % 64
            claims = judge.recognise(tokens[number], now=NOW)[0]
            if claims.jti != f"number-{number}":
                wrong.append(claims)

    threads = [threading.Thread(target=present, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(remembered_by(judge)) <= 16


def test_an_expired_token_stays_expired_in_a_fresh_process():
    with pytest.raises(TokenExpired):
        verifier().recognise(access(), now=NOW + 301)


# Whatever is presented.


@pytest.mark.parametrize(
    "thing", [None, 1, True, [], {}, object(), "", b"", "..", b"\xff\xfe", "é"]
)
def test_what_is_no_token_is_refused(thing: object):
    assert type(refused(thing)) is TokenNotValid


def test_five_megabytes_are_refused_at_once():
    heap = ["A" * 5_000_000, b"." * 5_000_000, "é" * 5_000_000, access() * 20_000]
    began_at = time.perf_counter()
    for garbage in heap:
        refused(garbage)
    assert time.perf_counter() - began_at < 0.1


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nothing_else_is_ever_raised(text: str | bytes):
    refused(text)


_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3),
)


@given(st.sampled_from(sorted({*REFRESH, "nbf", "scope"})), _VALUE)
def test_an_odd_claim_that_we_signed_is_refused_or_the_same_person(name: str, value: object):
    for door, token in (
        (verify_access, access(**{name: value})),
        (verify_refresh, refresh(**{name: value})),
    ):
        try:
            claims = door(token, now=NOW)
            pk = user_pk_from_sub(claims.sub)
        except CredentialRejected:
            continue
        assert str(pk) == claims.sub
        assert name == "sub" or pk == PK


def test_a_refusal_tells_the_client_nothing_of_the_token():
    refusal = refused(access(iss="hunter2"))
    assert "hunter2" not in f"{refusal} {refusal.public_message}"
    assert refusal.code == "token_not_valid"
