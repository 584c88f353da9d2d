"""Which rows are within the reach of a conditional decision, whatever name they go by."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from django.db.models import Lookup
from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from authkit.access import objects, row_locks
from authkit.kernel.decision import Decision
from authkit.models.kinds import every_row, parts_of, stored_as

#: As many rows are looked at in one query.
_AT_A_TIME = 500


class Reach:
    """How far one decision goes for one person, among the rows of one model.

    Attributes:
        model: that of the endpoint, whose conditions they are; None where it has none.
    """

    def __init__(self, decision: Decision, user: Any, model: type[models.Model] | None) -> None:
        """Nothing is asked of the database yet."""
        self.model = model
        self._decision = decision
        self._user = user
        self._parts = {} if model is None else parts_of(model)

    def is_about(self, model: type[models.Model]) -> bool:
        """Whether rows of `model` are rows of ours, by another name, more of them or a part."""
        if self.model is None:
            return False
        return issubclass(model, stored_as(self.model)) or stored_as(model) in self._parts

    def kinds_of(self, model: type[models.Model]) -> list[type[models.Model]]:
        """As what a row of `model` is about rows of ours: itself, or a part of it."""
        return [kind for kind in (model, *parts_of(model)) if self.is_about(kind)]

    def named(self, model: type[models.Model]) -> type[models.Model]:
        """A model by the name that the endpoint, and so its conditions, know it by.

        A part that has keys of its own keeps its name, as that is what its keys go by.
        """
        ours, stored = self.model, stored_as(model)
        if ours is not None and (stored is stored_as(ours) or self._parts.get(stored) == "pk"):
            return ours
        return model

    def hold(
        self, using: str | None, model: type[models.Model], keys: Collection[Any], *, wholly: bool
    ) -> set[Any] | None:
        """Lock the stored ones of these rows, and look at them; `wholly`: see `row_locks`.

        Returns the keys of those that were looked at, None if one of them is out of reach.
        Where no rows are locked, all are as good as looked at.
        """
        if not row_locks.are_taken(using):
            return None if self.is_left(using, model, keys) else {*keys}
        if not keys:
            return set()
        if stored_as(model) in self._parts:
            return self._hold_part(using, model, keys, wholly=wholly)
        found: set[Any] = set()
        for some in row_locks.batches(using, keys):
            within = self._within(every_row(self.named(model), using).filter(pk__in=some))
            if not _asks_of_the_row_alone(within.query):
                found = row_locks.lock(model, using, keys, wholly=wholly)
                return None if self.is_left(using, model, found) else found
            found |= row_locks.lock_rows(within, wholly=wholly)
        others = {*keys} - found  # are not stored, or out of reach, or were so a moment before
        others = row_locks.lock(model, using, others, wholly=wholly) if others else others
        return None if self.is_left(using, model, others) else found | others

    def _hold_part(
        self, using: str | None, model: type[models.Model], keys: Collection[Any], *, wholly: bool
    ) -> set[Any] | None:
        """What is no row of ours, for want of the rest, must not become one meanwhile."""
        found = row_locks.lock(model, using, keys, wholly=True)
        for some in row_locks.batches(using, found):
            ours = self._rows(using, model, some)
            row_locks.lock(
                ours.model, using, list(ours.values_list("pk", flat=True)), wholly=wholly
            )
        return None if self.is_left(using, model, found) else found

    def is_left(self, using: str | None, model: type[models.Model], keys: Iterable[Any]) -> bool:
        """Whether one of these rows is stored, and not among those for which was decided."""
        every = list(keys)
        return any(
            self._is_left_by(self._rows(using, model, some))
            for some in (every[n : n + _AT_A_TIME] for n in range(0, len(every), _AT_A_TIME))
        )

    def _rows(
        self, using: str | None, model: type[models.Model], keys: list[Any]
    ) -> models.QuerySet[Any]:
        """Those with these keys; in place of parts, the rows of ours of which they are."""
        path = self._parts.get(stored_as(model))
        kind = self.named(model) if path is None or self.model is None else self.model
        return every_row(kind, using).filter(**{f"{path or 'pk'}__in": keys})

    def _is_left_by(self, rows: models.QuerySet[Any]) -> bool:
        within = self._within(rows).order_by().values("pk")
        return rows.exclude(pk__in=within).exists()

    def _within(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return objects.visible_by(self._decision, rows, self._user)


def _asks_of_the_row_alone(query: Query) -> bool:
    """Whether the answer lies in the rows that are locked, so that both is one query.

    What a query asks of other rows it may ask of older ones than it locks.
    """
    tables = [alias for alias in query.alias_map if query.alias_refcount[alias]]
    return len(tables) <= 1 and _compares_columns(query.where)


def _compares_columns(where: WhereNode) -> bool:
    return all(
        _compares_columns(part) if isinstance(part, WhereNode) else _compares_column(part)
        for part in where.children
    )


def _compares_column(part: Any) -> bool:
    if not isinstance(part, Lookup) or not isinstance(part.lhs, Col):
        return False
    value: Any = part.rhs
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return not any(hasattr(each, "as_sql") for each in values)
