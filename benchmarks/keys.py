"""Keys of every algorithm, made anew for each run."""

import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True)
class KeyPair:
    """What signs and what verifies, as text; for HS256 they are the same secret."""

    private: str
    public: str


def _pair(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> KeyPair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private.decode(), public.decode())


_secret = secrets.token_urlsafe(32)
MATERIAL = {
    "HS256": KeyPair(_secret, _secret),
    "EdDSA": _pair(ed25519.Ed25519PrivateKey.generate()),
    "ES256": _pair(ec.generate_private_key(ec.SECP256R1())),
    "RS256": _pair(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
}
