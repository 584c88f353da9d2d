"""SHA-256 (FIPS 180-4), begun once.

``hashlib.sha256()`` asks OpenSSL for the algorithm by its name on each call, which in the
middle of a request costs more than digesting a token does. A copy of a digest that was
begun once does not ask.
"""

from __future__ import annotations

import hashlib

_begun = hashlib.sha256()


def sha256(octets: bytes) -> bytes:
    """The digest of some octets, in 32 octets."""
    digest = _begun.copy()
    digest.update(octets)
    return digest.digest()
