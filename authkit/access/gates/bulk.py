"""Many rows of ours at once: `update`, `bulk_create` and `bulk_update`, in their transaction.

They count up here too, whatever queryset they come by: a proxy may bring one of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import Model, QuerySet

from authkit.access import acting, guards, issued_tokens, keyholders, ledger
from authkit.access.acting import Actor
from authkit.access.gates import assignments, roles
from authkit.access.gates.unsignalled import Around
from authkit.models import Assignment, Endpoint, Role, Rule
from authkit.models.access_revision import AccessModel, changed


class Road:
    """The road of one model on which access depends."""

    def __init__(self, model: type[AccessModel]) -> None:
        """`model`: rules, roles, assignments or endpoints."""
        self._model = model

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added. Only a superuser adds some that may turn out to be there."""
        return self._adding(using, objs, updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets values of its own."""
        return self._changing(using, self._rows(using).filter(pk__in=[row.pk for row in objs]))

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        keys = stored.order_by().values("pk")
        return self._changing(stored.db, self._rows(stored.db).filter(pk__in=keys))

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """Django tells of each; they count up once."""
        return self._counting(stored.db)

    @contextmanager
    def _adding(
        self, using: str, objs: Collection[Any], updating: Collection[str]
    ) -> Iterator[None]:
        actor, at_stake = _prepare()
        if actor is not None and updating:
            guards.require_superuser(actor, ", ".join(sorted(updating)))
        with self._counting(using):
            yield
        self._judge([], list(objs), at_stake)

    @contextmanager
    def _changing(self, using: str, rows: QuerySet[Any]) -> Iterator[None]:
        actor, at_stake = _prepare()
        was = list(rows[: ledger.MOST] if actor is None else rows)
        with self._counting(using):
            yield
        now = self._rows(using).filter(pk__in=[row.pk for row in was])
        self._judge(was, list(now), at_stake)

    @contextmanager
    def _counting(self, using: str) -> Iterator[None]:
        yield
        changed(self._model.part, using=using)
        if self._model is Role:  # processes know who has one by its short name
            changed("people", using=using)

    def _judge(self, was: Sequence[Any], becomes: Sequence[Any], at_stake: set[Any] | None) -> None:
        """Ask about each row; a refusal takes the whole change back."""
        actor = acting.current()
        # What `sync` finds is no change of access until there are rules.
        if actor is not None or self._model in (Rule, Assignment):
            ledger.changed_in_bulk(self._model, was, becomes)
        if actor is not None:
            old = {row.pk: row for row in was}
            for row in becomes:
                _require(actor, self._model, old.get(row.pk), row)
            keyholders.require_reachable(actor, at_stake)
        if self._model is not Endpoint:
            issued_tokens.end_those_that_grew()

    def _rows(self, using: str) -> QuerySet[Any]:
        rows: QuerySet[Any] = self._model._base_manager.using(using)
        return rows


def _prepare() -> tuple[Actor | None, set[Any] | None]:
    """Remember what the person held before."""
    actor = acting.current()
    if actor is None:
        return None, None
    guards.require_own_hand(actor)
    if not guards.is_superuser(actor):
        guards.power_of(actor)
    return actor, keyholders.at_stake()


def _require(actor: Actor, model: type[Model], was: Any, becomes: Any) -> None:
    if model is Rule:
        roles.require_rule_change(actor, was, becomes)
    elif guards.is_superuser(actor):
        return
    elif model is Assignment:
        assignments.require_change(actor, was, becomes)
    elif model is Role:
        roles.require_slug(actor, None if was is None else was.slug, becomes.slug)
    elif was is None or (was.key, was.state) != (becomes.key, becomes.state):
        guards.require_superuser(actor, becomes.key)


def after_loaded(instance: AccessModel, using: str, raw: bool = False, **_: object) -> None:
    """A row from a fixture is stored without its own `save`, which would count up."""
    if raw:
        changed(instance.part, using=using)
