"""Checks Ed25519 signatures (RFC 8032 §5.1.7, RFC 8037 §3.1) by the faster of two libraries.

OpenSSL, by way of cryptography, is always there. libsodium needs half its time, and is taken
where PyNaCl is installed. Which one it is changes nothing that anybody could rely on, so
nobody is asked to choose, and nobody but this file knows that there are two.

A signature that was made as the standard says is genuine for both. They differ about some that
only whoever holds the private key can make (R of small order), and about keys of small
order, for which anybody can sign: libsodium takes neither. Such keys are not taken at all
(`is_weak`), so no stranger's token is valid on one machine and refused on another.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Check = Callable[[bytes, bytes], bool]

_PRIME = 2**255 - 19
_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
#: The y of all points of order 1, 2, 4 and 8 (RFC 7748 §4.1: the cofactor is 8).
_SMALL = frozenset({0, 1, _PRIME - 1, _OF_ORDER_8, _PRIME - _OF_ORDER_8})


def is_weak(public: Ed25519PublicKey) -> bool:
    """Whether anybody could sign for a key, or it is written in another than the one way."""
    y = int.from_bytes(public.public_bytes_raw(), "little") % 2**255  # the top bit is of x
    return y >= _PRIME or y in _SMALL


def checker_of_openssl(public: Ed25519PublicKey) -> Check:
    """Return the function that tells whether (message, signature) belong together."""
    verify = public.verify

    def check(message: bytes, signature: bytes) -> bool:
        try:
            verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return check


try:
    from authkit.kernel import libsodium
except ImportError:
    checker = checker_of_openssl
else:
    checker = libsodium.checker
