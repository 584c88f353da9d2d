"""Public keys as JSON Web Keys, and their thumbprints (RFC 7517, RFC 7638, RFC 8037)."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from authkit.kernel import base64url, strict_json
from authkit.kernel.jwa import PublicKey

_CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def members(public: PublicKey) -> dict[str, str]:
    """Return the members that make up the key, and no others (RFC 7638 §3.2)."""
    if isinstance(public, RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    if isinstance(public, EllipticCurvePublicKey):
        return _of_curve(public)
    return {"kty": "OKP", "crv": "Ed25519", "x": _text(public.public_bytes_raw())}


def thumbprint(public: PublicKey) -> str:
    """SHA-256 thumbprint of a public key: an id that follows from the key alone."""
    return _text(hashlib.sha256(strict_json.write(members(public))).digest())


def published(public: PublicKey, *, alg: str, kid: str) -> dict[str, str]:
    """One entry of a JWK set: the public key, what it is for, and its id."""
    return {**members(public), "use": "sig", "alg": alg, "kid": kid}


def _of_curve(public: EllipticCurvePublicKey) -> dict[str, str]:
    size = (public.curve.key_size + 7) // 8
    point = public.public_numbers()
    return {
        "kty": "EC",
        "crv": _CURVE_NAMES[public.curve.name],
        "x": _text(point.x.to_bytes(size, "big")),
        "y": _text(point.y.to_bytes(size, "big")),
    }


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(octets: bytes) -> str:
    return base64url.encode(octets).decode()
