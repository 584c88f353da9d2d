"""Make very many objects in a thread, and be rid of them, while the others go on answering."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_AT_A_TIME = 500
_TURN = 0.0005
_REQUESTS_TAKE = 1.0


@contextmanager
def working() -> Iterator[None]:
    """Around a second or so of work in a thread, which makes many objects that are to stay.

    A thread that answers a request comes back from each query to an interpreter that is
    taken, and would wait for its turn for five milliseconds each time.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _TURN))
    try:
        with _garbage_left_lying():
            yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def _garbage_left_lying() -> Iterator[None]:
    """Let the garbage collector rest.

    It would look through everything several times meanwhile, and every thread stands still
    for as long: a quarter of a second each time with 100,000 rules. What was made is put
    where the collector puts what has grown old.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # a project's own `gc.freeze()` stays as it is
            gc.freeze()
            gc.unfreeze()
        gc.enable()


def let_go(parts: list[Any]) -> None:
    """Be rid of these a few at a time, once the requests that may still hold them are over.

    Whatever held them before must be gone: the last to let go of something is the one who
    takes it apart, and 100,000 rules at once take a tenth of a second.
    """
    time.sleep(_REQUESTS_TAKE)
    while parts:
        del parts[-_AT_A_TIME:]
        time.sleep(0.001)
