"""From what a project configures (a secret, a PEM text) to a key that is safe to use.

Refused here, once, so that no request ever meets it: a weak key, a key of another kind
than its algorithm, and a public key's text used as an HMAC secret, which would let
anyone who knows the public key sign (RFC 8725 §2.1 and §3.5, RFC 7518 §3.2 and §3.3).
"""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from authkit.kernel import ed25519, strict_json
from authkit.kernel.jwa import HMAC, MIN_RSA_BITS, PrivateKey, PublicKey, fits

_ASYMMETRIC_TEXT = re.compile(rb"-----BEGIN |^\s*(ssh-|ecdsa-|sk-ssh-|sk-ecdsa-)")


class KeyRefused(ValueError):
    """A key is not taken; the text says why, and never shows the key."""


def secret_for(alg: str, material: object) -> bytes:
    """Take an HMAC secret.

    Raises:
        KeyRefused: shorter than the hash, or the text of an asymmetric key or JWK.
    """
    secret = _octets(material)
    if _is_key_text(secret):
        raise KeyRefused(f"{alg} takes a random secret, not the text of another kind of key")
    least = HMAC[alg][1]
    if len(secret) < least:
        raise KeyRefused(f"the secret of {alg} needs at least {least} octets")
    return secret


def pair_for(alg: str, material: object) -> tuple[PrivateKey | None, PublicKey]:
    """Take a PEM text: a private key, or a public key that can only verify.

    Raises:
        KeyRefused: no PEM key, an encrypted one, too weak, or of another kind.
    """
    private, public = _loaded(_octets(material))
    if not fits(alg, public):
        raise KeyRefused(f"the key is of another kind than {alg} takes")
    if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        raise KeyRefused(f"an RSA key needs at least {MIN_RSA_BITS} bits")
    if isinstance(public, Ed25519PublicKey) and ed25519.is_weak(public):
        raise KeyRefused("the key is one for which anybody could sign")
    return private, public  # type: ignore[return-value]  # `fits` has looked


def _octets(material: object) -> bytes:
    if isinstance(material, bytes):
        return material
    if not isinstance(material, str):
        raise KeyRefused("a key is a text")
    try:
        return material.encode()
    except UnicodeEncodeError:
        raise KeyRefused("a key is Unicode text") from None


def _is_key_text(secret: bytes) -> bool:
    return bool(_ASYMMETRIC_TEXT.search(secret)) or _is_jwk(secret) or _is_der(secret)


def _is_jwk(secret: bytes) -> bool:
    try:
        value = strict_json.read(secret)
    except strict_json.MalformedJson:
        return False
    return "kty" in value or "keys" in value


def _is_der(secret: bytes) -> bool:
    try:
        load_der_public_key(secret)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _loaded(pem: bytes) -> tuple[object, object]:
    try:
        if b"PRIVATE KEY-----" not in pem:
            return None, load_pem_public_key(pem)
        private = load_pem_private_key(pem, password=None)
    except TypeError:
        raise KeyRefused("the private key is encrypted; give it unencrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("the key is not a PEM private or public key") from None
    return private, private.public_key()
