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


def moments_of(compiler: Any) -> list[Moment]:
    """The columns that this compiler selects whose texts can be read here."""
    connection = compiler.connection
    converter_of = _CONVERTERS.get(connection.vendor) if settings.USE_TZ else None
    if converter_of is None:
        return []
    expressions = [column[0] for column in compiler.select]
    converters = compiler.get_converters(expressions)
    found = []
    for place, expression in enumerate(expressions):
        converter = converter_of(connection, expression, converters.get(place))
        if converter is not None:
            found.append(Moment(place, converter, expression))
    return found


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


#: Who tells whether a column is one, and how Django would read it.
_CONVERTERS: dict[str, Callable[[BaseDatabaseWrapper, Any, Any], Converter | None]] = {
    "sqlite": _on_sqlite,
    "postgresql": _on_postgresql,
}
#: How such a column is written for its text. An expression has no declared type on SQLite, so
#: the driver leaves the text that is stored alone.
AS_TEXT = {"sqlite": "+{}", "postgresql": "{}::text"}
