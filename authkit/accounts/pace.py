"""Answers that must not tell who has an account take one time, whatever they find.

The work is made equal where that is possible. Where it is not (a hash from an older
time takes a fraction of today's, or a multiple), whoever is done early waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.contrib.auth.hashers import BasePasswordHasher, get_hashers
from django.core.signals import setting_changed

from authkit import conf
from authkit.accounts import hashing

#: For what asks the database and makes a mail, and hashes nothing (seconds).
_WITHOUT_HASH = 0.15
_MARGIN = 1.15
_lock = threading.Lock()


def now() -> float:
    """The moment from which on `wait` counts, in seconds of some clock."""
    return time.perf_counter()


def wait(since: float) -> None:
    """Wait until the checking of a password has taken its time (REFUSAL_TIME)."""
    _sleep_until(since + _time(_of_check))


@contextmanager
def steady_check() -> Iterator[None]:
    """Around what takes as long as the checking of a password."""
    since = now()
    try:
        yield
    finally:
        wait(since)


@contextmanager
def steady_registration() -> Iterator[None]:
    """Around what hashes a password once, and asks the database."""
    since = now()
    try:
        yield
    finally:
        _sleep_until(since + _time(_of_registration))


@contextmanager
def steady_mail() -> Iterator[None]:
    """Around what mails somebody, or nobody."""
    since = now()
    try:
        yield
    finally:
        _sleep_until(since + _time(lambda: _WITHOUT_HASH))


def _sleep_until(moment: float) -> None:
    rest = moment - time.perf_counter()
    if rest > 0:
        time.sleep(rest)


def _time(measured: Callable[[], float]) -> float:
    fixed = conf.get().refusal_time
    return measured() if fixed is None else fixed.total_seconds()


def _of_check() -> float:
    """An old hash is checked, and the same password perhaps hashed anew: the longest there is."""
    times = _measured()
    return _MARGIN * (max(times) + times[0])


def _of_registration() -> float:
    return _MARGIN * _measured()[0] + _WITHOUT_HASH


def _measured() -> tuple[float, ...]:
    """How long each of PASSWORD_HASHERS takes; the first is the preferred one."""
    with _lock:
        return _measure()


@lru_cache(maxsize=1)
def _measure() -> tuple[float, ...]:
    with hashing.turn():
        return tuple(_time_of(hasher) for hasher in get_hashers())


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
        _measure.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.accounts.pace")
