"""Many-to-many relations: which pairs of rows come together, or part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import ManyToManyField, Model, signals

from authkit.access import acting, issued_tokens, keyholders
from authkit.access.gates import rows

_STEPS = {"pre_add": True, "pre_remove": False, "pre_clear": False}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a relation.

    Attributes:
        is_adding: whether they come together.
        pairs: keys of the row that has the relation, and of the other.
    """

    is_adding: bool
    pairs: tuple[tuple[Any, Any], ...]

    def __contains__(self, pair: object) -> bool:
        """Whether these two are among them."""
        return pair in self.pairs


Gate = Callable[[Change], None]
Ledger = Callable[[Change], None]


def watch(field: ManyToManyField[Any, Any], before: Gate, after: Ledger, uid: str) -> None:
    """Call `before` and `after` with each change of this relation."""

    def receive(
        action: str,
        instance: Model,
        pk_set: Iterable[Any] | None,
        *,
        reverse: bool,
        using: str,
        **_: object,
    ) -> None:
        if action in _STEPS:
            change = Change(
                _STEPS[action], _pairs(field, instance, pk_set, reverse=reverse, using=using)
            )
            is_guarded = acting.current() is not None and not change.is_adding
            rows.keep(instance, (change, keyholders.at_stake() if is_guarded else None))
            if change.pairs:
                before(change)
            return
        made, at_stake = rows.kept(instance) or (None, None)
        if made is not None and made.pairs:
            after(made)
            actor = acting.current()
            if actor is not None:
                keyholders.require_reachable(actor, at_stake)
            issued_tokens.end_those_that_grew()

    signals.m2m_changed.connect(
        receive, sender=field.remote_field.through, weak=False, dispatch_uid=uid
    )


def _pairs(
    field: ManyToManyField[Any, Any],
    instance: Model,
    pk_set: Iterable[Any] | None,
    *,
    reverse: bool,
    using: str,
) -> tuple[tuple[Any, Any], ...]:
    if pk_set is None:
        near, far = _columns(field)
        if reverse:
            near, far = far, near
        through: Any = field.remote_field.through
        linked = through._base_manager.using(using).filter(**{near: instance.pk})
        pk_set = list(linked.values_list(far, flat=True))
    if reverse:
        return tuple((other, instance.pk) for other in pk_set)
    return tuple((instance.pk, other) for other in pk_set)


def _columns(field: Any) -> tuple[str, str]:
    through = field.remote_field.through._meta
    near = through.get_field(field.m2m_field_name()).attname
    return near, through.get_field(field.m2m_reverse_field_name()).attname
