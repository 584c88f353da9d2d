"""Base64url without padding, and with one spelling only (RFC 4648 §5, RFC 7515 §2).

Most decoders take several spellings of the same octets: padded, with line breaks, with
``+`` and ``/``, or with left-over bits that are not zero. Each would be a second text of
a token that is already revoked, cached or counted; here they are refused.
"""

from __future__ import annotations

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"", b"==", b"=")

#: By length modulo 4: the last characters whose left-over bits are zero (RFC 4648 §3.5).
_LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


class NotCanonical(ValueError):
    """The text is not base64url, or not in its one canonical spelling."""


def encode(octets: bytes) -> bytes:
    """Write octets as base64url, unpadded."""
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=").translate(_TO_URL)


def decode(segment: bytes) -> bytes:
    """Read canonical, unpadded base64url.

    Raises:
        NotCanonical: anything that `encode` would have written differently.
    """
    over = len(segment) % 4
    if over and segment[-1] not in _LAST[over]:
        raise NotCanonical("length or left-over bits")
    try:
        padded = segment.translate(_FROM_URL) + _PADDING[over]
        return binascii.a2b_base64(padded, strict_mode=True)
    except binascii.Error:
        raise NotCanonical("alphabet") from None
