"""Somebody else's transaction, at a chosen moment of a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

#: Whoever has not got through by then waits for a lock of ours.
_PATIENCE = 0.15


class Other:
    """Acts over a connection of its own, before the n-th statement about letters."""

    def __init__(self, act: Callable[[], object], before: int) -> None:
        """Nothing is done yet; statements count from 0."""
        self._thread = threading.Thread(target=self._do, args=(act,))
        self._before = before
        self.statements = 0
        self.failure: BaseException | None = None

    @property
    def has_acted(self) -> bool:
        """Whether there was such a statement."""
        return self.statements > self._before

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        """Stand around a statement."""
        if '"letters_' in sql:
            if self.statements == self._before:
                self._thread.start()
                self._thread.join(_PATIENCE)
            self.statements += 1
        return execute(sql, *args)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Around the request; afterwards the other is through as well."""
        with connection.execute_wrapper(self):
            yield
        if self.has_acted:
            self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as failure:  # noqa: BLE001 - it is raised in the other thread
            self.failure = failure
        finally:
            connection.close()
