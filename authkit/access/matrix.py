"""The matrix and the database: read a whole policy, preview edits of it, save them as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import router, transaction
from django.db.models import F, Q

from authkit import audit
from authkit.access import acting, guards, loading, policies
from authkit.access.grid import Grid
from authkit.access.grid_cells import Drift, Spot, Statement
from authkit.access.grid_edits import (
    Edit,
    Problem,
    RuleChange,
    StoredRule,
    changes_for,
    problem_of,
)
from authkit.access.loading import Policy
from authkit.access.refusals import text_of
from authkit.exceptions import NotPermitted
from authkit.kernel.language import parse_actions
from authkit.models import AccessRevision, Role, Rule

_COLUMNS = (
    "role__slug",
    "effect",
    "endpoints",
    "actions",
    "condition",
    "is_enabled",
    "source",
    "default",
    "id",
)


class AccessChanged(Exception):
    """Somebody else has changed access since the preview was made."""


class EditsRefused(Exception):
    """Some edits cannot be made.

    Attributes:
        problems: each such edit, with why.
    """

    def __init__(self, problems: Sequence[tuple[Edit, Problem]]) -> None:
        """Keep the problems."""
        self.problems = tuple(problems)
        super().__init__(", ".join(problem for _, problem in problems))


@dataclass(frozen=True, slots=True)
class Plan:
    """What edits would do to the policy as it is now."""

    policy: Policy
    edits: tuple[Edit, ...]
    changes: tuple[RuleChange, ...]
    problems: tuple[tuple[Edit, Problem], ...]


def read() -> Policy:
    """The policy as it is in the database at this moment.

    Raises:
        ValueError: the rules are not whole and valid; says why.
        AccessChanging: it would not stand still.
        django.db.Error: the database cannot be asked.
    """
    alias = _alias()
    known = policies.current()
    if known.snapshot.is_available and known.revision.policy == loading.revision_in(alias).policy:
        return known
    return loading.load(alias, settings.ROOT_URLCONF)


def grid_of(policy: Policy) -> Grid:
    """Its cells, with what has become of code's defaults."""
    changed, off = set(), dict[Spot, tuple[Statement, ...]]()
    for rule in _stored(~Q(default="") | Q(is_enabled=False)):
        if not rule.is_enabled:
            off[rule.spot] = (*off.get(rule.spot, ()), rule.statement)
        elif rule.source == "admin" and rule.id is not None:
            changed.add(rule.id)
    return Grid(policy.snapshot, Drift(frozenset(changed), off))


def plan(edits: Iterable[Edit], policy: Policy | None = None) -> Plan:
    """Work out what edits would change; raises what `read` raises."""
    policy = policy or read()
    grid = grid_of(policy)
    edits = tuple(edits)
    problems = tuple((edit, why) for edit in edits if (why := problem_of(grid, edit)))
    refused = {edit.spot for edit, _ in problems}
    sound = tuple(edit for edit in edits if edit.spot not in refused)
    keys = {edit.spot.key for edit in sound}
    by_spot: dict[Spot, list[StoredRule]] = {}
    for rule in _stored(Q(endpoints__in=keys)):
        by_spot.setdefault(rule.spot, []).append(rule)
    changes = [c for edit in sound for c in changes_for(edit, by_spot.get(edit.spot, ()))]
    return Plan(policy, sound, tuple(changes), problems)


def save(edits: Iterable[Edit], *, policy_number: int) -> Plan:
    """Make the changes of a preview, all or none of them.

    `policy_number` is that of the policy that the preview was made from.

    Raises:
        AccessChanged: the policy is another one by now.
        EditsRefused: an edit cannot be made.
        NotPermitted: a guard refuses it.
        ValueError, AccessChanging, django.db.Error: as `read`.
    """
    alias = _alias()
    with transaction.atomic(using=alias):
        _hold(alias)
        if loading.revision_in(alias).policy != policy_number:
            raise AccessChanged
        planned = plan(edits, read())
        if planned.problems:
            raise EditsRefused(planned.problems)
        for change in planned.changes:
            _store(change, _role(change.spot.role, alias), alias)
    return planned


def refused(planned: Plan) -> dict[RuleChange, str]:
    """What the guards would refuse, and in which words; nothing is changed.

    Each change is made, asked about on the way as ever, and taken back.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    found: dict[RuleChange, str] = {}
    actor = acting.current()
    if not planned.changes or actor is None or guards.is_superuser(actor):
        return found
    alias = _alias()
    # Nobody has tried anything yet, so what is noted on the way is taken back as well.
    with audit.of_request([]), transaction.atomic(using=alias):
        for change in planned.changes:
            try:
                with transaction.atomic(using=alias):
                    _store(change, _role(change.spot.role, alias), alias)
            except NotPermitted as refusal:
                found[change] = text_of(refusal)
            except ObjectDoesNotExist:  # gone since it was read: `save` will tell
                continue
        transaction.set_rollback(True, using=alias)
    return found


def _role(slug: str, alias: str) -> Role:
    """The role; one that is built in and of which nothing has been said yet is made."""
    role = Role._base_manager.using(alias).filter(slug=slug).first()
    if role is None:
        role = Role(slug=slug, name=slug.capitalize())
        role.save(using=alias)
    return role


def _store(change: RuleChange, role: Role, alias: str) -> None:
    before, after = change.before, change.after
    row = Rule(role=role)
    if before is not None:
        row = Rule.objects.using(alias).get(pk=cast(int, before.id))
    if after is None:
        row.delete(using=alias)
        return
    row.effect = after.effect
    row.endpoints = after.endpoints
    row.actions = ",".join(after.actions)
    row.condition = after.condition or ""
    row.is_enabled = after.is_enabled
    row.source = after.source
    row.default = after.default
    row.save(using=alias)


def _hold(alias: str) -> None:
    """Let nobody else change access until this transaction ends. Needs no row lock of SQL."""
    rows = AccessRevision._base_manager.using(alias).filter(pk=1)
    if not rows.update(number=F("number")):
        AccessRevision._base_manager.using(alias).bulk_create(
            [AccessRevision(pk=1)], ignore_conflicts=True
        )
        rows.update(number=F("number"))


def _stored(which: Q) -> Iterator[StoredRule]:
    rows = Rule._base_manager.using(_alias()).filter(which).order_by("id")
    for role, effect, endpoints, actions, condition, *rest in rows.values_list(*_COLUMNS):
        yield StoredRule(role, effect, endpoints, parse_actions(actions), condition or None, *rest)


def _alias() -> str:
    return router.db_for_write(AccessRevision)
