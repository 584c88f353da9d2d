"""Look-ups that PostgreSQL plans once for each connection.

A prepared statement lives in one process of the server. Behind a pooler that shares those
among its clients (PgBouncer and its like) it may be gone, or somebody else's, at the next
query; hence only a connection that leads straight to a process has look-ups prepared. Such
a process says its number when the connection opens, to be cancelled by. A pooler has to make
one up for each client. So each look-up brings along the number of the process that answers
it: where the first answer comes from the process that said its number, the look-up is
prepared from then on, and where a later one does not, never again.

The name is one that nobody else has, but for a process that was forked off with it and means
the same look-up. Whatever stands behind the connection, what answers to it is this look-up or
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from secrets import token_hex
from typing import Any

from django.db import DatabaseError, models
from django.db.backends.base.base import BaseDatabaseWrapper

from authkit.models.asking import Statement, is_watched

_NOTE = "authkit_line"
_NO_ANSWER: Any = object()
#: Classes of errors that are about a statement, or its being prepared: not supported (a plan
#: whose columns have changed is), no such prepared statement, there already or not understood.
_ABOUT_THE_STATEMENT = {"0A", "26", "42"}


class ServerProcess(models.Func):
    """The number of the process of the server that answers."""

    function = "pg_backend_pid"
    output_field = models.IntegerField()

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """None: it is left out of the row before the others are converted."""
        return []


def may_prepare(connection: BaseDatabaseWrapper) -> bool:
    """Whether a project leaves it to us, and its database knows how."""
    settings = connection.settings_dict
    options = settings.get("OPTIONS", {})
    return (
        connection.vendor == "postgresql"
        and hasattr(connection.Database, "ClientCursor")  # type: ignore[attr-defined]  # psycopg 3
        and options.get("prepare_threshold") is None
        and not options.get("server_side_binding")
        and not settings.get("DISABLE_SERVER_SIDE_CURSORS")
    )


class WhereStraight:
    """Asks a statement by its name where the connection leads straight to the server.

    The last column of the statement is `ServerProcess`, which is left out of the row.
    """

    def __init__(self, statement: Statement) -> None:
        """Ask this statement."""
        self._statement = statement
        self._name = f"authkit_{token_hex(8)}"
        marks = ", ".join(["%s"] * len(statement.places))
        self._execute = f"EXECUTE {self._name} ({marks})"
        self._prepare = f"PREPARE {self._name} AS {_numbered(statement)}; {self._execute}"
        places = set(statement.places)
        self._settled = [v for i, v in enumerate(statement.values) if i not in places]

    def fetch(self, connection: BaseDatabaseWrapper, given: Sequence[Any]) -> Any:
        """Ask by name if that is safe and nobody reads along, else in full."""
        with connection.cursor() as cursor:
            line = _line_of(connection)
            row = _NO_ANSWER
            if line.is_straight and self._may_be_named(connection, line):
                row = self._by_name(connection, cursor, line, given)
            if row is _NO_ANSWER:
                row = self._in_full(cursor, line, given)
        return None if row is None else row[:-1]

    def _may_be_named(self, connection: BaseDatabaseWrapper, line: _Line) -> bool:
        if is_watched(connection) or not _is_outside_of_transactions(connection):
            return False  # a name that is gone would spoil the transaction
        return self._name in line.names or not _is_in_pipeline(connection)

    def _by_name(
        self, connection: BaseDatabaseWrapper, cursor: Any, line: _Line, given: Sequence[Any]
    ) -> Any:
        try:
            row = self._execute_prepared(cursor, line, given)
        except DatabaseError as error:
            line.is_straight = False
            if _is_about_the_statement(error) and _is_outside_of_transactions(connection):
                return _NO_ANSWER
            raise
        return row if row is None or line.hear_from(row[-1]) else _NO_ANSWER

    def _execute_prepared(self, cursor: Any, line: _Line, given: Sequence[Any]) -> Any:
        if self._name in line.names:
            cursor.execute(self._execute, given)
        else:
            cursor.execute(self._prepare, [*self._settled, *given])
            cursor.nextset()
            line.names.add(self._name)
        return cursor.fetchone()

    def _in_full(self, cursor: Any, line: _Line, given: Sequence[Any]) -> Any:
        cursor.execute(self._statement.sql, self._statement.with_values(given))
        row = cursor.fetchone()
        if row is not None:
            line.hear_from(row[-1])
        return row


class _Line:
    """What is known of where a connection leads. It is noted on it, and goes with it."""

    __slots__ = ("_process", "is_straight", "names")

    def __init__(self, process: int) -> None:
        self._process = process
        self.is_straight: bool | None = None  # until somebody has answered
        self.names: set[str] = set()

    def hear_from(self, process: int) -> bool:
        """Whether it led straight to who has answered, and may be taken for straight."""
        self.is_straight = self.is_straight is not False and process == self._process
        return self.is_straight


def _line_of(connection: BaseDatabaseWrapper) -> _Line:
    opened: Any = connection.connection
    line: _Line | None = getattr(opened, _NOTE, None)
    if line is None:
        line = _Line(opened.info.backend_pid)
        if not issubclass(opened.cursor_factory, connection.Database.ClientCursor):  # type: ignore[attr-defined]
            line.is_straight = False  # EXECUTE takes values only where they stand in its text
        setattr(opened, _NOTE, line)
    return line


def _is_about_the_statement(error: DatabaseError) -> bool:
    return (getattr(error.__cause__, "sqlstate", None) or "")[:2] in _ABOUT_THE_STATEMENT


def _is_outside_of_transactions(connection: BaseDatabaseWrapper) -> bool:
    status = connection.Database.pq.TransactionStatus  # type: ignore[attr-defined]
    return (
        not connection.in_atomic_block
        and connection.autocommit
        and connection.connection.pgconn.transaction_status == status.IDLE
    )


def _is_in_pipeline(connection: BaseDatabaseWrapper) -> bool:
    """Whether psycopg takes one statement at a time, and answers later."""
    off = connection.Database.pq.PipelineStatus.OFF  # type: ignore[attr-defined]
    return bool(connection.connection.pgconn.pipeline_status != off)


def _numbered(statement: Statement) -> str:
    """Its text, with a number for each value that is given anew each time."""
    numbers = {place: f"${number}" for number, place in enumerate(statement.places, 1)}
    place = count()

    def numbered(mark: re.Match[str]) -> str:
        return mark[0] if mark[0] == "%%" else numbers.get(next(place), "%s")

    return re.sub("%[%s]", numbered, statement.sql)
