"""Checks Ed25519 signatures with libsodium, by way of PyNaCl (the extra ``[eddsa]``).

Signing stays with OpenSSL: libsodium would save 12 µs of a sign-in that takes milliseconds,
and would want the private key as octets in Python's memory for it.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

#: The order of the group, as S is written in a signature, but with the last octet first.
_ORDER = (2**252 + 0x14DEF9DEA2F79CD65812631A5CF5D3ED).to_bytes(32, "big")


def checker(public: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    """Return the function that tells whether (message, signature) belong together."""
    key = public.public_bytes_raw()  # 32 octets, which libsodium does not count

    def check(message: bytes, signature: bytes) -> bool:
        # libsodium is given both as one text and cuts it after 64 octets: with a signature
        # of another length it would judge another message than ours.
        if len(signature) != crypto_sign_BYTES:
            return False
        # S and S + L are two spellings of one signature (RFC 8032 §8.4). libsodium takes one,
        # unless it was built to be as lax as its first versions.
        if signature[:31:-1] >= _ORDER:
            return False
        try:
            crypto_sign_open(signature + message, key)
        except BadSignatureError:
            return False
        return True

    return check
