"""ID tokens (OpenID Connect Core 1.0 §3.1.3.7): whose they are, for whom, from whom, until when.

The algorithm is one that signs with a private key, and one for which the provider's own
key is meant: a token that says ``none`` or names an HMAC, or that brings its own key, is
refused whatever it is signed with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

_KINDS_OF_KEY = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
_CLAIMS = ["iss", "sub", "aud", "exp", "iat"]
_LEEWAY = 10  # seconds by which two clocks may differ
_MIN_RSA_BITS = 2048  # RFC 7518 §3.3
_MAX_LENGTH = 32 * 1024

Key = dict[str, Any]
KeysFor = Callable[[object], list[Key]]


def read(token: str, keys_for: KeysFor, *, issuer: str, client_id: str) -> tuple[Key, Key]:
    """The claims of a genuine ID token, and the key that signed it, with its `alg`.

    Args:
        token: the compact form.
        keys_for: the provider's keys, given the key id that the token names.
        issuer: who must have issued it.
        client_id: for whom.

    Raises:
        jwt.PyJWTError: it is not genuine, not for us, or not now.
    """
    if len(token) > _MAX_LENGTH:
        raise jwt.DecodeError("too long")
    header = jwt.get_unverified_header(token)
    alg = header.get("alg")
    if alg not in ALGORITHMS or "crit" in header:
        raise jwt.InvalidAlgorithmError("not an algorithm of private keys")
    for key in keys_for(header.get("kid")):
        if not _may_have_signed(key, alg, header.get("kid")):
            continue
        try:
            claims = _decoded(token, key, alg, issuer, client_id)
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            continue
        return claims, {**key, "alg": alg}
    raise jwt.InvalidSignatureError("no key of the provider has signed it")


def _may_have_signed(key: Key, alg: str, kid: object) -> bool:
    return (
        key.get("kty") == _KINDS_OF_KEY[alg[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and (kid is None or key.get("kid") == kid)
    )


def _decoded(token: str, key: Key, alg: str, issuer: str, client_id: str) -> dict[str, Any]:
    try:
        prepared = jwt.PyJWK(key, algorithm=alg).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise jwt.InvalidKeyError("the provider publishes a key that is none") from error
    if getattr(prepared, "key_size", _MIN_RSA_BITS) < _MIN_RSA_BITS and alg[:2] in {"RS", "PS"}:
        raise jwt.InvalidKeyError("the provider's key is too short")
    claims: dict[str, Any] = jwt.decode(
        token,
        prepared,
        algorithms=[alg],
        audience=client_id,
        issuer=issuer,
        leeway=_LEEWAY,
        options={"require": _CLAIMS},
    )
    return claims
