"""UUIDs (RFC 9562) of texts that somebody has looked at already."""

from __future__ import annotations

from typing import Any
from uuid import UUID, SafeUUID

_UUID: Any = UUID
_new = object.__new__
# A UUID refuses to be changed; its slots can be filled all the same, without a name looked up.
_set_int, _set_is_safe = _UUID.int.__set__, _UUID.is_safe.__set__
_UNKNOWN = SafeUUID.unknown


def uuid_of(canonical: str) -> UUID:
    """The UUID that a text of 32 hexadecimal digits is, with or without its four dashes.

    As ``UUID(canonical)``, without weighing in which of six ways it was called and whether
    the text is one: that takes most of its time, before every request with a new token. Who
    calls has seen that it is one: ``int`` also takes signs, blanks and underscores.
    """
    made = _new(UUID)
    _set_int(made, int(canonical.replace("-", ""), 16))
    _set_is_safe(made, _UNKNOWN)
    return made
