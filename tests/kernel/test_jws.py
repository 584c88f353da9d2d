"""Tokens are written one way and read back as they were."""

import base64
import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel import jwa, jws
from authkit.kernel.jwa import ALGORITHMS
from authkit.kernel.jws import InvalidToken
from tests.kernel.some_keys import ASYMMETRIC, forge, header_of, key, material, ring, signing

PAYLOAD = {"sub": "1", "exp": 2_000_000_000, "roles": ["a", {"b": None}], "name": "Zoë ☃"}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_what_was_signed_is_read_back(alg: str):
    token = jws.sign(PAYLOAD, signing(alg), typ="at+jwt")
    assert jws.verify(token, ring(), typ="at+jwt") == PAYLOAD
    assert jws.verify(token.encode(), ring(), typ="at+jwt") == PAYLOAD


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_same_payload_gives_the_same_token(alg: str):
    reordered = dict(reversed(PAYLOAD.items()))
    tokens = {jws.sign(payload, signing(alg), typ="at+jwt") for payload in (PAYLOAD, reordered)}
    assert len(tokens) == 1


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_header_names_algorithm_key_and_kind(alg: str):
    token = jws.sign(PAYLOAD, signing(alg), typ="rt+jwt")
    header = token.split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == header_of(alg, typ="rt+jwt")


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_another_library_verifies_our_tokens_with_the_published_key(alg: str):
    entry = key(alg).verifying.public
    assert entry is not None
    token = jws.sign(PAYLOAD, signing(alg), typ="at+jwt")
    public = pyjwt.PyJWK(dict(entry))
    assert pyjwt.decode(token, public, algorithms=[alg]) == PAYLOAD


@pytest.mark.parametrize("alg", ["HS256", "EdDSA", "RS256"])
def test_tokens_of_another_library_are_read(alg: str):
    from_pyjwt = pyjwt.encode(
        PAYLOAD, material(alg), algorithm=alg, headers=header_of(alg, typ="at+jwt")
    )
    assert jws.verify(from_pyjwt, ring(), typ="at+jwt") == PAYLOAD


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_another_key_of_the_same_algorithm_verifies_nothing(alg: str):
    other = key(alg, 2).verifying
    token = jws.sign(PAYLOAD, signing(alg), typ="at+jwt")
    with pytest.raises(InvalidToken, match="unknown kid"):
        jws.verify(token, {other.kid: other}, typ="at+jwt")
    with pytest.raises(InvalidToken, match="signature"):
        jws.verify(token, {key(alg).verifying.kid: other}, typ="at+jwt")


def test_a_token_that_nobody_would_read_is_not_written():
    with pytest.raises(ValueError, match="longer"):
        jws.sign({"sub": "x" * jws.MAX_LENGTH}, signing("HS256"), typ="at+jwt")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, object()])
def test_what_strict_json_does_not_have_is_not_written(value: object):
    with pytest.raises((ValueError, TypeError)):
        jws.sign({"claim": value}, signing("HS256"), typ="at+jwt")


@pytest.mark.parametrize(
    ("alg", "curve"),
    [("ES256", ec.SECP256R1()), ("ES384", ec.SECP384R1()), ("ES512", ec.SECP521R1())],
)
def test_the_orders_of_the_groups_are_right(alg: str, curve: ec.EllipticCurve):
    order = jwa._CURVES[alg][1]
    first = ec.derive_private_key(1, curve).public_key().public_numbers()
    last = ec.derive_private_key(order - 1, curve).public_key().public_numbers()
    assert first.x == last.x  # (n - 1)G is the mirror image of G
    assert first.y != last.y


_CLAIM = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _CLAIM, max_size=8))
def test_whatever_is_signed_is_read_back(payload: dict[str, object]):
    token = jws.sign(payload, signing("HS256"), typ="at+jwt")
    assert jws.verify(token, ring(), typ="at+jwt") == payload


def test_only_headers_of_genuine_tokens_are_known_again() -> None:
    checker = jws.Checker(ring(), typ="at+jwt")
    token = jws.sign(PAYLOAD, signing("HS256"), typ="at+jwt").encode()
    with pytest.raises(InvalidToken):
        checker.payload_of(token[:-4] + b"AAAA")
    assert not checker._genuine
    assert checker.payload_of(token) == checker.payload_of(token)
    assert list(checker._genuine) == [token.partition(b".")[0]]


def test_a_checker_knows_so_many_headers_and_no_more() -> None:
    checker = jws.Checker(ring(), typ="at+jwt")
    for number in range(100):
        header = header_of("HS256", jku=str(number))
        checker.payload_of(forge(header, PAYLOAD, signing("HS256")).encode())
    assert len(checker._genuine) == 64
