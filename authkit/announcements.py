"""What belongs to a transaction that is still open: our own changes, and when it looked.

It hangs from that transaction's `on_commit` list. Django clears that list when the
transaction or savepoint is rolled back, so nothing rolled back is ever believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID
from weakref import ref

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from authkit import snapshots
from authkit.models.change import database

_T = TypeVar("_T")

#: Those that are not yet committed. Mostly none, so nobody need look for them.
open_ones: set[ref[Announcement]] = set()


class Announcement:
    """Our own change, in a transaction that has not been committed yet.

    Once it is, `learn` is given the sessions that have ended and until when that matters.
    """

    def __init__(self, ended: dict[UUID, int], learn: Callable[[dict[UUID, int]], None]) -> None:
        """Say nothing before the commit."""
        self.ended = ended
        self._learn = learn
        open_ones.add(ref(self, open_ones.discard))

    def await_commit(self) -> None:
        """Hang here, before all others: one that fails would keep those behind it from running."""
        alias = database()
        transaction.on_commit(self, using=alias)
        waiting = connections[alias].run_on_commit
        if waiting and waiting[-1][1] is self:
            waiting.insert(0, waiting.pop())

    def __call__(self) -> None:
        """Take what is committed now."""
        self._learn(self.ended)


class Look:
    """A look from inside a transaction that may see an old state: counts in there alone."""

    def __init__(self, at: float) -> None:
        """Remember when it was last; `at` is of the monotonic clock."""
        self.at = at

    def __call__(self) -> None:
        """Say nothing on commit: outside, somebody has to look anew."""


def ended_in(connection: BaseDatabaseWrapper) -> set[UUID]:
    """Sessions that the transaction open here has ended."""
    own = _hanging_in(connection, Announcement)
    return {session_id for announcement in own for session_id in announcement.ended}


def has_looked_in(connection: BaseDatabaseWrapper, at: float, *, max_staleness: float) -> bool:
    """Whether the transaction open here has looked, and recently enough."""
    look = next(_hanging_in(connection, Look), None)
    return look is not None and at - look.at < max_staleness


def looked_in(connection: BaseDatabaseWrapper, at: float) -> None:
    """Remember a look for as long as the transaction is open.

    Where a project ends transactions itself, nothing tells how long that is: each look asks.
    """
    if not connection.in_atomic_block or snapshots.is_by_hand(connection):
        return
    look = next(_hanging_in(connection, Look), None)
    if look is None:
        transaction.on_commit(Look(at), using=connection.alias)
    else:
        look.at = at


def _hanging_in(connection: BaseDatabaseWrapper, kind: type[_T]) -> Iterator[_T]:
    """What hangs from the transaction open here. Outside of any, nothing does.

    Without autocommit it hangs there until a rollback, or until autocommit is on again:
    till then its own thread knows of it, and others, after the commit, from their next look.
    """
    for entry in connection.run_on_commit:
        if isinstance(entry[1], kind):
            yield entry[1]
