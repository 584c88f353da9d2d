"""ECDSA is checked as cryptography checks it, with less on the way."""

from __future__ import annotations

from functools import lru_cache

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from authkit.kernel import jwa

_HOW: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm, int]] = {
    "ES256": (ec.SECP256R1(), hashes.SHA256(), 32),
    "ES384": (ec.SECP384R1(), hashes.SHA384(), 48),
    "ES512": (ec.SECP521R1(), hashes.SHA512(), 66),
}
_ALGORITHMS = st.sampled_from(sorted(_HOW))


@lru_cache
def private_of(alg: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_HOW[alg][0])


def cryptography_takes(alg: str, message: bytes, signature: bytes) -> bool:
    """By way of numbers and of the message itself, with a small S in its full length."""
    _, hashing, size = _HOW[alg]
    r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    if len(signature) != 2 * size or s > jwa._CURVES[alg][1] // 2:
        return False
    try:
        public = private_of(alg).public_key()
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashing))
    except InvalidSignature:
        return False
    return True


@st.composite
def numbers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two numbers of one length, often with zeros in front."""
    size = draw(st.sampled_from([32, 48, 66]))
    short = st.binary(max_size=size).map(lambda octets: octets.rjust(size, b"\0"))
    return draw(short), draw(short)


@given(numbers())
@example((bytes(32), bytes(32)))
@example((b"\xff" * 32, b"\xff" * 32))
@example((b"\x7f" * 32, b"\x80" * 32))
@example((b"\0" * 31 + b"\x80", b"\0" * 31 + b"\x7f"))
@example((b"\0" + b"\xff" * 31, b"\0" + b"\x7f" * 31))
@example((b"\xff" * 66, b"\xff" * 66))
@example((b"\x01" + b"\xff" * 65, b"\x01" + b"\xff" * 65))
@example((b"\0" * 5 + b"\x01" * 61, b"\0" * 4 + b"\x01" * 62))  # 127 octets
@example((b"\0" * 4 + b"\x01" * 62, b"\0" * 4 + b"\x01" * 62))  # 128, in the longer form
def test_numbers_are_written_in_der_as_cryptography_writes_them(pair: tuple[bytes, bytes]):
    r, s = pair
    expected = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    assert jwa._in_der(r, s) == expected


@given(_ALGORITHMS, st.binary(max_size=600))
def test_what_we_sign_is_genuine_for_both(alg: str, message: bytes):
    signature = jwa.signer(alg, private_of(alg))(message)
    assert cryptography_takes(alg, message, signature)
    assert jwa.checker(alg, private_of(alg).public_key())(message, signature)


@given(_ALGORITHMS, st.binary(min_size=1, max_size=600), st.data())
def test_one_bit_more_or_less_is_refused(alg: str, message: bytes, data: st.DataObject):
    signature = jwa.signer(alg, private_of(alg))(message)
    wrong = bytearray(signature + message)
    bit = data.draw(st.integers(0, len(wrong) * 8 - 1))
    wrong[bit // 8] ^= 1 << bit % 8
    split = len(signature)
    check = jwa.checker(alg, private_of(alg).public_key())
    assert not check(bytes(wrong[split:]), bytes(wrong[:split]))
    assert not cryptography_takes(alg, bytes(wrong[split:]), bytes(wrong[:split]))


@given(_ALGORITHMS, st.binary(max_size=100), st.binary(max_size=140))
def test_a_made_up_signature_is_refused(alg: str, message: bytes, signature: bytes):
    check = jwa.checker(alg, private_of(alg).public_key())
    full = signature.ljust(2 * _HOW[alg][2], b"\0")
    for made_up in (signature, full):
        assert check(message, made_up) is cryptography_takes(alg, message, made_up) is False


@pytest.mark.parametrize("alg", sorted(_HOW))
def test_the_half_of_the_order_is_the_last_s_that_is_taken(alg: str):
    """Nobody can make a signature with an S near the border: here is a key that takes any."""
    size, order = _HOW[alg][2], jwa._CURVES[alg][1]
    asked: list[bytes] = []

    class Lenient:
        def verify(self, signature: bytes, *_: object) -> None:
            asked.append(signature)

    check = jwa._ecdsa_checker(alg, Lenient())  # type: ignore[arg-type]
    for s, is_taken in ((1, True), (order // 2, True), (order // 2 + 1, False), (order, False)):
        assert check(b"", bytes(size) + s.to_bytes(size, "big")) is is_taken
    assert asked == [encode_dss_signature(0, s) for s in (1, order // 2)]
    assert not check(b"", bytes(size * 2 - 1))
    assert not check(b"", bytes(size * 2 + 1))
