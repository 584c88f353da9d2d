"""So many passwords are hashed at once, and no more: a hash takes megabytes, on purpose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.contrib.auth.hashers import make_password
from django.views.decorators.debug import sensitive_variables

from authkit import conf
from authkit.exceptions import Busy

#: Who has not had a turn by then is told to come back (seconds).
PATIENCE = 20.0

_here = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """One of the PASSWORD_HASHING_SLOTS of this process, for a `with` block.

    Whoever has one does not wait for another.

    Raises:
        Busy: none became free in time.
    """
    if getattr(_here, "has_turn", False):
        yield
        return
    slots = _slots(conf.get().password_hashing_slots)
    if not slots.acquire(timeout=PATIENCE):
        raise Busy("hashing")
    _here.has_turn = True
    try:
        yield
    finally:
        _here.has_turn = False
        slots.release()


@sensitive_variables("password")
def hash_of(password: str) -> str:
    """What is stored of a password, by the hasher that is preferred now.

    Raises:
        Busy: see `turn`.
    """
    with turn():
        return make_password(password)


@lru_cache(maxsize=4)
def _slots(count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)
