"""A queryset whose SQL is compiled once and run many times.

Building and compiling a query costs the ORM several times what running it costs the
database. The look-ups that stand before every request are prepared here: written as
ordinary querysets, so that any database and any user model work, and compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.core.signals import setting_changed
from django.db import connections, models

Row = list[Any]
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is given when a prepared look-up runs.

    `field` adapts it to the database; `placeholder` stands for it while the queryset is
    built, so it must be a value of that field that appears nowhere else in the query.
    """

    field: models.Field[Any, Any]
    placeholder: object


class PreparedLookup:
    """Finds at most one row.

    `build` receives the placeholder of each parameter, in order, and returns a queryset
    that ends in `values_list`.
    """

    def __init__(
        self, build: Callable[..., models.QuerySet[Any, Any]], *parameters: Parameter
    ) -> None:
        """Keep how to build the queryset; nothing is compiled yet."""
        self._build = build
        self._parameters = parameters
        self._compiled: dict[str, _Compiled] = {}
        setting_changed.connect(self._forget, weak=False)

    def find(self, alias: str, *values: object) -> Row | None:
        """The one row of the database `alias`, its values converted; None if there is none."""
        compiled = self._compiled.get(alias)
        if compiled is None:
            compiled = self._compiled[alias] = self._compile(alias)
        return compiled.find(values)

    def _compile(self, alias: str) -> _Compiled:
        placeholders = [parameter.placeholder for parameter in self._parameters]
        queryset = self._build(*placeholders).order_by().using(alias)
        compiler = queryset.query.get_compiler(alias)
        sql, given = compiler.as_sql()
        adapted = [
            parameter.field.get_db_prep_value(parameter.placeholder, connections[alias])
            for parameter in self._parameters
        ]
        fields = [parameter.field for parameter in self._parameters]
        places = [(given.index(v), field) for v, field in zip(adapted, fields, strict=True)]
        converters = compiler.get_converters([column[0] for column in compiler.select])
        return _Compiled(alias, sql, list(given), places, converters)

    def _forget(self, *, setting: str, **_: object) -> None:
        if setting in {"AUTH_USER_MODEL", "DATABASES", "USE_TZ", "TIME_ZONE"}:
            self._compiled.clear()


class _Compiled:
    __slots__ = ("_alias", "_converters", "_places", "_sql", "_values")

    def __init__(
        self,
        alias: str,
        sql: str,
        values: list[Any],
        places: list[tuple[int, models.Field[Any, Any]]],
        converters: Any,
    ) -> None:
        self._alias = alias
        self._sql = sql
        self._values = values
        self._places = places
        self._converters = [(i, *how) for i, how in converters.items()]

    def find(self, given: Sequence[object]) -> Row | None:
        connection = connections[self._alias]
        values = self._values.copy()
        for (place, field), value in zip(self._places, given, strict=True):
            values[place] = field.get_db_prep_value(value, connection)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for index, converters, expression in self._converters:
            value = row[index]
            for convert in converters:
                value = convert(value, expression, connection)
            row[index] = value
        return row


class ModelColumns(Generic[M]):
    """The columns of a model, to be read beside others and made an instance of."""

    def __init__(self, model: type[M], *, path: str = "") -> None:
        """`path` leads from the queryset's model to `model`, with a trailing ``__``."""
        self._model = model
        self._attributes = [field.attname for field in model._meta.concrete_fields]
        self.names = [path + name for name in self._attributes]

    def instance(self, alias: str, values: Sequence[Any]) -> M:
        """The instance that the ORM would have made of these values."""
        return self._model.from_db(alias, self._attributes, values)


def has_field(model: type[models.Model], name: str) -> bool:
    """Whether `model` has a column of this name (and not just an attribute)."""
    try:
        return bool(model._meta.get_field(name).concrete)
    except FieldDoesNotExist:
        return False
