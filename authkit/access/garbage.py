"""Make very many objects, and be rid of them, without making every thread wait."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_AT_A_TIME = 500
_REQUESTS_TAKE = 1.0


@contextmanager
def left_lying() -> Iterator[None]:
    """Around making very many objects that are to stay, beside the answering of requests.

    The collector would look through all of them several times meanwhile, and every thread
    stands still for as long: a quarter of a second each time with 100,000 rules. So it
    pauses, and what was made is then put where it puts what has grown old.
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
