"""Which change of access this process has heard of last.

Every look-up that stands before a request reads the number along, and so does each look
at the change feed. `access.policies` compares it with what it has compiled.
"""

from __future__ import annotations


class _Heard:
    """The number, None until one was heard. Written and read whole, so it needs no lock."""

    number: int | None = None


def hear_of(number: int | None) -> None:
    """Take what the database has just said (None where there is no such row yet)."""
    _Heard.number = number or 0


def heard() -> int | None:
    """The number heard last; None if none was ever heard."""
    return _Heard.number
