"""Answers that must not tell who has an account take one time, whatever they find.

The work is made equal where that is possible. Where it is not (a hash from an older
time takes a fraction of today's, or a multiple), whoever is done early waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.contrib.auth.hashers import BasePasswordHasher, get_hashers
from django.core.signals import setting_changed

from authkit import conf
from authkit.accounts import hashing

_SHORTEST = 0.05
_MARGIN = 1.2
_lock = threading.Lock()


def now() -> float:
    """The moment from which on `wait` counts, in seconds of some clock."""
    return time.perf_counter()


def wait(since: float) -> None:
    """Wait until what must not tell has taken its time (REFUSAL_TIME)."""
    rest = since + _time() - time.perf_counter()
    if rest > 0:
        time.sleep(rest)


@contextmanager
def steady() -> Iterator[None]:
    """Around what must not tell."""
    since = now()
    try:
        yield
    finally:
        wait(since)


def _time() -> float:
    fixed = conf.get().refusal_time
    if fixed is not None:
        return fixed.total_seconds()
    with _lock:
        return _measured()


@lru_cache(maxsize=1)
def _measured() -> float:
    """An old hash is checked, and the same password perhaps hashed anew: the longest there is."""
    with hashing.turn():
        times = [_time_of(hasher) for hasher in get_hashers()]
    return max(_SHORTEST, _MARGIN * (max(times) + times[0]))


def _time_of(hasher: BasePasswordHasher) -> float:
    """The better of two, so that a busy moment does not count for ever."""
    times = []
    for _ in range(2):
        began = time.perf_counter()
        hasher.encode("correct horse battery staple", hasher.salt())
        times.append(time.perf_counter() - began)
    return min(times)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "PASSWORD_HASHERS":
        _measured.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.accounts.pace")
