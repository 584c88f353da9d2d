"""A queryset whose SQL is compiled once and run many times.

Building and compiling a query costs the ORM several times what running it costs the
database. The look-ups that stand before every request are prepared here: written as
ordinary querysets, so that any database and any user model work, and compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import DEFAULT_DB_ALIAS, connections, models, router

from authkit.models.asking import Statement, Way, way_to
from authkit.models.managers import AsManagersSay, Compiled, says_nothing
from authkit.models.plain import is_plain, made_of
from authkit.models.preparing import ServerProcess, WhereStraight, may_prepare
from authkit.models.reading import Reading, read_quickly

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

    `build` receives each of the `managers`, or what it finds, then the placeholder of each
    parameter, and returns a queryset that ends in `values_list`. What a project's own manager
    says may be another thing for each request (whose tenant it is, which day), so where one
    says something, it is asked each time.
    """

    def __init__(
        self,
        build: Callable[..., models.QuerySet[Any, Any]],
        *parameters: Parameter,
        managers: Callable[[], Sequence[Any]] = tuple,
    ) -> None:
        """Keep how to build the queryset; nothing is compiled yet."""
        self._build = build
        self._parameters = parameters
        self._managers = managers
        self._compiled: dict[str, Compiled] = {}
        setting_changed.connect(self._forget, weak=False)

    def find(self, alias: str, *values: object) -> Row | None:
        """The one row of the database `alias`, its values converted; None if there is none."""
        compiled = self._compiled.get(alias)
        if compiled is None:
            compiled = self._compiled[alias] = self._ready(alias)
        return compiled.find(values)

    def _ready(self, alias: str) -> Compiled:
        managers = list(self._managers())
        if all(map(says_nothing, managers)):
            return self._compile(alias, managers, is_for_good=True)
        return AsManagersSay(managers, alias, partial(self._compile, alias, is_for_good=False))

    def _compile(self, alias: str, sources: Sequence[Any], *, is_for_good: bool) -> _Compiled:
        connection = connections[alias]
        placeholders = [parameter.placeholder for parameter in self._parameters]
        queryset = self._build(*sources, *placeholders).order_by().using(alias)
        is_prepared = is_for_good and may_prepare(connection)
        if is_prepared:
            queryset = queryset.annotate(authkit_process=ServerProcess())
        compiler = queryset.query.get_compiler(alias)
        sql, values = compiler.as_sql()
        fields = [parameter.field for parameter in self._parameters]
        places = [
            _place(values, field.get_db_prep_value(placeholder, connection))
            for field, placeholder in zip(fields, placeholders, strict=True)
        ]
        sql, reading = read_quickly(sql, compiler)
        statement = Statement(sql, list(values), places)
        way = WhereStraight(statement) if is_prepared else way_to(connection, statement)
        return _Compiled(alias, way, fields, reading)

    def _forget(self, *, setting: str, **_: object) -> None:
        if setting in {"AUTH_USER_MODEL", "DATABASES", "USE_TZ", "TIME_ZONE"}:
            self._compiled.clear()


def _place(values: Sequence[Any], placeholder: object) -> int:
    """Where a placeholder stands.

    Raises:
        ImproperlyConfigured: in more than one place: a project's manager has it too.
    """
    found = [place for place, value in enumerate(values) if value == placeholder]
    if len(found) != 1:
        raise ImproperlyConfigured("The manager of a model has a value that authkit needs.")
    return found[0]


class _Compiled:
    __slots__ = ("_adapters", "_alias", "_needs_adapting", "_reading", "_way")

    def __init__(
        self, alias: str, way: Way, fields: list[models.Field[Any, Any]], reading: Reading
    ) -> None:
        self._alias = alias
        self._way = way
        self._adapters = [_adapter(field) for field in fields]
        self._needs_adapting = any(adapt is not None for adapt in self._adapters)
        self._reading = reading

    def find(self, given: Sequence[object]) -> Row | None:
        connection = connections[self._alias]
        if self._needs_adapting:
            given = [
                value if adapt is None else adapt(value, connection)
                for adapt, value in zip(self._adapters, given, strict=True)
            ]
        found = self._way.fetch(connection, given)
        if found is None:
            return None
        row = list(found)
        self._reading.convert(row, connection)
        return row


def _adapter(field: models.Field[Any, Any]) -> Callable[..., Any] | None:
    """What adapts a value of a field to the database; None where a text is one already."""
    return None if type(field) is models.CharField else field.get_db_prep_value


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
