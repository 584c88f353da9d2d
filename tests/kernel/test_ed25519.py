"""Two libraries check Ed25519, and what is genuine does not depend on which."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

from authkit.kernel import ed25519, jws, keys, libsodium
from authkit.kernel.key_material import KeyRefused
from tests.kernel import edwards
from tests.kernel.some_keys import PUBLIC_FORMAT, pem_of

MakeChecker = Callable[[Ed25519PublicKey], ed25519.Check]

BOTH: dict[str, MakeChecker] = {
    "OpenSSL": ed25519.checker_of_openssl,
    "libsodium": libsodium.checker,
}
with_both = pytest.mark.parametrize("checker", BOTH.values(), ids=BOTH)
_SEEDS = st.binary(min_size=32, max_size=32)
_MESSAGES = st.binary(max_size=600)


def vectors(name: str) -> list[Any]:
    file = Path(__file__).parent / "vectors" / f"{name}_ed25519.json"
    found: list[Any] = json.loads(file.read_text())["vectors"]
    return found


def public_of(octets: str | bytes) -> Ed25519PublicKey:
    raw = bytes.fromhex(octets) if isinstance(octets, str) else octets
    return Ed25519PublicKey.from_public_bytes(raw)


def private_of(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def answers(public: Ed25519PublicKey, message: bytes, signature: bytes) -> dict[str, bool]:
    return {name: checker(public)(message, signature) for name, checker in BOTH.items()}


NEITHER = dict.fromkeys(BOTH, False)
EACH = dict.fromkeys(BOTH, True)


# Which of them it is.


def test_where_pynacl_is_installed_libsodium_checks():
    """R of small order tells them apart. Only the holder of the key can make such a signature."""
    private = private_of(b"\1" * 32)
    signature = edwards.sign_with(edwards.NEUTRAL, private, b"message")
    found = answers(private.public_key(), b"message", signature)
    assert found == {"OpenSSL": True, "libsodium": False}
    prepared = keys.prepare("EdDSA", pem_of(private))
    assert prepared.signing is not None
    assert prepared.verifying.check(b"message", prepared.signing.sign(b"message"))
    assert not prepared.verifying.check(b"message", signature)


# What others have collected.


@with_both
@pytest.mark.parametrize("vector", vectors("wycheproof"), ids=lambda vector: str(vector[4]))
def test_the_vectors_of_wycheproof(checker: MakeChecker, vector: list[Any]):
    public, message, signature, is_valid, _ = vector
    check = checker(public_of(public))
    assert check(bytes.fromhex(message), bytes.fromhex(signature)) is is_valid


@with_both
def test_the_example_of_rfc_8037(checker: MakeChecker):
    text = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    check = checker(public_of(base64.urlsafe_b64decode(text)))
    token = (
        b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        b"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    message, _, signature = token.rpartition(b".")
    assert check(message, base64.urlsafe_b64decode(signature + b"=="))


#: By number: who takes it. See "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020).
_SPECCHECK = {
    0: {"OpenSSL"},  # a key and an R of small order
    1: {"OpenSSL"},  # a key of small order
    2: {"OpenSSL"},  # an R of small order
    3: {"OpenSSL", "libsodium"},  # a key and an R with a part of small order
    11: {"OpenSSL"},  # a key of small order, not in its canonical spelling
}
_KEYS_NOT_TAKEN = {0, 1, 10, 11}


@pytest.mark.parametrize("number", range(12))
def test_the_odd_signatures_of_speccheck(number: int):
    octets, message, signature = vectors("speccheck")[number]
    public = public_of(octets)
    found = answers(public, bytes.fromhex(message), bytes.fromhex(signature))
    assert {name for name, is_taken in found.items() if is_taken} == _SPECCHECK.get(number, set())
    assert ed25519.is_weak(public) is (number in _KEYS_NOT_TAKEN)


# What is made by the one is genuine for the other.


@given(_SEEDS, _MESSAGES)
def test_both_take_what_either_has_signed(seed: bytes, message: bytes):
    private = private_of(seed)
    _, secret = crypto_sign_seed_keypair(seed)
    signature = private.sign(message)
    assert crypto_sign(message, secret) == signature + message
    assert answers(private.public_key(), message, signature) == EACH


@given(_SEEDS, st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_token_is_genuine_for_both(seed: bytes, payload: dict[str, str]):
    prepared = keys.prepare("EdDSA", pem_of(private_of(seed)))
    assert prepared.signing is not None
    token = jws.sign(payload, prepared.signing, typ="at+jwt")
    for checker in BOTH.values():
        check = checker(private_of(seed).public_key())
        half = keys.VerifyingKey(prepared.verifying.kid, "EdDSA", check)
        assert jws.verify(token, {half.kid: half}, typ="at+jwt") == payload


# And nothing else is, for any of them.


@given(_SEEDS, st.binary(min_size=1, max_size=600), st.data())
def test_one_bit_more_or_less_is_refused(seed: bytes, message: bytes, data: st.DataObject):
    public, signature = private_of(seed).public_key(), private_of(seed).sign(message)
    wrong = bytearray(signature + message + public.public_bytes_raw())
    bit = data.draw(st.integers(0, len(wrong) * 8 - 1))
    wrong[bit // 8] ^= 1 << bit % 8
    signature, message, raw = bytes(wrong[:64]), bytes(wrong[64:-32]), bytes(wrong[-32:])
    assert answers(public_of(raw), message, signature) == NEITHER


@given(_SEEDS, _MESSAGES, st.binary(min_size=64, max_size=64))
def test_a_made_up_signature_is_refused(seed: bytes, message: bytes, signature: bytes):
    assert answers(private_of(seed).public_key(), message, signature) == NEITHER


@given(_SEEDS, _SEEDS, _MESSAGES)
def test_a_key_takes_nobody_elses_signature(seed: bytes, other: bytes, message: bytes):
    found = answers(private_of(seed).public_key(), message, private_of(other).sign(message))
    assert found == (EACH if seed == other else NEITHER)


@given(_SEEDS, _MESSAGES, st.integers(1, 15))
def test_no_second_spelling_of_a_signature_is_taken(seed: bytes, message: bytes, more: int):
    signature = private_of(seed).sign(message)
    twin = _with_s(signature, more * edwards.ORDER)
    assert answers(private_of(seed).public_key(), message, twin) == NEITHER


def _with_s(signature: bytes, more: int) -> bytes:
    s = int.from_bytes(signature[32:], "little") + more
    return signature[:32] + s.to_bytes(32, "little")


@given(_SEEDS, _MESSAGES)
def test_nor_by_a_libsodium_that_was_built_to_be_lax(seed: bytes, message: bytes):
    """Built with ED25519_COMPAT it takes S + L; this one takes whatever it is asked."""
    signature = private_of(seed).sign(message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libsodium, "crypto_sign_open", lambda signed, key: signed[64:])
        check = libsodium.checker(private_of(seed).public_key())
        assert check(message, signature)
        assert check(message, signature[:32] + (edwards.ORDER - 1).to_bytes(32, "little"))
        assert not check(message, signature[:32] + edwards.ORDER.to_bytes(32, "little"))
        assert not check(message, _with_s(signature, edwards.ORDER))


@with_both
@pytest.mark.parametrize("message", [b"header.payload", bytes(14), b"\xff" * 14])
def test_nothing_moves_from_the_message_into_the_signature_or_back(
    checker: MakeChecker, message: bytes
):
    """They are given to libsodium in one piece, and only one way to cut it is ours."""
    private = private_of(b"\2" * 32)
    check, piece = checker(private.public_key()), private.sign(message) + message
    for cut in range(len(piece) + 1):
        assert check(piece[cut:], piece[:cut]) is (cut == crypto_sign_BYTES)


@with_both
@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 128, 8192])
def test_a_signature_of_another_length_is_refused(checker: MakeChecker, length: int):
    private = private_of(b"\3" * 32)
    signature = private.sign(b"message")
    check = checker(private.public_key())
    assert not check(b"message", (signature * 128)[:length])
    assert not check(b"message", b"\0" * length)


@with_both
def test_a_fault_of_ours_is_no_wrong_signature(checker: MakeChecker):
    private = private_of(b"\4" * 32)
    check: Any = checker(private.public_key())
    with pytest.raises(TypeError):
        check("message", private.sign(b"message"))


@with_both
def test_threads_may_share_a_checker(checker: MakeChecker):
    private = private_of(b"\5" * 32)
    check = checker(private.public_key())
    signed = [(b"%d" % number, private.sign(b"%d" % number)) for number in range(64)]
    wrong = [(message + b"!", signature) for message, signature in signed]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: check(*pair), [*signed, *wrong] * 4))
    assert found == ([True] * 64 + [False] * 64) * 4


# Keys for which anybody can sign.


def test_there_are_eight_points_of_small_order():
    points = edwards.points_of_small_order()
    assert len(points) == 8
    assert {edwards.times(8, point) for point in points} == {edwards.NEUTRAL}


@pytest.mark.parametrize(
    "raw",
    sorted(set().union(*map(edwards.spellings_of, edwards.points_of_small_order()))),
    ids=bytes.hex,
)
def test_a_key_of_small_order_is_refused(raw: bytes):
    with pytest.raises(KeyRefused, match="anybody could sign"):
        keys.prepare("EdDSA", _pem(raw))


def test_why_a_key_of_small_order_is_refused():
    neutral = public_of(edwards.octets_of(edwards.NEUTRAL))
    made_up = edwards.octets_of(edwards.NEUTRAL) + bytes(32)
    assert answers(neutral, b"whatever", made_up) == {"OpenSSL": True, "libsodium": False}


@pytest.mark.parametrize("more", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_has_one_spelling(more: int, sign: int):
    raw = (edwards.PRIME + more | sign << 255).to_bytes(32, "little")
    with pytest.raises(KeyRefused):
        keys.prepare("EdDSA", _pem(raw))


@given(_SEEDS)
def test_keys_that_were_drawn_are_taken(seed: bytes):
    public = private_of(seed).public_key()
    assert keys.prepare("EdDSA", _pem(public.public_bytes_raw())).signing is None


def _pem(raw: bytes) -> str:
    return public_of(raw).public_bytes(Encoding.PEM, PUBLIC_FORMAT).decode()
