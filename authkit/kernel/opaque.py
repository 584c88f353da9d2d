"""Opaque bearer tokens: ``ak_`` + public id + secret + checksum.

Only the digest of a token is ever stored. The public id finds the row, the secret
proves possession, and the checksum tells a typing error or a made-up token from a
real one without asking the database (the format that secret scanners look for).

Sources: RFC 6750; OWASP ASVS 5.0 §7.2.3 and §11.5.1 (at least 128 bits of entropy).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import crc32

from authkit.kernel.digest import sha256

RandomBytes = Callable[[int], bytes]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, in lower case
_TO_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # as int() has them
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_ID_LENGTH = 16  # 80 bits: found by it, not protected by it
_SECRET_LENGTH = 40  # 200 bits
_CHECKSUM_LENGTH = 7  # 35 bits hold a CRC-32
_BODY_LENGTH = _ID_LENGTH + _SECRET_LENGTH + _CHECKSUM_LENGTH
_OCTETS = _ALPHABET.encode()
MAX_LENGTH = 128


class MalformedToken(ValueError):
    """The text is not one of our tokens; no database needs to be asked."""


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token just made. `text` is shown to its owner once and kept nowhere."""

    id: str
    digest: bytes
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """A well-formed token: where to look, and what the row's digest must equal."""

    id: str
    digest: bytes = field(repr=False)


def mint(prefix: str, *, random: RandomBytes) -> OpaqueToken:
    """Make a new token; `random(n)` returns n unpredictable bytes (`secrets.token_bytes`)."""
    identifier = _base32(random(10), _ID_LENGTH)
    secret = _base32(random(25), _SECRET_LENGTH)
    unchecked = f"{prefix}{identifier}{secret}"
    text = unchecked + _checksum(unchecked)
    return OpaqueToken(id=identifier, digest=digest_of(text), text=text)


def parse(text: str, prefix: str) -> ParsedToken:
    """Take a token apart.

    Raises:
        MalformedToken: wrong prefix, length, alphabet or checksum.
    """
    start = len(prefix)
    if len(text) != start + _BODY_LENGTH or not text.startswith(prefix):
        raise MalformedToken("prefix or length")
    octets = text.encode(errors="replace")
    if octets[start:].translate(None, _OCTETS):
        raise MalformedToken("alphabet")
    if int(text[-_CHECKSUM_LENGTH:].translate(_TO_DIGITS), 32) != crc32(octets[:-_CHECKSUM_LENGTH]):
        raise MalformedToken("checksum")
    return ParsedToken(text[start : start + _ID_LENGTH], sha256(octets))


def digest_of(text: str) -> bytes:
    """SHA-256 of a token: enough for a random secret (a slow hash is for passwords)."""
    return sha256(text.encode())


def is_same(digest: bytes, other: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(digest, other)


def _checksum(text: str) -> str:
    return _base32(_crc(text).to_bytes(4, "big"), _CHECKSUM_LENGTH)


def _crc(text: str) -> int:
    return crc32(text.encode())


def _base32(octets: bytes, length: int) -> str:
    number = int.from_bytes(octets, "big")
    pairs = [_PAIRS[(number >> place) & 1023] for place in range((length - 1) // 2 * 10, -1, -10)]
    return "".join(pairs)[-length:]
