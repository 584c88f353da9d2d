"""Conditions on objects: the same `Q` filters a list and guards one object.

Four traps are closed here. A condition that is unknown for a model holds for nothing
where it allows and for everything where it denies. What a condition reaches through a
many-to-many relation is a subquery, so no row comes twice. And what is denied is taken
out by primary key, so that a NULL somewhere does not let a row slip through; and it is
looked for among all rows, so that none slips through that the model's base manager hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from authkit.access import conditions
from authkit.kernel.decision import Conditions, Decision
from authkit.models.kinds import every_row

M = TypeVar("M", bound=models.Model)


def visible_by(decision: Decision, queryset: QuerySet[M], user: Any) -> QuerySet[M]:
    """The rows of a queryset for which a decision allows."""
    if decision.allowed:
        return queryset
    if decision.conditions is None or decision.allowed is False:
        return queryset.none()
    every = every_row(queryset.model, queryset.db)
    return _narrow(queryset, every, decision.conditions, user)


def holds_for(decision: Decision, obj: models.Model, user: Any) -> bool:
    """Whether a decision allows for one stored object; asks the database only if it must."""
    if decision.allowed is not None:
        return decision.allowed
    if obj.pk is None or decision.conditions is None:
        return False
    row = every_row(type(obj), obj._state.db).filter(pk=obj.pk)
    return _narrow(row, row, decision.conditions, user, is_one=True).exists()


def settle(decision: Decision, obj: models.Model, user: Any) -> Decision:
    """The decision for this one object."""
    if decision.allowed is not None:
        return decision
    return decision.settle(holds=holds_for(decision, obj, user))


def _narrow(
    queryset: QuerySet[M], among: Any, its: Conditions, user: Any, *, is_one: bool = False
) -> QuerySet[M]:
    """Narrow a queryset; subqueries look `among` these rows.

    With `is_one` only whether there is a row is asked, so it may come twice.
    """
    known = conditions.of_model(queryset.model)
    for group in its.any_of:
        allowed = _any_of([known[name].as_q(user) for name in group if name in known])
        if allowed is None:
            return queryset.none()
        queryset = queryset.filter(allowed) if is_one else _keep(queryset, among, allowed)
    if any(name not in known for name in its.none_of):
        return queryset.none()
    denied = _any_of([known[name].as_denied_q(user) for name in its.none_of])
    if denied is not None:
        queryset = queryset.exclude(pk__in=_keys(queryset, among, denied))
    return queryset


def _any_of(found: Sequence[Q]) -> Q | None:
    """One `Q` for "any of these holds"; None where there is none."""
    if not found:
        return None
    if any(not q for q in found):  # Q() means every row, but adds nothing to an OR
        return Q()
    together = found[0]
    for q in found[1:]:
        together |= q
    return together


def _keep(queryset: QuerySet[M], among: Any, allowed: Q) -> QuerySet[M]:
    if not allowed:
        return queryset
    if _is_multivalued(queryset.model, allowed):
        return queryset.filter(pk__in=_keys(queryset, among, allowed))
    return queryset.filter(allowed)


def _keys(queryset: QuerySet[Any], among: Any, q: Q) -> QuerySet[Any, Any]:
    rows: QuerySet[Any] = among.using(queryset.db)
    return rows.filter(q).order_by().values("pk")


def _is_multivalued(model: type[models.Model], q: Q) -> bool:
    """Whether a row could match more than once, by a relation to many others."""
    joins = every_row(model, None).filter(q).query.alias_map.values()
    fields = [getattr(join, "join_field", None) for join in joins]
    return any(f is not None and (f.one_to_many or f.many_to_many) for f in fields)
