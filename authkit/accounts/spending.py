"""Count what costs each time it is tried: in the database, or in a shared cache.

With THROTTLE_CACHE, an attempt that may be made reads the row of what it is about and adds
to a number in the cache; it writes no row. The one that is refused begins the lock-out,
which is a row of the database as ever: seen in the admin site, lifted there, and a refusal
whatever the cache says. So a cache that is flushed begins a new window at most.

Whenever the cache does not answer, or answers nonsense, the database counts in the same
request. What it has counted is added to what the cache says when that is back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from authkit.accounts import cached_counts, lockouts, tally
from authkit.accounts.kept import Kept
from authkit.accounts.tally import Counted
from authkit.exceptions import TooManyAttempts
from authkit.kernel.client import Client
from authkit.kernel.limits import Window

_T = TypeVar("_T")


def spend(counted: Counted, cost: int, *, client: Client, now: datetime) -> None:
    """Count it, or refuse.

    Raises:
        TooManyAttempts: the limit was reached; nothing more is counted.
        django.db.Error: it cannot be counted, so the caller must refuse.
    """
    attempt = _Attempt(counted, cost, client, now)
    if cached_counts.is_wanted() and attempt.is_counted_in_cache():
        return
    attempt.count_in_database()
    tally.clean_up_sometimes(now)


class _Attempt:
    """One attempt of which nothing is known yet but what it costs."""

    def __init__(self, counted: Counted, cost: int, client: Client, now: datetime) -> None:
        self.counted = counted
        self.cost = cost
        self.client = client
        self.now = now

    def count_in_database(self) -> None:
        """Count it in its row, locked meanwhile."""
        limit, now = self.counted.limit, self.now

        def count() -> TooManyAttempts | None:
            with tally.locked([self.counted], now) as rows:
                row = rows[self.counted.digest]
                refusal = tally.refusal_of(row, limit, now)
                if refusal is None:
                    row.failed += self.cost
                elif row.locked_at is None:
                    row.locked_at = now
                    lockouts.tell_began(row, client=self.client)
            return refusal

        refusal = self._do(count)
        if refusal is not None:
            raise refusal

    def is_counted_in_cache(self) -> bool:
        """Count it in the cache, if that can be; whether it is done.

        Raises:
            TooManyAttempts: the limit was reached, in the cache or before it was asked.
        """
        row = tally.stored(self.counted)
        is_over = row is None or row.is_over(now=self.now)
        if row is not None and row.locked_at is not None:
            if is_over:
                return False  # the database tells of the end of the lock-out
            raise tally.too_many(row, self.now)
        noted = 0 if row is None or is_over else row.failed
        window = cached_counts.window_of(self.counted.digest, self.counted.limit, self.now)
        added = cached_counts.add(self.counted.digest, self.cost, window, now=self.now)
        if added is None:
            return False
        if noted + added - self.cost >= self.counted.limit.count:
            self._lock_out(window)
        return True

    def _lock_out(self, window: Window) -> None:
        def begin() -> TooManyAttempts:
            with tally.locked([self.counted], self.now) as rows:
                row = rows[self.counted.digest]
                if row.locked_at is None:
                    ends = (window.ends_at, row.ends_at) if row.failed else (window.ends_at,)
                    row.failed = max(row.failed, self.counted.limit.count)
                    row.locked_at, row.ends_at = self.now, max(ends)
                    lockouts.tell_began(row, client=self.client)
            return tally.too_many(row, self.now)

        raise self._do(begin)

    def _do(self, work: Callable[[], _T]) -> _T:
        found = tally.again(work)
        Kept(lambda: tally.again(work)).keep()
        return found
