"""Several processes in one, so that a test decides who is how far.

Each has a real connection of its own and knows of the change feed what it has read
itself. What a test does inside `working()` is done by that process.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from authkit import changes
from authkit.feed import Feed
from authkit.models import AccessRevision, Change


class Process:
    """A process, or a thread of one if it is given what that one knows."""

    def __init__(self, database: BaseDatabaseWrapper, feed: Feed | None = None) -> None:
        self.connection = database
        self.feed = feed or Feed()
        self.queries = 0
        self._blocks: list[Any] = []
        database.execute_wrappers.append(self._count)

    @contextmanager
    def working(self) -> Iterator[None]:
        before = connections["default"], changes._feed
        connections["default"], changes._feed = self.connection, self.feed
        try:
            yield
        finally:
            connections["default"], changes._feed = before

    def begin(self) -> None:
        """A transaction; inside of one, a savepoint."""
        with self.working():
            block = transaction.atomic()
            block.__enter__()
            self._blocks.append(block)

    def commit(self) -> None:
        with self.working():
            self._blocks.pop().__exit__(None, None, None)

    def roll_back(self) -> None:
        with self.working():
            transaction.set_rollback(True)
            self._blocks.pop().__exit__(None, None, None)

    def announce(self, *session_ids: UUID) -> UUID:
        """End a session, or these; returns the last one."""
        ended = session_ids or (uuid4(),)
        with self.working():
            changes.announce_ended(ended, now=time.time())
        return ended[-1]

    def use_up_ids(self, count: int) -> None:
        """Take ids of the feed, and leave gaps there."""
        self.begin()
        self.announce(*(uuid4() for _ in range(count)))
        self.roll_back()

    def knows(self, *session_ids: UUID) -> bool:
        """Whether it refuses all of these sessions, asked as each request asks."""
        return self.known_among(session_ids) == set(session_ids)

    def known_among(self, session_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these sessions it refuses after one look."""
        with self.working():
            changes.look()
            return {session_id for session_id in session_ids if changes.has_ended(session_id)}

    def die(self) -> None:
        """Break off in the middle of whatever it does, and start again as a new process."""
        self.feed.forget()
        if self._blocks:
            self.connection.connection.close()
            self.connection = type(self.connection)(self.connection.settings_dict, "default")
            self.connection.inc_thread_sharing()
            self._blocks.clear()

    def close(self) -> None:
        while self._blocks:
            self.roll_back()
        self.connection.close()

    def empty_the_feed(self) -> None:
        """Delete all that is committed, and wait for nothing else."""
        with self.working():
            keys = list(Change.objects.values_list("pk", flat=True))
            Change.objects.filter(pk__in=keys).delete()

    def _count(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        self.queries += "authkit_change" in sql
        return execute(sql, *arguments)


@contextmanager
def database_for_processes(folder: Path) -> Iterator[Callable[..., Process]]:
    """Give a function that makes processes on one database: the test's, or for SQLite a file.

    They commit for real; in the end the feed is emptied, which is all that they write.
    """
    template = copy.deepcopy(connection.settings_dict)
    if connection.vendor == "sqlite":
        template["NAME"] = str(folder / "feed.sqlite3")
        template["OPTIONS"] = {"init_command": "PRAGMA journal_mode = WAL", "timeout": 20}
    kind: Any = type(connections["default"])
    with ExitStack() as opened:

        def make(feed: Feed | None = None, **options: Any) -> Process:
            settings = copy.deepcopy(template)
            settings["OPTIONS"] = {**settings.get("OPTIONS", {}), **options}
            process = Process(kind(settings, "default"), feed)
            process.connection.inc_thread_sharing()
            opened.callback(process.close)
            return process

        if connection.vendor == "sqlite":
            with make().connection.schema_editor() as editor:
                editor.create_model(Change)
                editor.create_model(AccessRevision)
        yield make
        cleaner = make()
        opened.pop_all().close()
        cleaner.empty_the_feed()
        cleaner.close()
