"""Managers of a project's own, which may say another thing for each request.

Whose tenant it is, which day, which language: a manager that asks is asked each time, and a
look-up is compiled for what it says now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from django.core.exceptions import EmptyResultSet
from django.db.models.manager import BaseManager

#: For so many different things that managers say (tenants, mostly) a look-up is kept compiled.
_MOST_SAID = 64


class Compiled(Protocol):
    """A look-up that is ready to be asked."""

    def find(self, given: Sequence[object]) -> list[Any] | None:
        """The one row; None if there is none."""
        ...


class AsManagersSay:
    """A look-up through managers, compiled for what they say."""

    def __init__(
        self, managers: Sequence[Any], alias: str, compile_it: Callable[[], Compiled]
    ) -> None:
        """Ask these managers, on the database `alias`."""
        self._managers = managers
        self._alias = alias
        self._compile = compile_it
        self._compiled: dict[Any, Compiled] = {}

    def find(self, given: Sequence[object]) -> list[Any] | None:
        """The one row that they let be found; None if there is none."""
        try:
            said = tuple(self._said_by(manager) for manager in self._managers)
        except EmptyResultSet:  # nobody, says one of them
            return None
        compiled = self._compiled.get(said)
        if compiled is None:
            if len(self._compiled) >= _MOST_SAID:
                self._compiled.clear()
            compiled = self._compiled[said] = self._compile()
        return compiled.find(given)

    def _said_by(self, manager: Any) -> tuple[str, str]:
        query = manager.using(self._alias).query
        query.clear_select_clause()
        query.add_fields([query.model._meta.pk.attname])  # what is left says who is found
        sql, values = query.get_compiler(self._alias).as_sql()
        return sql, repr(values)


def says_nothing(manager: Any) -> bool:
    """Whether it finds whatever there is, as Django's own managers do."""
    return type(manager).get_queryset is BaseManager.get_queryset
