"""Claims have exactly one type and one spelling."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel import claims
from authkit.kernel.claims import CLOCK_LEEWAY, AccessClaims, ExpiredToken, RefreshClaims
from authkit.kernel.jws import InvalidToken

NOW = 1_800_000_000
SID = "6f1f1a6e-7f1c-4a66-9d7b-0d6c6f5c9c11"
COMMON = {
    "iss": "authkit",
    "aud": "shop",
    "sub": "17",
    "sid": SID,
    "jti": "aZ09-_",
    "iat": NOW,
    "exp": NOW + 300,
    "auth_time": NOW - 60,
}
ACCESS = {**COMMON, "token_type": "access"}
REFRESH = {**COMMON, "token_type": "refresh", "gen": 3}


def read(payload: dict[str, Any]) -> AccessClaims:
    return claims.read_access(payload, issuer="authkit", audience="shop")


def read_refresh(payload: dict[str, Any]) -> RefreshClaims:
    return claims.read_refresh(payload, issuer="authkit", audience="shop")


def test_an_access_token_says_who_and_since_when():
    found = read({**ACCESS, "email": "ada@example.com"})
    assert (found.sub, found.sid, found.jti) == ("17", UUID(SID), "aZ09-_")
    assert (found.iat, found.exp, found.auth_time) == (NOW, NOW + 300, NOW - 60)
    assert (found.not_before, found.scope) == (NOW, None)


def test_a_refresh_token_says_its_generation():
    assert read_refresh(REFRESH).generation == 3


def test_what_was_read_cannot_be_changed():
    found = read({**ACCESS, "email": "ada@example.com"})
    with pytest.raises(AttributeError):
        found.sub = "18"  # type: ignore[misc]


def test_what_it_says_beyond_is_not_shown():
    assert "ada@example.com" not in repr(read({**ACCESS, "email": "ada@example.com"}))


@pytest.mark.parametrize("name", [*COMMON, "token_type"])
def test_every_claim_is_needed(name: str):
    for payload, reader in ((ACCESS, read), (REFRESH, read_refresh)):
        less = {key: value for key, value in payload.items() if key != name}
        with pytest.raises(InvalidToken):
            reader(less)


def test_a_refresh_token_needs_its_generation():
    with pytest.raises(InvalidToken, match="gen"):
        read_refresh({**COMMON, "token_type": "refresh"})


def test_neither_kind_is_the_other():
    with pytest.raises(InvalidToken):
        read({**REFRESH})
    with pytest.raises(InvalidToken):
        read_refresh({**ACCESS, "gen": 3})


NO_TEXT = [None, True, 17, 1.5, [], ["17"], {}, {"a": "17"}, ""]


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "token_type"])
@pytest.mark.parametrize("value", NO_TEXT)
def test_texts_are_texts(name: str, value: object):
    with pytest.raises(InvalidToken):
        read({**ACCESS, name: value})


@pytest.mark.parametrize("name", ["iss", "aud", "token_type"])
@pytest.mark.parametrize("change", [str.upper, lambda text: text + " ", lambda text: text + "\0"])
def test_issuer_audience_and_kind_are_exact(name: str, change: Any):
    with pytest.raises(InvalidToken):
        read({**ACCESS, name: change(str(ACCESS[name]))})


def test_a_list_of_audiences_is_not_written_by_us():
    with pytest.raises(InvalidToken):
        read({**ACCESS, "aud": ["shop"]})


NO_TIME: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    1.8e9,
    1e20,
    float("1e308"),
    "1800000300",
    10**20,
    253_402_300_800,
    [NOW],
    {},
]


@pytest.mark.parametrize("name", ["iat", "exp", "auth_time", "nbf"])
@pytest.mark.parametrize("value", NO_TIME)
def test_times_are_whole_numbers_in_range(name: str, value: object):
    with pytest.raises(InvalidToken):
        read({**ACCESS, name: value})


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.0, "3", 2**31, 10**30, [3]])
def test_a_generation_is_a_whole_number_in_range(value: object):
    with pytest.raises(InvalidToken):
        read_refresh({**REFRESH, "gen": value})


@pytest.mark.parametrize(
    "value",
    [
        SID.upper(),
        SID.replace("-", ""),
        "{" + SID + "}",
        "urn:uuid:" + SID,
        SID + "\n",
        " " + SID,
        SID[:-1],
        SID[:-1] + "g",
        SID[:-1] + "\u0661",
        SID.replace("-", "\u2010"),
    ],
)
def test_a_session_has_one_spelling(value: str):
    with pytest.raises(InvalidToken, match="sid"):
        read({**ACCESS, "sid": value})


@pytest.mark.parametrize("value", ["a b", "a.b", "a\n", "ä", "x" * 129, "../x", "'"])
def test_a_token_id_is_short_and_plain(value: str):
    with pytest.raises(InvalidToken, match="jti"):
        read({**ACCESS, "jti": value})


@pytest.mark.parametrize("value", ["\0", "1\0", "1\n", "\x7f", "\u200b1", "\u202e1", "x" * 256])
def test_a_subject_is_short_and_printable(value: str):
    with pytest.raises(InvalidToken, match="sub"):
        read({**ACCESS, "sub": value})


def test_a_token_ends_after_it_begins():
    with pytest.raises(InvalidToken):
        read({**ACCESS, "exp": NOW})


@pytest.mark.parametrize(
    ("text", "scopes"),
    [("api.article:read", ("api.article:read",)), ("*:* a:b", ("*:*", "a:b"))],
)
def test_scopes_are_separated_by_one_space(text: str, scopes: tuple[str, ...]):
    assert read({**ACCESS, "scope": text}).scope == scopes


@pytest.mark.parametrize(
    "value", ["", " ", "a  b", " a", "a ", 'a"', "a\\", "ä", "a\tb", None, [], 1]
)
def test_a_scope_that_is_not_understood_narrows_nothing_silently(value: object):
    with pytest.raises(InvalidToken, match="scope"):
        read({**ACCESS, "scope": value})


# The clock.


def test_a_token_is_good_until_its_end():
    found = read(ACCESS)
    claims.require_timely(found, now=NOW)
    claims.require_timely(found, now=NOW + 299.999)
    for now in (NOW + 300, NOW + 300.001, NOW + 10**9):
        with pytest.raises(ExpiredToken):
            claims.require_timely(found, now=now)


@pytest.mark.parametrize("name", ["iat", "nbf", "auth_time"])
def test_a_token_from_the_future_is_not_taken_beyond_the_leeway(name: str):
    begins = NOW + 200
    found = read({**ACCESS, name: begins})
    claims.require_timely(found, now=begins - CLOCK_LEEWAY)
    with pytest.raises(InvalidToken, match="future"):
        claims.require_timely(found, now=begins - CLOCK_LEEWAY - 1)


def test_a_broken_clock_lets_nothing_in():
    with pytest.raises(InvalidToken):
        claims.require_timely(read(ACCESS), now=float("nan"))
    with pytest.raises(InvalidToken):
        claims.require_timely(read(ACCESS), now=float("inf"))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.sampled_from([ACCESS, REFRESH]), st.data())
def test_no_claim_raises_anything_else(payload: dict[str, Any], data: st.DataObject):
    name = data.draw(st.sampled_from([*payload, "nbf", "scope", "email"]))
    value = data.draw(_ANY)
    changed = {**payload, name: value}
    for reader in (read, read_refresh):
        try:
            found = reader(changed)
        except InvalidToken:
            continue
        assert type(found.exp) is type(found.iat) is type(found.auth_time) is int
        assert json.dumps([found.sub, found.jti])
