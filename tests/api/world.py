"""Time and the database, as a test wants them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from authkit import changes

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


def start_process() -> None:
    """Find the change feed as a process finds it that has just started."""
    changes._feed.forget()


class Clock:
    """The one clock of Django and of the standard library: stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime.now(UTC).replace(microsecond=250_000)
        start, since = self.now, time.monotonic()
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        monkeypatch.setattr(time, "time", self._seconds)
        monkeypatch.setattr(time, "monotonic", lambda: since + (self.now - start).total_seconds())

    def _seconds(self) -> float:
        return self.now.timestamp()

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class _Watch(ABC):
    """Stands between Django and its database, for a `with` block."""

    def __enter__(self) -> Any:
        self._wrapper = connection.execute_wrapper(self._execute)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._wrapper.__exit__(None, None, None)

    @abstractmethod
    def _execute(
        self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """See a statement before it is sent, and send it or not."""


class Queries(_Watch):
    """The statements that are sent; those about savepoints aside."""

    def __init__(self) -> None:
        self.sql: list[str] = []

    def __len__(self) -> int:
        return len(self.sql)

    def _execute(
        self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if "SAVEPOINT" not in sql:
            self.sql.append(sql)
        return execute(sql, params, many, context)


_READS = ("BEGIN", "SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Outage(_Watch):
    """The database does not answer any more, from the statement after `after` on.

    With `until`, it answers again after that many; with `writes_only`, it is read-only.
    """

    def __init__(
        self,
        after: int = 0,
        *,
        until: int = 1_000_000,
        writes_only: bool = False,
        error: type[Exception] = OperationalError,
    ) -> None:
        self.broken = range(after, until)
        self.writes_only = writes_only
        self.error = error
        self.asked = 0
        self.refused = 0

    def _execute(
        self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if self.writes_only and sql.lstrip(" (").upper().startswith(_READS):
            return execute(sql, params, many, context)
        self.asked += 1
        if self.asked - 1 in self.broken:
            self.refused += 1
            raise self.error("the server has gone away")
        return execute(sql, params, many, context)
