"""Many rows at once: `update`, `bulk_create` and `bulk_update`, inside their transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from authkit.access import acting, guards, issued_tokens, keyholders, ledger
from authkit.access.acting import Actor
from authkit.access.gates import assignments, roles
from authkit.models import Assignment, Endpoint, Role, Rule

Note = tuple[list[Any], set[Any] | None]


def before(rows: QuerySet[Any], **_: object) -> Note:
    """Remember what stood before, and what the person held."""
    actor = acting.current()
    if actor is None:
        return list(rows[: ledger.MOST]), None
    guards.require_own_hand(actor)
    if not guards.is_superuser(actor):
        guards.power_of(actor)
    return list(rows), keyholders.at_stake()


def after(sender: Any, note: Note, rows: Sequence[Any] | None, **_: object) -> None:
    """Ask about each row; a refusal takes the whole change back."""
    was, at_stake = note
    if rows is None:
        rows = list(sender._base_manager.filter(pk__in=[row.pk for row in was]))
    actor = acting.current()
    # What `sync` finds is no change of access until there are rules.
    if actor is not None or sender in (Rule, Assignment):
        ledger.changed_in_bulk(sender, was, rows)
    if actor is not None:
        old = {row.pk: row for row in was}
        for row in rows:
            _require(actor, sender, old.get(row.pk), row)
        keyholders.require_reachable(actor, at_stake)
    if sender is not Endpoint:
        issued_tokens.end_those_that_grew()


def _require(actor: Actor, model: Any, was: Any, becomes: Any) -> None:
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
