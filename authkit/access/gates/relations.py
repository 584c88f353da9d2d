"""Many-to-many relations: which pairs of rows come together, or part.

A relation's rows are watched, and not Django's signal of the relation: a row may be
written without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.models import ManyToManyField, QuerySet

from authkit.access import acting, guards, issued_tokens, keyholders
from authkit.access.gates import impersonated, rows, unsignalled
from authkit.access.gates.unsignalled import Around
from authkit.models.access_revision import Part, changed

Pair = tuple[Any, ...]

#: As many pairs are looked for in one query.
_AT_A_TIME = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a relation.

    Attributes:
        is_adding: whether they come together.
        pairs: keys of the row that has the relation, and of the other.
    """

    is_adding: bool
    pairs: tuple[Pair, ...]

    def __contains__(self, pair: object) -> bool:
        """Whether these two are among them."""
        return pair in self.pairs


Gate = Callable[[Change], None]
Ledger = Callable[[Change], None]


def watch(
    field: ManyToManyField[Any, Any], before: Gate, after: Ledger, part: Part | None = None
) -> None:
    """Call `before` and `after` with each change of this relation.

    `part` of what processes know of access changes with it.
    """
    road = _Relation(field, before, after, part)
    through: Any = field.remote_field.through
    unsignalled.watch(through, road, is_signalled=False)


class _Relation:
    """The road of one relation's rows."""

    def __init__(self, field: Any, before: Gate, after: Ledger, part: Part | None) -> None:
        meta = field.remote_field.through._meta
        self._near = meta.get_field(field.m2m_field_name())
        self._far = meta.get_field(field.m2m_reverse_field_name())
        self._columns = (self._near.attname, self._far.attname)
        self._before, self._after, self._part = before, after, part

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """These rows come."""
        self._require_plain(objs)
        return self._around(using, set(), {self._pair_of(row) for row in objs})

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """These rows become others."""
        self._require_plain(objs)
        stored = self._rows(using).filter(pk__in=[row.pk for row in objs])
        return self._around(using, self._pairs(stored), {self._pair_of(row) for row in objs})

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All rows of a queryset become others."""
        ends = [self._end(field, values) for field in (self._near, self._far)]
        if ends == [None, None]:
            return None
        was = self._pairs(stored)
        becomes = {tuple(k if e is None else e for e, k in zip(ends, p, strict=True)) for p in was}
        return self._around(stored.db, was, becomes)

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """All rows of a queryset go."""
        return self._around(stored.db, self._pairs(stored), set())

    def _around(self, using: str, was: set[Pair], becomes: set[Pair]) -> Around | None:
        removed, added = was - becomes, becomes - was
        added -= self._stored_among(using, added)
        changes = [Change(is_adding=False, pairs=_sorted(removed))] if removed else []
        if added:
            changes.append(Change(is_adding=True, pairs=_sorted(added)))
        return self._asking(using, changes) if changes else None

    @contextmanager
    def _asking(self, using: str, changes: Sequence[Change]) -> Iterator[None]:
        actor = acting.current()
        is_losing = actor is not None and not all(change.is_adding for change in changes)
        at_stake = keyholders.at_stake() if is_losing else None
        impersonated.require_own_hand()
        for change in changes:
            self._before(change)
        yield
        if self._part is not None:
            changed(self._part, using=using)
        for change in changes:
            self._after(change)
        if actor is not None:
            keyholders.require_reachable(actor, at_stake)
        issued_tokens.end_those_that_grew()

    def _end(self, field: Any, values: Mapping[str, Any]) -> Any:
        """What one end becomes; None if it stays."""
        for name in (field.name, field.attname):
            if name in values:
                value = values[name]
                _require_plain(field, value)
                return field.target_field.to_python(getattr(value, "pk", value))
        return None

    def _require_plain(self, objs: Iterable[Any]) -> None:
        for row in objs:
            for field in (self._near, self._far):
                _require_plain(field, row.__dict__.get(field.attname))

    def _pair_of(self, row: Any) -> Pair:
        near, far = (row.__dict__.get(column) for column in self._columns)
        return self._near.target_field.to_python(near), self._far.target_field.to_python(far)

    def _pairs(self, stored: QuerySet[Any]) -> set[Pair]:
        return set(stored.values_list(*self._columns))

    def _stored_among(self, using: str, pairs: Iterable[Pair]) -> set[Pair]:
        found: set[Pair] = set()
        pairs = list(pairs)
        for start in range(0, len(pairs), _AT_A_TIME):
            some = pairs[start : start + _AT_A_TIME]
            nears, fars = ({pair[end] for pair in some} for end in (0, 1))
            among = {f"{self._columns[0]}__in": nears, f"{self._columns[1]}__in": fars}
            found |= self._pairs(self._rows(using).filter(**among))
        return found

    def _rows(self, using: str) -> QuerySet[Any]:
        model: Any = self._near.model
        rows: QuerySet[Any] = model._base_manager.using(using)
        return rows


def _require_plain(field: Any, value: object) -> None:
    """Whoever lets the database work out who gets what must be a superuser."""
    actor = acting.current()
    if actor is not None and rows.is_expression(value):
        guards.require_superuser(actor, field.name)


def _sorted(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple(sorted(pairs, key=str))
