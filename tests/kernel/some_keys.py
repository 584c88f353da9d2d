"""Keys of every algorithm, and a forger who writes tokens as he likes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from authkit.kernel import base64url
from authkit.kernel.jwa import ALGORITHMS, HMAC
from authkit.kernel.keys import Key, SigningKey, VerifyingKey, prepare

_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
ASYMMETRIC = [alg for alg in ALGORITHMS if alg not in HMAC]
_PEM, _PKCS8 = Encoding.PEM, PrivateFormat.PKCS8
PUBLIC_FORMAT = PublicFormat.SubjectPublicKeyInfo


def material(alg: str, number: int = 1) -> str:
    """A secret or a private key in PEM, the same each time for the same number."""
    return _material(alg, number)


@lru_cache
def _material(alg: str, number: int) -> str:
    if alg in HMAC:
        return f"secret number {number} of the tests for {alg}, " * 3
    if alg == "EdDSA":
        return pem_of(ed25519.Ed25519PrivateKey.generate())
    if alg in _CURVES:
        return pem_of(ec.generate_private_key(_CURVES[alg]))
    return pem_of(rsa.generate_private_key(65537, 2048))


def pem_of(private: Any) -> str:
    return str(private.private_bytes(_PEM, _PKCS8, NoEncryption()).decode())


def public_pem(private_pem: str) -> str:
    public = load_pem_private_key(private_pem.encode(), None).public_key()
    return public.public_bytes(_PEM, PUBLIC_FORMAT).decode()


def key(alg: str, number: int = 1) -> Key:
    return _key(alg, number)


@lru_cache
def _key(alg: str, number: int) -> Key:
    return prepare(alg, material(alg, number))


def signing(alg: str, number: int = 1) -> SigningKey:
    half = key(alg, number).signing
    assert half is not None
    return half


def ring(*algs: str) -> dict[str, VerifyingKey]:
    halves = [key(alg).verifying for alg in algs or ALGORITHMS]
    return {half.kid: half for half in halves}


def header_of(alg: str, /, **changed: Any) -> dict[str, Any]:
    return {"alg": alg, "kid": key(alg).verifying.kid, "typ": "at+jwt", **changed}


def forge(header: object, payload: object, by: SigningKey) -> str:
    """A token with a genuine signature over whatever stands in front of it."""
    parts = [part if isinstance(part, bytes) else segment(part) for part in (header, payload)]
    signing_input = b".".join(parts)
    return (signing_input + b"." + base64url.encode(by.sign(signing_input))).decode()


def segment(value: object) -> bytes:
    return text_segment(json.dumps(value, separators=(",", ":")))


def text_segment(text: str) -> bytes:
    return base64url.encode(text.encode())
