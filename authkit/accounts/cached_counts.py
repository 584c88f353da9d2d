"""Counts in the cache that all processes of a site share (THROTTLE_CACHE).

They may be gone at any moment, and then begin again. So none of them opens anything by
itself: whoever gets no number from here, for whatever reason, counts in the database.

A count is one key, for one window of time. Windows are fixed, so that no count is asked
while the cache is about to forget it, and one that the cache does not forget is asked no
more. Keys are digests (`tally.Counted`); CACHES puts its prefix and version in front.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.cache import BaseCache, caches

from authkit import conf
from authkit.kernel.limits import Limit, Window
from authkit.models import Throttle

#: For so many seconds a process does not ask again after the cache has failed it.
PAUSE = 5

_CLOCKS_DIFFER_BY = timedelta(minutes=1)

_logger = logging.getLogger("authkit")


def is_wanted() -> bool:
    """Whether the project has named a cache."""
    return conf.get().throttle_cache is not None


def window_of(digest: str, limit: Limit, now: datetime) -> Window:
    """The window in which this is counted now."""
    return limit.window_at(now, seed=int(digest, 16))


def add(digest: str, cost: int, window: Window, *, now: datetime) -> int | None:
    """Count `cost` more; how much that makes in this window. None: it was not counted."""
    if _rest.is_on():
        return None
    kept_for = math.ceil((window.ends_at - now + _CLOCKS_DIFFER_BY).total_seconds())
    try:
        cache = caches[conf.get().throttle_cache]
        return _add(cache, _key(digest, window), cost, kept_for) if is_exact(cache) else None
    except Exception:
        _logger.exception("The cache cannot count what is limited; the database does.")
        _rest.begin()
        return None


def forget(rows: Iterable[Throttle], *, now: datetime) -> None:
    """Begin anew with what these rows are about, as far as the cache can be reached."""
    limits = conf.get().limits
    bounds = [(row.digest, getattr(limits, row.scope, None)) for row in rows]
    keys = [_key(digest, window_of(digest, limit, now)) for digest, limit in bounds if limit]
    if not keys or not is_wanted():
        return
    try:
        caches[conf.get().throttle_cache].delete_many(keys)
    except Exception:
        _logger.exception("The cache cannot be told of an unlocking; it may hold until its end.")


def is_exact(cache: BaseCache) -> bool:
    """Whether it adds in one step. Django's own way, which some inherit, reads and then writes."""
    return type(cache).incr is not BaseCache.incr


def wake() -> None:
    """Ask the cache again at once, like a process that has just started."""
    _rest.end()


def _add(cache: BaseCache, key: str, cost: int, kept_for: int) -> int | None:
    cache.add(key, 0, kept_for)
    try:
        count = cache.incr(key, cost)
    except ValueError:  # gone again already
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < cost:
        return None
    # The first: had the key gone just before, Redis would have made one that stays for ever.
    if count == cost and not cache.touch(key, kept_for):
        return None
    return count


def _key(digest: str, window: Window) -> str:
    return f"authkit.throttle.{digest}.{window.number}"


class _Rest:
    """After a failure this process leaves the cache alone: not each request waits for it."""

    def __init__(self) -> None:
        self._until = -math.inf

    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def begin(self) -> None:
        self._until = time.monotonic() + PAUSE

    def end(self) -> None:
        self._until = -math.inf


_rest = _Rest()
