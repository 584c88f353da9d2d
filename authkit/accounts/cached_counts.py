"""Counts in the cache that all processes of a site share (THROTTLE_CACHE).

They may be gone at any moment. So none of them opens anything by itself: whoever gets no
number from here, for whatever reason, counts in the database. One reason is that a count
which this process has met begins once more: a cache that keeps forgetting is no way round.

A count is one key, for one window of time. Windows are fixed, so that no count is asked
while the cache is about to forget it, and one that the cache does not forget is asked no
more. Keys are digests (`tally.Counted`); CACHES puts its prefix and version in front.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.cache import BaseCache, caches

from authkit import conf
from authkit.kernel.limits import Limit, Window
from authkit.models import Throttle

#: For so many seconds a process does not ask again after the cache has failed it.
PAUSE = 5

_CLOCKS_DIFFER_BY = timedelta(minutes=1)
_MANY_COUNTS = 10_000

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
        cache = _cache()
        return None if cache is None else _add(cache, _key(digest, window), cost, kept_for)
    except Exception:
        _logger.exception("The cache cannot count what is limited; the database does.")
        _rest.begin()
        return None


def forget(rows: Iterable[Throttle], *, now: datetime) -> None:
    """Begin anew with what these rows are about, as far as the cache can be reached."""
    limits = conf.get().limits
    bounds = [(row.digest, getattr(limits, row.scope, None)) for row in rows]
    keys = [_key(digest, window_of(digest, limit, now)) for digest, limit in bounds if limit]
    _met.discard(keys)
    try:
        cache = _cache() if keys else None
        if cache is not None:
            cache.delete_many(keys)
    except Exception:
        _logger.exception("The cache cannot be told of an unlocking; it may hold until its end.")


def is_exact(cache: BaseCache) -> bool:
    """Whether it adds in one step. Django's own way, which some inherit, reads and then writes."""
    return type(cache).incr is not BaseCache.incr


def start_anew() -> None:
    """Know nothing of the cache, like a process that has just started."""
    _rest.end()
    _met.clear()


def _cache() -> BaseCache | None:
    alias = conf.get().throttle_cache
    cache = None if alias is None else caches[alias]
    return cache if cache is not None and is_exact(cache) else None


def _add(cache: BaseCache, key: str, cost: int, kept_for: int) -> int | None:
    is_met = key in _met
    cache.add(key, 0, kept_for)
    try:
        count: object = cache.incr(key, cost)
    except ValueError:  # gone again already
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < cost:
        raise TypeError(f"the cache answers {type(count).__name__} and no count")
    if count == cost:
        # Had it gone just before, Redis would have made one that stays for ever: touch it.
        is_there = cache.touch(key, kept_for)
        if is_met or not is_there:
            return None
    _met.add(key)
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


class _Met:
    """The counts that this process has met; those not seen for longest are forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        with self._lock:
            self._keys[key] = None
            self._keys.move_to_end(key)
            if len(self._keys) > _MANY_COUNTS:
                self._keys.popitem(last=False)

    def discard(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._keys.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


_rest, _met = _Rest(), _Met()
