"""What time is: that on the wall, or that of the processor."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

from django.db import connection


class Clock(Protocol):
    """Tells how long something takes."""

    def now(self) -> int:
        """Nanoseconds since some moment."""
        ...

    def of_database(self) -> int:
        """Nanoseconds that the database worked for us elsewhere, and `now` does not tell."""
        ...


class WallClock:
    """What somebody who waits for the answer would see; right on a quiet machine only."""

    now = staticmethod(time.perf_counter_ns)

    def of_database(self) -> int:
        return 0


class ProcessorClock:
    """Time that a processor worked for us: in this thread, and in PostgreSQL's process for it.

    On a machine that does other things besides, the time on the wall is mostly waiting for
    one's turn. What it leaves out is the way to the database and back. Linux only, with the
    server on the same machine.
    """

    now = staticmethod(time.thread_time_ns)

    def __init__(self) -> None:
        self._statistics: int | None = None
        if connection.vendor == "postgresql":
            connection.ensure_connection()
            process = Path("/proc", str(connection.connection.info.backend_pid))
            if not (process / "comm").read_text().startswith("postgres"):
                raise RuntimeError("the server's processes cannot be seen from here")
            self._statistics = os.open(process / "schedstat", os.O_RDONLY)

    def of_database(self) -> int:
        if self._statistics is None:
            return 0
        return int(os.pread(self._statistics, 64, 0).split()[0])


CLOCKS: dict[str, type[Clock]] = {"wall": WallClock, "processor": ProcessorClock}
