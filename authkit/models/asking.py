"""How a statement that stands before every request gets to the database.

Django on SQLite rewrites the placeholders of a statement each time it is run, and PostgreSQL
plans it each time, for three quarters of what it takes. For a statement that is run before
every request this is settled once. The cursor is Django's all the same, and where somebody
watches queries this one is sent as Django sends it.
"""

from __future__ import annotations

from asyncio import _get_running_loop
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.asyncio import async_unsafe


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that finds at most one row, as Django has compiled it.

    `places` says which of its `values` are given anew each time.
    """

    sql: str
    values: list[Any]
    places: Sequence[int]

    def with_values(self, given: Sequence[Any]) -> list[Any]:
        """All its values, with those that are given now."""
        values = self.values.copy()
        for place, value in zip(self.places, given, strict=True):
            values[place] = value
        return values

    @property
    def is_plain(self) -> bool:
        """Whether each ``%`` in it stands for a value."""
        sql = self.sql
        return sql.count("%") == sql.count("%s") == len(self.values)


class Way(Protocol):
    """One of the ways a statement gets to a database."""

    def fetch(self, connection: BaseDatabaseWrapper, given: Sequence[Any]) -> Any:
        """The row, unconverted; None if there is none."""
        ...


class InFull:
    """As Django does it."""

    def __init__(self, statement: Statement) -> None:
        """Ask this statement."""
        self._statement = statement

    def fetch(self, connection: BaseDatabaseWrapper, given: Sequence[Any]) -> Any:
        """Ask through the cursor that Django gives."""
        with connection.cursor() as cursor:
            cursor.execute(self._statement.sql, self._statement.with_values(given))
            return cursor.fetchone()


class WithoutRewriting:
    """On SQLite: with the placeholders that it has itself."""

    def __init__(self, statement: Statement) -> None:
        """Ask this statement, which is a plain one."""
        self._in_full = InFull(statement)
        self._statement = statement
        self._sql = statement.sql.replace("%s", "?")

    def fetch(self, connection: BaseDatabaseWrapper, given: Sequence[Any]) -> Any:
        """Ask through the driver's own cursor, if nobody reads along."""
        if is_watched(connection) or _get_running_loop() is not None:  # Django may object to that
            return self._in_full.fetch(connection, given)
        if connection.connection is None or connection.health_check_enabled:  # type: ignore[attr-defined]
            connection.close_if_health_check_failed()
            connection.ensure_connection()
        with connection.wrap_database_errors:
            cursor = connection.connection.cursor()
            try:
                values = self._statement.with_values(given)
                connection.make_cursor(cursor).execute(self._sql, values)
                return cursor.fetchone()
            finally:
                cursor.close()


class AsTheProjectSays:
    """On PostgreSQL, where a project has set psycopg's own option `prepare_threshold`."""

    def __init__(self, statement: Statement) -> None:
        """Ask this statement."""
        self._in_full = InFull(statement)
        self._statement = statement

    def fetch(self, connection: BaseDatabaseWrapper, given: Sequence[Any]) -> Any:
        """Ask so that psycopg can prepare it, if nobody reads along."""
        if is_watched(connection):
            return self._in_full.fetch(connection, given)
        with _binding_cursor(connection) as cursor:
            cursor.execute(self._statement.sql, self._statement.with_values(given))
            return cursor.fetchone()


def way_to(connection: BaseDatabaseWrapper, statement: Statement) -> Way:
    """The quickest way to this database that needs nothing kept on the connection."""
    if not _has_own_cursors(connection):
        if connection.vendor == "sqlite" and statement.is_plain:
            return WithoutRewriting(statement)
        if _is_told_to_prepare(connection):
            return AsTheProjectSays(statement)
    return InFull(statement)


def is_watched(connection: BaseDatabaseWrapper) -> bool:
    """Whether somebody reads the statements that are sent, or what goes with them."""
    return bool(
        connection.execute_wrappers or connection.queries_logged or "cursor" in connection.__dict__
    )


def _has_own_cursors(connection: BaseDatabaseWrapper) -> bool:
    """Whether a backend does something of its own (choose a tenant, say) where one is asked for."""
    kind: Any = type(connection)
    usual: Any = BaseDatabaseWrapper
    is_usual = (kind.cursor, kind._cursor) == (usual.cursor, usual._cursor)
    return not is_usual or not kind.create_cursor.__module__.startswith("django.")


def _is_told_to_prepare(connection: BaseDatabaseWrapper) -> bool:
    """Whether the option is set, and psycopg knows it."""
    return (
        connection.vendor == "postgresql"
        and connection.settings_dict.get("OPTIONS", {}).get("prepare_threshold") is not None
        and hasattr(connection.Database, "ClientCursor")  # type: ignore[attr-defined]  # psycopg 3
    )


@async_unsafe
def _binding_cursor(connection: BaseDatabaseWrapper) -> Any:
    """`connection.cursor()`, with the values apart from the statement, as psycopg itself has it."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.Database.Cursor  # type: ignore[attr-defined]
        return connection.make_cursor(cursor(connection.connection))
