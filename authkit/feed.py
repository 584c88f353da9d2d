"""What one process knows of the change feed, and what belongs to a transaction still open.

Transactions commit out of the order of their ids, so a number that is skipped is remembered
and asked for again until nothing that it could say matters any more; so are all numbers below
the first row that a process ever saw.

What belongs to a transaction that is still open (our own rows, and how far we looked from
inside it) hangs from that transaction's `on_commit` list: Django clears that list when the
transaction or savepoint is rolled back, so nothing rolled back is ever believed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from uuid import UUID
from weakref import ref

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from authkit import conf, freshness
from authkit.kernel.gaps import Gaps
from authkit.models import Change

#: Two clocks of a deployment may differ by so much, in seconds.
CLOCK_LEEWAY = 60

_T = TypeVar("_T")
_Row = tuple[int, str, int]  # id, subject, until when it matters

#: What some transaction's `on_commit` list may hold. Mostly nothing, so nobody need look.
_of_open_transactions: set[ref[Announcement | _Look]] = set()


def _hold(entry: Announcement | _Look) -> None:
    """Know of an entry for as long as its transaction does."""
    _of_open_transactions.add(ref(entry, _of_open_transactions.discard))


class Announcement:
    """Our own change, in a transaction that has not been committed yet.

    Once it is, `learn` is given the sessions that have ended and until when that matters.
    """

    def __init__(self, ended: dict[UUID, int], learn: Callable[[dict[UUID, int]], None]) -> None:
        """Say nothing before the commit."""
        self.ended = ended
        self._learn = learn
        _hold(self)

    def __call__(self) -> None:
        """Take what is committed now."""
        self._learn(self.ended)


class _Look:
    """A look at the feed from inside a transaction, which may see an older snapshot."""

    def __init__(self, at: float, ended: dict[UUID, int]) -> None:
        self.at = at
        self.ended = ended
        _hold(self)

    def __call__(self) -> None:
        """Say nothing on commit: the next look outside finds the same rows."""


class Feed:
    """What one process knows of the feed."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start from nothing, as a new process does."""
        self._looked_at = float("-inf")
        self._heard_of = 0
        self._last: tuple[int, str] | None = None  # id and subject of the row we stand on
        self._first = (0, 0.0)  # the first id, and until when lower ones matter
        self._gaps = Gaps()
        self._ended: dict[int, int] = {}  # by number: a UUID is slow to hash

    def has_ended(self, session_id: UUID) -> bool:
        """Whether this session is known to have ended, here or in our own transaction."""
        if session_id.int in self._ended:
            return True
        if not _of_open_transactions:
            return False
        connection = connections[alias()]
        if not connection.in_atomic_block:
            return False
        own = _of_transaction(connection, Announcement)
        seen = _of_transaction(connection, _Look)
        return any(session_id in a.ended for a in own) or any(session_id in s.ended for s in seen)

    def learn(self, ended: dict[UUID, int]) -> None:
        """Take what was committed here, without waiting for the next look."""
        self._ended.update({session_id.int: until for session_id, until in ended.items()})

    def hear_of(self, latest_id: int | None) -> None:
        """Look again at the next occasion, if the feed is longer than we have ever heard of."""
        if latest_id is None or latest_id <= self._heard_of:
            return
        self._heard_of = latest_id
        if self._last is None or latest_id > self._last[0]:
            self._looked_at = float("-inf")

    def is_current(self, *, max_staleness: float) -> bool:
        """Whether the last look is recent enough; `max_staleness` in seconds."""
        return time.monotonic() - self._looked_at < max_staleness

    def look(self, *, max_staleness: float) -> None:
        """Read on, unless the last look is recent enough; `max_staleness` in seconds."""
        asked_at = time.monotonic()
        if asked_at - self._looked_at < max_staleness:
            return
        connection = connections[alias()]
        if connection.in_atomic_block and _sees_a_snapshot(connection):
            self._look_privately(connection, asked_at, max_staleness)
            return
        with self._lock:
            if asked_at - self._looked_at < max_staleness:  # another thread, while we waited
                return
            started_at = time.monotonic()
            self._read_on(connection)
            self._looked_at = started_at

    def _look_privately(
        self, connection: BaseDatabaseWrapper, asked_at: float, max_staleness: float
    ) -> None:
        looks = list(_of_transaction(connection, _Look))
        if looks and asked_at - looks[-1].at < max_staleness:
            return
        rows, _ = self._find(connection)
        ended = {UUID(subject): until for _, subject, until in rows}
        transaction.on_commit(_Look(asked_at, ended), using=connection.alias)

    def _read_on(self, connection: BaseDatabaseWrapper) -> None:
        now = time.time()
        rows, is_anew = self._find(connection)
        if is_anew:
            self._last = None
        own = {
            session_id
            for announcement in _of_transaction(connection, Announcement)
            for session_id in announcement.ended
        }
        self._take(rows, own, now)
        self._drop_what_is_over(now)

    def _find(self, connection: BaseDatabaseWrapper) -> tuple[list[_Row], bool]:
        """The rows to look at, and whether they are all that matter and not just new ones."""
        last = self._last
        if last is not None:
            rows = _ask(connection, *self._what_is_new(last[0]))
            if any(row[:2] == last for row in rows):
                return rows, False
        # We stand on no row, or it is gone: pruned, or the table was restored.
        return _ask(connection, "expires_at >= %s", [int(time.time()) - CLOCK_LEEWAY]), True

    def _what_is_new(self, last_id: int) -> tuple[str, list[int]]:
        begin, missing = self._gaps.to_ask_for(last_id)
        condition, parameters = "id >= %s", [begin]
        if missing:
            condition += f" OR id IN ({', '.join(['%s'] * len(missing))})"
            parameters += missing
        first_id, until = self._first
        if until >= time.time():
            condition += " OR (id < %s AND expires_at >= %s)"
            parameters += [first_id, int(time.time()) - CLOCK_LEEWAY]
        return condition, parameters

    def _take(self, rows: list[_Row], own: set[UUID], now: float) -> None:
        for number, subject, until in rows:
            session_id = UUID(subject)
            if session_id in own:
                continue
            self._ended[session_id.int] = until
            self._gaps.fill(number)
            if self._last is None:
                self._first = (number, _until_it_matters_no_more(now))
            elif number > self._last[0]:
                skipped = range(self._last[0] + 1, number)
                self._gaps.leave(skipped, until=_until_it_matters_no_more(now))
            if self._last is None or number > self._last[0]:
                self._last = (number, subject)

    def _drop_what_is_over(self, now: float) -> None:
        self._gaps.drop_over(now)
        if len(self._ended) > 1000 or self._last is None:
            for session_id, until in list(self._ended.items()):  # `learn` may add meanwhile
                if until < now:
                    self._ended.pop(session_id, None)


def _ask(connection: BaseDatabaseWrapper, condition: str, parameters: list[int]) -> list[_Row]:
    """Rows of the feed; on the way, how far the changes of access have come."""
    select = (
        f"SELECT id, subject, expires_at FROM authkit_change WHERE {condition}"  # noqa: S608
        " UNION ALL SELECT 0, '', number FROM authkit_accessrevision ORDER BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(select, parameters)
        rows = list(cursor.fetchall())
    has_revision = bool(rows) and rows[0][0] == 0
    freshness.hear_of(rows.pop(0)[2] if has_revision else 0)
    return rows


def _until_it_matters_no_more(now: float) -> float:
    """Until when a row that is being written now could say anything that matters."""
    return now + conf.get().access_token_lifetime.total_seconds() + 2 * CLOCK_LEEWAY


def _of_transaction(connection: BaseDatabaseWrapper, kind: type[_T]) -> Iterator[_T]:
    for entry in connection.run_on_commit:
        if isinstance(entry[1], kind):
            yield entry[1]


def _sees_a_snapshot(connection: BaseDatabaseWrapper) -> bool:
    """Whether a transaction here may see an older state than the one committed last."""
    if connection.vendor != "postgresql":
        return True
    level: Any = getattr(connection, "isolation_level", None)
    return getattr(level, "name", "READ_COMMITTED") != "READ_COMMITTED"


def alias() -> str:
    """The database that has the feed."""
    return router.db_for_write(Change)
