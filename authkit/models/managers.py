"""Managers of a project's own, which may say another thing for each request.

Whose tenant it is, which day, which language: a manager that asks is asked each time, and a
look-up is compiled for what it says now. Where nothing tells whether it says the same as
before, the look-up is compiled each time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models.query import QuerySet
from django.db.models.sql.query import Query

#: For so many different things that managers say (tenants, mostly) a look-up is kept compiled.
_MOST_SAID = 64
#: Values of these are the same where they are equal.
_COMPARED = frozenset({NoneType, bool, bytes, date, datetime, Decimal, float, int, str, UUID})
#: By what a manager and its queryset say who is found, beside `get_queryset`.
_NARROWING = (
    *("__init__", "__getattribute__", "__getattr__", "_chain", "_clone", "all", "using"),
    *("filter", "_filter_or_exclude", "_filter_or_exclude_inplace", "order_by"),
    *("annotate", "_annotate", "values_list", "_values", "query"),
)


class Compiled(Protocol):
    """A look-up that is ready to be asked."""

    def find(self, given: Sequence[object]) -> list[Any] | None:
        """The one row; None if there is none."""
        ...


class AsManagersSay:
    """A look-up through managers, compiled for what they say."""

    def __init__(
        self,
        managers: Sequence[Any],
        alias: str,
        compile_it: Callable[[Sequence[Any]], Compiled],
    ) -> None:
        """Ask these managers, on the database `alias`; `compile_it` is given what they say."""
        self._managers = managers
        self._alias = alias
        self._compile = compile_it
        self._compiled: dict[Any, Compiled] = {}
        self._known: dict[type, bool] = {}

    def find(self, given: Sequence[object]) -> list[Any] | None:
        """The one row that they let be found; None if there is none."""
        try:
            compiled = self._for_now()
        except EmptyResultSet:  # nobody, says one of them
            return None
        return compiled.find(given)

    def _for_now(self) -> Compiled:
        if not all(map(self._is_known, self._managers)):
            return self._compile(self._managers)
        people = [manager.using(self._alias) for manager in self._managers]
        said = tuple(map(self._said_by, people))
        if None in said:
            return self._compile(people)
        compiled = self._compiled.get(said)
        if compiled is None:
            if len(self._compiled) >= _MOST_SAID:
                self._compiled.clear()
            compiled = self._compiled[said] = self._compile(people)
        return compiled

    def _said_by(self, people: Any) -> Any:
        """What can be compared of a queryset; None if that is not all that narrows it."""
        query: Any = people.query.clone()
        if type(query) is not Query or not self._is_known(people):
            return None
        query.clear_select_clause()
        query.add_fields([people.model._meta.pk.attname])  # what is left says who is found
        sql, values = query.get_compiler(self._alias).as_sql()
        if not _COMPARED.issuperset(map(type, values)):
            return None
        return sql, *((type(value), value) for value in values)

    def _is_known(self, narrows: Any) -> bool:
        kind = type(narrows)
        if kind not in self._known:
            self._known[kind] = _is_djangos(kind)
        return self._known[kind] and vars(narrows).keys().isdisjoint(_NARROWING)


def says_nothing(manager: Any) -> bool:
    """Whether it finds whatever there is, as Django's own managers do."""
    return (
        _is_djangos(manager, "get_queryset")
        and issubclass(manager._queryset_class, QuerySet)
        and _is_djangos(manager._queryset_class)
    )


def _is_djangos(narrows: Any, *names: str) -> bool:
    """Whether all that a manager, a queryset or its class narrows by is as Django has it."""
    found = (inspect.getattr_static(narrows, name, None) for name in (*names, *_NARROWING))
    return all(map(_is_written_by_django, found))


def _is_written_by_django(attribute: Any) -> bool:
    """Whether this is not there, `object`'s, or written in Django, and not just called so."""
    function = attribute.fget if isinstance(attribute, property) else attribute
    function = getattr(function, "__func__", function)  # of classmethod and staticmethod
    if function is None or inspect.ismethoddescriptor(function):
        return True
    while inspect.isfunction(function) and function.__globals__["__name__"].startswith("django."):
        function = getattr(function, "__wrapped__", None)
    return function is None
