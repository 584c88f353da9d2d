"""Tokens that are read without JSON say what JSON says of them, or nothing at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authkit.kernel import claims, plain_access, strict_json
from authkit.kernel.claims import AccessClaims
from authkit.kernel.jws import InvalidToken

ORIGIN = {"issuer": 'https://a.example/"é', "audience": "au.th+kit"}
EXTRA = ("email", "username", "zz", "a_first", "sub", "not plain")
READ = plain_access.reader(ORIGIN["issuer"], ORIGIN["audience"], EXTRA)
USUAL: dict[str, Any] = {
    "iss": ORIGIN["issuer"],
    "aud": ORIGIN["audience"],
    "token_type": "access",
    "sub": "7",
    "sid": "0192f0c1-2b3c-7d4e-8f50-0123456789ab",
    "jti": "abcdefghijklmnopqrstuv",
    "iat": 1_700_000_000,
    "exp": 1_700_000_300,
    "auth_time": 1_699_999_000,
    "email": "ada@example.com",
    "username": "ada",
}

_texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["", " ", "1", '"', "\\", "\x7f", "é", "a b", "x" * 256, "\U0001f600"]
)
_values = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.integers(claims.MAX_TIME - 2, 10**13)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
    | st.lists(_texts, max_size=2)
    | st.dictionaries(_texts, _texts, max_size=2)
)
_names = st.sampled_from([*USUAL, *EXTRA, "scope", "nbf", "gen", "other"])


def in_full(payload: bytes) -> AccessClaims | None:
    try:
        return claims.read_access(strict_json.read(payload), **ORIGIN)
    except (InvalidToken, strict_json.MalformedJson):
        return None


def require_alike(payload: bytes) -> AccessClaims | None:
    """What the short way takes, the long way takes and reads alike."""
    found = READ(payload)
    if found is not None:
        full = in_full(payload)
        assert full is not None
        assert type(found) is type(full)
        assert found == full
        assert [type(value) for value in found] == [type(value) for value in full]
    return found


def test_what_is_minted_every_day_is_read_without_json() -> None:
    assert require_alike(strict_json.write(USUAL)) is not None


@pytest.mark.parametrize("missing", ["email", "username"])
def test_a_claim_of_the_project_may_be_missing(missing: str) -> None:
    payload = {name: value for name, value in USUAL.items() if name != missing}
    found = require_alike(strict_json.write(payload))
    assert found is not None


@pytest.mark.parametrize("name", sorted(USUAL.keys() - {"email", "username"}))
def test_a_claim_that_is_needed_may_not_be_missing(name: str) -> None:
    payload = {other: value for other, value in USUAL.items() if other != name}
    assert READ(strict_json.write(payload)) is None


@given(st.dictionaries(_names, _values, max_size=4), st.sets(_names, max_size=2))
@example({"sub": "1\n"}, set())
@example({"exp": claims.MAX_TIME, "iat": claims.MAX_TIME - 1}, set())
@example({"exp": claims.MAX_TIME + 1}, set())
@example({"auth_time": claims.MAX_TIME + 1}, set())
@example({"zz": "", "a_first": "a"}, {"email"})
@example({"scope": "api.*:read"}, set())
@example({"iss": "https://a.example/"}, set())
def test_odd_claims_are_read_alike(odd: dict[str, Any], missing: set[str]) -> None:
    payload = {name: value for name, value in {**USUAL, **odd}.items() if name not in missing}
    require_alike(strict_json.write(payload))
    require_alike(json.dumps(payload).encode())
    require_alike(json.dumps(payload, separators=(",", ":"), sort_keys=True).encode())


@given(st.data())
def test_mutilated_payloads_are_read_alike(data: st.DataObject) -> None:
    payload = bytearray(strict_json.write(USUAL))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload) - 1))
        piece = data.draw(st.binary(max_size=2) | st.sampled_from([b",", b'"', b"\\", b"0", b"\n"]))
        payload[place : place + data.draw(st.integers(0, 2))] = piece
    require_alike(bytes(payload))


def test_a_name_that_stands_twice_is_left_to_json() -> None:
    payload = strict_json.write(USUAL)
    twice = payload.replace(b'"sub":"7"', b'"sub":"8","sub":"7"')
    assert twice != payload
    assert READ(twice) is None


@pytest.mark.parametrize("issuer", ["a\nb", "\udc00", "tab\t"])
def test_an_origin_that_json_escapes_is_left_to_json(issuer: str) -> None:
    assert plain_access.reader(issuer, "authkit")(b"{}") is None
