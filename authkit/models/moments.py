"""Moments that a look-up reads as texts, and are made of them here.

Django asks the settings for the time zone with each moment that it reads, which on SQLite
two functions have parsed by then, and on PostgreSQL several that are written in Python. The
text that the database has for it is read by one that is not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DataError, models
from django.db.backends.base.base import BaseDatabaseWrapper

Converter = Callable[[Any, Any, Any], Any]


class Moment(NamedTuple):
    """A column of a look-up that holds a moment, and how Django would read it."""

    place: int
    as_django: Converter
    expression: Any


def read_moments(row: list[Any], moments: list[Moment], connection: BaseDatabaseWrapper) -> None:
    """Put the moments that the ORM would have read in the place of their texts."""
    zone = connection.timezone
    # SQLite keeps moments without an offset, and to put a zone on one takes longer than to read it.
    offset = "+00:00" if zone is UTC and connection.vendor == "sqlite" else ""
    for place, as_django, expression in moments:
        text = row[place]
        if text is None:
            continue
        try:
            moment = datetime.fromisoformat(text + offset)
            if moment.tzinfo is not zone:
                naive = moment.tzinfo is None
                moment = moment.replace(tzinfo=zone) if naive else moment.astimezone(zone)
        except (TypeError, ValueError, OverflowError):  # not as Django writes it
            row[place] = as_django(text, expression, connection)
        else:
            row[place] = moment


def read_as_texts(sql: str, compiler: Any, converters: dict[int, Any]) -> tuple[str, list[Moment]]:
    """The statement, in which moments are read as texts, and those that are."""
    how = _HOW.get(compiler.connection.vendor) if settings.USE_TZ else None
    if how is None:
        return sql, []
    written, converter_of = how
    moments = []
    for index, (expression, _, _) in enumerate(compiler.select):
        converter = converter_of(compiler.connection, expression, converters.get(index))
        if converter is not None:
            moments.append(Moment(index, converter, expression))
    rewritten = _with_columns(sql, compiler, written, {moment.place for moment in moments})
    return (sql, []) if rewritten is None else (rewritten, moments)


def _with_columns(sql: str, compiler: Any, written: str, indexes: set[int]) -> str | None:
    quote = compiler.connection.ops.quote_name
    before, after = [], []
    for index, (_, (column, _), alias) in enumerate(compiler.select):
        name = f" AS {quote(alias)}" if alias else ""
        before.append(column + name)
        after.append((written.format(column) if index in indexes else column) + name)
    listed = ", ".join(before)
    if not sql.startswith("SELECT " + listed):
        return None
    return sql.replace(listed, ", ".join(after), 1)


def _on_sqlite(connection: BaseDatabaseWrapper, expression: Any, how: Any) -> Converter | None:
    """Django's own converter, if nobody else's is asked."""
    converters: list[Converter] = how[0] if how else []
    own = getattr(connection.ops, "convert_datetimefield_value", None)
    is_own = [getattr(c, "__func__", c) for c in converters] == [getattr(own, "__func__", None)]
    return converters[0] if is_own else None


def _on_postgresql(connection: BaseDatabaseWrapper, expression: Any, how: Any) -> Converter | None:
    field = expression.output_field
    is_own = (
        isinstance(field, models.DateTimeField)
        and field.db_type(connection) == "timestamp with time zone"
    )
    return _refuse if is_own and how is None else None


def _refuse(value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
    """There is no such moment in Python: before its first year, after its last, or never."""
    raise DataError("A moment in the database that Python does not know.")


#: How a column is written so that its text is read, and who tells whether one is a moment. An
#: expression has no declared type on SQLite, so the driver leaves the text that is stored alone.
_HOW: dict[str, tuple[str, Callable[[BaseDatabaseWrapper, Any, Any], Converter | None]]] = {
    "sqlite": ("+{}", _on_sqlite),
    "postgresql": ("{}::text", _on_postgresql),
}
