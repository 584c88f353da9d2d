"""Keys of a ring, each prepared once for signing or checking tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from cryptography.exceptions import UnsupportedAlgorithm

from authkit.kernel import base64url, jwa, jwk, key_material
from authkit.kernel.key_material import KeyRefused

_KID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class VerifyingKey:
    """Checks signatures.

    Attributes:
        kid: its id, by which tokens name it.
        alg: the one algorithm that it is for.
        check: whether (signing input, signature) belong together.
        public: the entry for a JWK set; None for a secret, which is never published.
    """

    kid: str
    alg: str
    check: jwa.Check = field(repr=False)
    public: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """Signs; see `VerifyingKey` for the attributes."""

    kid: str
    alg: str
    sign: jwa.Sign = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """Both halves; `signing` is None when only the public half is known."""

    verifying: VerifyingKey
    signing: SigningKey | None


def prepare(alg: object, material: object, kid: object = None) -> Key:
    """Prepare a key for use.

    Args:
        alg: one of `jwa.ALGORITHMS`.
        material: a secret for HS256, HS384 and HS512, else a PEM private or public key;
            str or bytes.
        kid: its id. Without one it is the thumbprint of the public key (RFC 7638) or,
            for a secret, a fingerprint that does not reveal it.

    Raises:
        KeyRefused: the algorithm, the key or the id is not taken.
    """
    if not isinstance(alg, str) or alg not in jwa.ALGORITHMS:
        raise KeyRefused("the algorithm must be one of " + ", ".join(jwa.ALGORITHMS))
    if kid is not None and not is_kid(kid):
        raise KeyRefused("a kid is 1 to 128 letters, digits or any of . _ ~ -")
    if alg in jwa.HMAC:
        return _of_secret(alg, key_material.secret_for(alg, material), kid)
    return _of_pair(alg, *key_material.pair_for(alg, material), kid)


def is_kid(value: object) -> TypeGuard[str]:
    """Whether a value may be the id of a key at all."""
    return isinstance(value, str) and _KID.fullmatch(value) is not None


def fingerprint(secret: bytes) -> str:
    """Return an id for a secret, from which the secret does not follow."""
    mac = hmac.digest(secret, b"authkit kid v1", "sha256")
    return base64url.encode(mac[:16]).decode()


def _of_secret(alg: str, secret: bytes, kid: str | None) -> Key:
    sign, check = jwa.hmac_functions(alg, secret)
    kid = kid or fingerprint(secret)
    return Key(VerifyingKey(kid, alg, check), SigningKey(kid, alg, sign))


def _of_pair(
    alg: str, private: jwa.PrivateKey | None, public: jwa.PublicKey, kid: str | None
) -> Key:
    kid = kid or jwk.thumbprint(public)
    entry = jwk.published(public, alg=alg, kid=kid)
    verifying = VerifyingKey(kid, alg, jwa.checker(alg, public), entry)
    if private is None:
        return Key(verifying, None)
    return Key(verifying, SigningKey(kid, alg, _tried(alg, jwa.signer(alg, private))))


def _tried(alg: str, sign: jwa.Sign) -> jwa.Sign:
    try:
        sign(b"")
    except UnsupportedAlgorithm:
        raise KeyRefused(f"{alg} needs OpenSSL 3.2 or newer (for RFC 6979)") from None
    return sign
