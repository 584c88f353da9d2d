"""Which change of access this process has heard of last.

Every look-up that stands before a request reads the number along, and so does each look
at the change feed. `access.policies` compares it with what it has compiled.

Who reads a number may lose its turn before it tells, or see an old snapshot: a lower number
than the highest is mostly old news. Or the database was restored, and there it is the
newest. So it brings doubt, and in doubt whoever decides asks (`asked`, `settle`).
"""

from __future__ import annotations

import os
import threading

from authkit.models.access_revision import database, pending_in


class _Heard:
    """What was heard. `number` alone is read without the lock; the others belong to it."""

    #: The highest one, or None: none was heard, or there is doubt.
    number: int | None = None
    highest = 0
    #: How often the above have changed.
    changes = 0


def hear_of(number: int | None) -> None:
    """Take what the database has just said (None where there is no such row yet)."""
    number = number or 0
    if number == _Heard.number:
        return
    if pending_in(database()) is not None:  # our own, which may be rolled back
        return
    with _lock:
        if number >= _Heard.highest:
            _take(number)
        elif _Heard.number is not None:
            _Heard.number = None
            _Heard.changes += 1


def heard() -> int | None:
    """The number heard last; None if none was ever heard, or if there is doubt."""
    return _Heard.number


def asked() -> int:
    """What to give to `settle`; to be called before the database is asked."""
    return _Heard.changes


def settle(number: int, *, since: int) -> None:
    """Take what the database said of its newest state, asked after `since`.

    Numbers are committed in their order. Where nothing else was heard since, a lower one
    can only be that of a database which was restored or emptied.
    """
    with _lock:
        if number >= _Heard.highest or since == _Heard.changes:
            _take(number)


def _take(number: int) -> None:
    if number != _Heard.number:
        _Heard.number = _Heard.highest = number
        _Heard.changes += 1


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another process's thread may hold the one before
    _lock = threading.Lock()


_lock = threading.Lock()
os.register_at_fork(after_in_child=_after_fork)
