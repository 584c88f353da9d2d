"""A queryset whose SQL is compiled once and run many times.

Building and compiling a query costs the ORM several times what running it costs the
database. The look-ups that stand before every request are prepared here: written as
ordinary querysets, so that any database and any user model work, and compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.core.signals import setting_changed
from django.db import DEFAULT_DB_ALIAS, connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.asyncio import async_unsafe

from authkit.models.plain import is_plain, made_of

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
        connection = connections[alias]
        moments = [i for i, how in converters.items() if _is_moment(connection, how[0])]
        if moments:
            sql = _with_moments_as_texts(sql, compiler, moments)
        return _Compiled(connection, sql, list(given), places, converters, moments)

    def _forget(self, *, setting: str, **_: object) -> None:
        if setting in {"AUTH_USER_MODEL", "DATABASES", "USE_TZ", "TIME_ZONE"}:
            self._compiled.clear()


class _Compiled:
    __slots__ = (
        "_alias",
        "_converters",
        "_moments",
        "_own_cursor",
        "_own_sql",
        "_places",
        "_sql",
        "_values",
    )

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        sql: str,
        values: list[Any],
        places: list[tuple[int, models.Field[Any, Any]]],
        converters: Any,
        moments: list[int],
    ) -> None:
        self._alias = connection.alias
        self._sql = sql
        self._own_cursor, self._own_sql = _way_of_its_own(connection, sql, len(values))
        self._values = values
        self._places = [(i, _adapter(field)) for i, field in places]
        self._moments = [(i, converters[i][0][0], converters[i][1]) for i in moments]
        self._converters = [(i, *how) for i, how in converters.items() if i not in moments]

    def find(self, given: Sequence[object]) -> Row | None:
        connection = connections[self._alias]
        values = self._values.copy()
        for (place, adapt), value in zip(self._places, given, strict=True):
            values[place] = value if adapt is None else adapt(value, connection)
        found = self._fetch(connection, values)
        return None if found is None else self._converted(connection, list(found))

    def _fetch(self, connection: BaseDatabaseWrapper, values: list[Any]) -> Any:
        is_watched = connection.queries_logged or "cursor" in connection.__dict__
        own = None if is_watched else self._own_cursor
        with connection.cursor() if own is None else own(connection) as cursor:
            cursor.execute(self._sql if own is None else self._own_sql, values)
            return cursor.fetchone()

    def _converted(self, connection: BaseDatabaseWrapper, row: Row) -> Row:
        for index, convert, expression in self._moments:
            value = row[index]
            if value is None:
                continue
            try:
                moment = datetime.fromisoformat(value)
            except (TypeError, ValueError):  # not as Django writes it
                row[index] = convert(value, expression, connection)
            else:
                is_naive = moment.tzinfo is None
                row[index] = moment.replace(tzinfo=connection.timezone) if is_naive else moment
        for index, converters, expression in self._converters:
            value = row[index]
            for convert in converters:
                value = convert(value, expression, connection)
            row[index] = value
        return row


def _adapter(field: models.Field[Any, Any]) -> Callable[..., Any] | None:
    """What adapts a value of a field to the database; None where a text is one already."""
    return None if type(field) is models.CharField else field.get_db_prep_value


# Django on SQLite rewrites the placeholders of a statement each time it is run, and asks
# the settings for the time zone with each moment that it reads, which two functions have
# parsed by then. For a statement that is run before every request all this is settled
# once. PostgreSQL plans a statement each time, for three quarters of what it takes; it
# need not where a project sets Django's own option `prepare_threshold`. The cursor is
# Django's all the same: what watches queries sees this one too.


def _way_of_its_own(
    connection: BaseDatabaseWrapper, sql: str, count: int
) -> tuple[Callable[[BaseDatabaseWrapper], Any] | None, str]:
    """A quicker cursor and the statement as it takes it; no cursor if there is none."""
    is_plain = sql.count("%") == sql.count("%s") == count
    if connection.vendor == "sqlite" and is_plain:
        return _plain_cursor, sql.replace("%s", "?")
    options = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor == "postgresql" and options.get("prepare_threshold") is not None:
        connection.ensure_connection()
        is_psycopg_3 = hasattr(connection.connection, "prepare_threshold")
        return (_preparing_cursor if is_psycopg_3 else None), sql
    return None, sql


def _with_moments_as_texts(sql: str, compiler: Any, moments: Sequence[int]) -> str:
    """The statement with a ``+``, which changes no value, before each moment it selects.

    An expression has no declared type, so the driver leaves the text that is stored alone.
    """
    quote = compiler.connection.ops.quote_name
    columns = [s + (f" AS {quote(alias)}" if alias else "") for _, (s, _), alias in compiler.select]
    before = ", ".join(columns)
    for index in moments:
        columns[index] = f"+{columns[index]}"
    begins, rest = sql[: len("SELECT ")], sql[len("SELECT ") :]
    if begins != "SELECT " or not rest.startswith(f"{before} FROM "):
        return sql
    return begins + ", ".join(columns) + rest.removeprefix(before)


@async_unsafe
def _plain_cursor(connection: BaseDatabaseWrapper) -> Any:
    """`connection.cursor()`, without the part that rewrites placeholders."""
    if connection.connection is None or connection.health_check_enabled:  # type: ignore[attr-defined]
        connection.close_if_health_check_failed()
        connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection.make_cursor(connection.connection.cursor())


@async_unsafe
def _preparing_cursor(connection: BaseDatabaseWrapper) -> Any:
    """`connection.cursor()`, with the values apart from the statement, as psycopg itself has it."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.Database.Cursor  # type: ignore[attr-defined]
        return connection.make_cursor(cursor(connection.connection))


def _is_moment(connection: BaseDatabaseWrapper, converters: Sequence[Any]) -> bool:
    convert = getattr(connection.ops, "convert_datetimefield_value", None)
    return (
        connection.vendor == "sqlite"
        and settings.USE_TZ
        and [getattr(c, "__func__", c) for c in converters] == [getattr(convert, "__func__", None)]
    )


class ModelColumns(Generic[M]):
    """The columns of a model, to be read beside others and made an instance of."""

    def __init__(self, model: type[M], *, path: str = "") -> None:
        """`path` leads from the queryset's model to `model`, with a trailing ``__``."""
        self._model = model
        self._attributes = [field.attname for field in model._meta.concrete_fields]
        self.names = [path + name for name in self._attributes]

    def instance(self, alias: str, values: Sequence[Any]) -> M:
        """The instance that the ORM would have made of these values."""
        if is_plain(self._model):
            return made_of(self._model, alias, dict(zip(self._attributes, values, strict=True)))
        return self._model.from_db(alias, self._attributes, values)


def has_field(model: type[models.Model], name: str) -> bool:
    """Whether `model` has a column of this name (and not just an attribute)."""
    try:
        return bool(model._meta.get_field(name).concrete)
    except FieldDoesNotExist:
        return False


def alias_of(model: type[models.Model]) -> str:
    """The database to which a project's routers send `model`, to be written and read back."""
    return router.db_for_write(model) if router.routers else DEFAULT_DB_ALIAS


@lru_cache(maxsize=1)
def user_model() -> Any:
    """Django's `get_user_model`, which looks the model up anew each time."""
    return get_user_model()


def _forget_user_model(*, setting: str, **_: object) -> None:
    if setting == "AUTH_USER_MODEL":
        user_model.cache_clear()


setting_changed.connect(_forget_user_model, dispatch_uid="authkit.models.prepared")
