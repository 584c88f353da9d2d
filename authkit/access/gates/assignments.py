"""Roles are given to people and groups, for longer or shorter, and taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from authkit.access import acting, guards, issued_tokens, keyholders, ledger, power
from authkit.access.acting import Actor
from authkit.access.gates import rows
from authkit.kernel.cover import Bundle
from authkit.kernel.language import PatternError
from authkit.models import Assignment
from authkit.models.access_revision import changed


def before_saved(
    instance: Assignment, using: str, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """A role is given, for another time, or to somebody else."""
    before = rows.stored(instance, using)
    actor = acting.current()
    rows.keep(instance, (before, None if actor is None else keyholders.at_stake()))
    if actor is None:
        return
    if before is None and instance.created_by_id is None:
        instance.created_by = actor.person
    if rows.has_expressions(instance):
        guards.require_superuser(actor, str(instance.pk))
        return
    require_change(actor, before, rows.intended(instance, before, update_fields))


def after_saved(instance: Assignment, **_: object) -> None:
    """Somebody must still reach the access pages, and tokens must not outgrow their makers."""
    before, at_stake = rows.kept(instance) or (None, None)
    ledger.saved(before, instance)
    actor = acting.current()
    if actor is not None:
        keyholders.require_reachable(actor, at_stake)
    issued_tokens.end_those_that_grew()


def before_deleted(
    instance: Assignment, using: str, origin: Model | QuerySet[Any] | None = None, **_: object
) -> None:
    """A role is taken back; when the person goes themselves, nobody gains by that."""
    ledger.about_to_go(instance)
    actor = acting.current()
    rows.keep(instance, None if actor is None else keyholders.at_stake())
    before = rows.stored(instance, using)
    if actor is not None and before is not None and not _is_of_person(origin):
        require_change(actor, before, None)


def after_deleted(instance: Assignment, using: str, **_: object) -> None:
    """Somebody must still reach the access pages, and tokens must not outgrow their makers.

    One that goes along with its role or its person counts up nowhere else: whoever had the
    role would have its namesake.
    """
    changed("people", using=using)
    ledger.deleted(instance)
    actor = acting.current()
    if actor is not None:
        keyholders.require_reachable(actor, rows.kept(instance))
    issued_tokens.end_those_that_grew()


def require_change(actor: Actor, before: Assignment | None, after: Assignment | None) -> None:
    """Ask about one assignment that becomes another, comes or goes.

    Raises:
        GuardRefusal: somebody may gain what the person does not hold, or holds more.
    """
    if guards.is_superuser(actor):
        return
    for row in filter(None, (before, after)):
        if row.user_id is not None:
            require_touch_of(actor, row.user_id)
    was, becomes = _counting(before), _counting(after)
    if becomes is not None and (was is None or _is_more(was, becomes)):
        require_roles(actor, [becomes.role_id], until=becomes.ends_at)
    if was is not None and (becomes is None or _is_more(becomes, was)):
        person_pk = was.user_id
        require_loss_of_roles(actor, [was.role_id], person_pk, without=Q(pk=was.pk))


def require_roles(actor: Actor, roles: Iterable[int], *, until: datetime | None = None) -> None:
    """Refuse to give roles that bring more than the person holds.

    Raises:
        ExceedsOwnAccess: they do.
    """
    if guards.is_superuser(actor):
        return
    brought = power.including(roles)
    guards.require_rules(actor, _bundle_of(actor, brought), until=until)
    guards.require_permissions(actor, power.permissions_of(brought), until=until)


def require_loss_of_roles(
    actor: Actor, roles: Iterable[int], person_pk: Any, *, without: Q
) -> None:
    """Refuse to take roles away whose deny rules somebody else has set.

    Args:
        actor: who does it.
        roles: which.
        person_pk: from whom; None for a whole group.
        without: the assignments that end with it.

    Raises:
        ExceedsOwnAccess: more would be open than the person holds.
    """
    denies = _bundle_of(actor, power.including(roles)).denies
    if not denies:
        return
    if person_pk is None:
        guards.require_loss(actor, denies, Bundle())
        return
    staying = power.assignments_of(person_pk).filter(power.not_over()).exclude(without)
    others = {*staying.values_list("role_id", flat=True)}
    remaining = power.including(others | power.built_in(is_staff=_is_staff(person_pk)))
    bundle = _bundle_of(actor, remaining)
    # A role that has yet to begin, or that ends, denies nothing for certain.
    lasting = staying.filter(Q(starts_at__isnull=True) | Q(starts_at__lte=timezone.now()))
    certain = {*lasting.filter(ends_at__isnull=True).values_list("role_id", flat=True)}
    always = power.including(certain | power.built_in(is_staff=False))
    remaining_denies = _bundle_of(actor, always).denies
    guards.require_loss(actor, denies, Bundle(bundle.allows, remaining_denies), is_all_known=True)


def require_touch_of(actor: Actor, person_pk: Any) -> None:
    """Refuse to change the account of somebody who holds more.

    Raises:
        AccountHoldsMore: they do.
    """
    model: Any = get_user_model()
    person = model._base_manager.filter(pk=person_pk).first()
    if person is not None:
        guards.require_touch(actor, person)


def _counting(row: Assignment | None) -> Assignment | None:
    """An assignment that counts now or will."""
    is_over = row is None or (row.ends_at is not None and row.ends_at <= timezone.now())
    return None if is_over else row


def _is_more(was: Assignment, becomes: Assignment) -> bool:
    """Whether somebody has it who had not, or for a time at which they had not."""
    return (
        (was.role_id, was.user_id, was.group_id)
        != (becomes.role_id, becomes.user_id, becomes.group_id)
        or (was.ends_at is not None and (becomes.ends_at is None or was.ends_at < becomes.ends_at))
        or (
            was.starts_at is not None
            and (becomes.starts_at is None or becomes.starts_at < was.starts_at)
        )
    )


def _is_of_person(origin: Model | QuerySet[Any] | None) -> bool:
    model = origin.model if isinstance(origin, QuerySet) else type(origin)
    return issubclass(model, get_user_model())


def _is_staff(person_pk: Any) -> bool:
    model: Any = get_user_model()
    return bool(getattr(model._base_manager.filter(pk=person_pk).first(), "is_staff", False))


def _bundle_of(actor: Actor, roles: Iterable[int]) -> Bundle:
    try:
        return power.bundle_of(roles)
    except PatternError as error:
        raise guards.broken(actor, error) from error
