"""How the row of a look-up is read: as the ORM reads it, in fewer steps.

A statement is written so that the driver leaves alone what is converted here, and what
Django converts with several functions is converted with one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from authkit.kernel.uuids import uuid_of
from authkit.models.moments import AS_TEXT, Moment, moments_of, read_moments

#: SQLite's driver looks for a converter by the declared type of each column. It finds none for
#: these, but for that of a truth value, which is made up for here.
_AS_STORED = frozenset(
    {
        models.AutoField,
        models.BigAutoField,
        models.BigIntegerField,
        models.BooleanField,
        models.CharField,
        models.EmailField,
        models.IntegerField,
        models.JSONField,
        models.TextField,
        models.UUIDField,
    }
)


class Reading:
    """What makes the values that the ORM would have read of those that the database gives."""

    __slots__ = ("_converters", "_moments", "_quick")

    def __init__(self, compiler: Any, moments: list[Moment], as_stored: Sequence[int]) -> None:
        """Read what this compiler selects: these moments as texts, and these values as stored."""
        converters = compiler.get_converters([column[0] for column in compiler.select])
        found = (
            (i, _quick(converters[i][0], compiler.connection)) for i in as_stored if i in converters
        )
        self._moments = moments
        self._quick = [(place, read) for place, read in found if read is not None]
        done = {moment.place for moment in moments} | {place for place, _ in self._quick}
        self._converters = [(i, *how) for i, how in converters.items() if i not in done]

    def convert(self, row: list[Any], connection: BaseDatabaseWrapper) -> None:
        """Put the values that the ORM would have read in the place of those in the row."""
        for place, read in self._quick:
            row[place] = read(row[place])
        if self._moments:
            read_moments(row, self._moments, connection)
        for place, converters, expression in self._converters:
            value = row[place]
            for convert in converters:
                value = convert(value, expression, connection)
            row[place] = value


def read_quickly(sql: str, compiler: Any) -> tuple[str, Reading]:
    """The statement of this compiler, written to be read like this."""
    moments, as_stored = moments_of(compiler), _as_stored(compiler)
    how = AS_TEXT.get(compiler.connection.vendor, "{}")
    written = {moment.place: how for moment in moments} | dict.fromkeys(as_stored, "+{}")
    rewritten = _with_columns(sql, compiler, written)
    if rewritten is None:
        return sql, Reading(compiler, [], [])
    return rewritten, Reading(compiler, moments, as_stored)


def _as_stored(compiler: Any) -> list[int]:
    """The columns whose values the driver need not know the types of."""
    if compiler.connection.vendor != "sqlite":
        return []
    fields = [column[0].output_field for column in compiler.select]
    return [place for place, field in enumerate(fields) if type(_own_field(field)) in _AS_STORED]


def _own_field(field: Any) -> Any:
    is_key = type(field) in {models.ForeignKey, models.OneToOneField}
    return field.target_field if is_key else field


def _with_columns(sql: str, compiler: Any, written: dict[int, str]) -> str | None:
    """The statement with some of its columns written otherwise; None if they are not found."""
    quote = compiler.connection.ops.quote_name
    before, after = [], []
    for place, (_, (column, _), alias) in enumerate(compiler.select):
        name = f" AS {quote(alias)}" if alias else ""
        before.append(column + name)
        after.append(written.get(place, "{}").format(column) + name)
    listed = ", ".join(before)
    if not sql.startswith("SELECT " + listed):
        return None
    return sql.replace(listed, ", ".join(after), 1)


def _quick(converters: list[Any], connection: BaseDatabaseWrapper) -> Callable[[Any], Any] | None:
    """What does for a value as it is stored what the driver and this one converter do."""
    ours: dict[Any, Callable[[Any], Any]] = {
        connection.ops.convert_booleanfield_value: _TRUTHS.__getitem__,  # type: ignore[attr-defined]
        connection.ops.convert_uuidfield_value: _uuid,  # type: ignore[attr-defined]
    }
    return ours.get(converters[0]) if len(converters) == 1 else None


class _Truths(dict[Any, bool | None]):
    """Nothing but 1 is true, whatever another program wrote."""

    def __missing__(self, value: Any) -> bool:
        return False


_TRUTHS = _Truths({1: True, None: None, "": None})  # the driver takes an empty text for nothing


def _uuid(text: Any) -> UUID | None:
    if text is None:
        return None
    return uuid_of(text) if len(text) == 32 and text.isalnum() else UUID(text)
