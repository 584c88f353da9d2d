"""People: their flags, what they sign in with, their groups and permissions; groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from authkit.access import acting, guards, issued_tokens, keyholders, ledger, power, renewal
from authkit.access.acting import Actor
from authkit.access.gates import assignments, rows
from authkit.access.gates.relations import Change
from authkit.access.refusals import LastKeyholder
from authkit.kernel.cover import Bundle
from authkit.kernel.policy import STAFF
from authkit.models import Assignment, Role
from authkit.models.prepared import has_field

FLAGS = ("is_active", "is_staff", "is_superuser")


def before_saved(
    sender: Any,
    instance: Any,
    using: str,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    """A person is added, gets other flags, or signs in with something else."""
    names = [name for name in watched(sender) if update_fields is None or name in update_fields]
    if not names:
        return
    before = rows.stored(instance, using)
    changed = {name for name in names if differs(before, instance, name)}
    rows.keep(instance, (before, changed & {*FLAGS}))
    actor = acting.current()
    if actor is None or not changed:
        return
    is_alone = update_fields is not None and {*update_fields} == {"password"}
    if is_alone and before and renewal.is_being_renewed(instance, before.password):
        return
    require_change(actor, before, instance, changed)
    if before is not None:
        _require_keyholders(actor, before, instance, changed)


def require_change(actor: Actor, before: Any, after: Any, changed: Collection[str]) -> None:
    """Ask about one person who becomes another, or comes.

    Raises:
        GuardRefusal: they hold more, or would get flags that are not the actor's to give.
    """
    if rows.has_expressions(after, changed):
        guards.require_superuser(actor, ", ".join(sorted(changed)))
    guards.require_own_hand(actor)
    if before is not None:
        guards.require_touch(actor, before)
    _require_flags(actor, before, after, changed)


def after_saved(sender: Any, instance: Any, **_: object) -> None:
    """Write down the flags; tokens that somebody else made must not grow with them."""
    before, changed = rows.kept(instance) or (None, set())
    if before is None:
        changed = {name for name in changed if name != "is_active"}
    if changed:
        ledger.flags_changed(instance, before, changed)
        issued_tokens.end_those_that_grew()


def before_deleted(instance: Any, using: str, **_: object) -> None:
    """A person goes, and with them the tokens that they made for others."""
    before = rows.stored(instance, using) or instance
    actor = acting.current()
    rows.keep(instance, (before, None if actor is None else keyholders.at_stake()))
    if actor is not None:
        guards.require_own_hand(actor)
        guards.require_touch(actor, before)
    issued_tokens.end_those_made_by(instance)


def after_deleted(instance: Any, **_: object) -> None:
    """Looked at afterwards, because several may go at once."""
    before, at_stake = rows.kept(instance) or (instance, None)
    actor = acting.current()
    if actor is None:
        return
    if keyholders.holds_a_key(before):
        keyholders.require_others(actor, before)
    keyholders.require_reachable(actor, at_stake)


def before_groups_change(change: Change) -> None:
    """People join groups or leave them."""
    actor = acting.current()
    if actor is None or guards.is_superuser(actor):
        return
    for person_pk, group in change.pairs:
        assignments.require_touch_of(actor, person_pk)
        given = Assignment._base_manager.filter(power.not_over(), group=group)
        if change.is_adding:
            for assignment in given:
                assignments.require_roles(actor, [assignment.role_id], until=assignment.ends_at)
            permissions = Permission.objects.filter(group=group)
            guards.require_permissions(actor, power.names_of(permissions))
        else:
            roles = set(given.values_list("role_id", flat=True))
            gone = Q(group=group)
            assignments.require_loss_of_roles(actor, roles, person_pk, without=gone)


def before_permissions_change(change: Change) -> None:
    """Permissions are given to people, or taken from them."""
    actor = acting.current()
    if actor is None:
        return
    for person_pk in {person for person, _ in change.pairs}:
        assignments.require_touch_of(actor, person_pk)
    before_group_permissions_change(change)


def before_group_permissions_change(change: Change) -> None:
    """Permissions are given to groups, or taken from them."""
    actor = acting.current()
    if actor is not None and change.is_adding:
        added = Permission.objects.filter(pk__in={permission for _, permission in change.pairs})
        guards.require_permissions(actor, power.names_of(added))


def before_group_deleted(instance: Group, **_: object) -> None:
    """Its assignments go with it, and are asked about by themselves."""
    rows.keep(instance, keyholders.at_stake() if acting.current() else None)


def after_group_deleted(instance: Group, **_: object) -> None:
    """Somebody must still reach the access pages."""
    ledger.group_deleted(instance)
    actor = acting.current()
    if actor is not None:
        keyholders.require_reachable(actor, rows.kept(instance))
    issued_tokens.end_those_that_grew()


def watched(model: Any) -> Iterable[str]:
    """The fields of people that are asked about."""
    names = (*FLAGS, "password", model.USERNAME_FIELD, model.get_email_field_name())
    return [name for name in dict.fromkeys(names) if has_field(model, name)]


def differs(before: Any, after: Any, name: str) -> bool:
    """Whether a field of a person becomes another, as far as that is asked about."""
    if before is None:
        return name in FLAGS and bool(getattr(after, name)) is True
    value = after.__dict__.get(name, getattr(before, name))
    return bool(rows.is_expression(value) or value != getattr(before, name))


def _require_flags(actor: Actor, before: Any, after: Any, changed: Collection[str]) -> None:
    if "is_superuser" in changed and after.is_superuser:
        guards.require_superuser(actor, "is_superuser")
    if "is_staff" in changed and after.is_staff:
        guards.require_staff(actor, "is_staff")
    if "is_staff" in changed and before is not None and not after.is_staff:
        roles = Role._base_manager.filter(slug=STAFF).values_list("pk", flat=True)
        if not guards.is_superuser(actor):
            lost = power.bundle_of(power.including(roles)).denies
            guards.require_loss(actor, lost, Bundle())


def _require_keyholders(actor: Actor, before: Any, after: Any, changed: Collection[str]) -> None:
    is_less = any(name in FLAGS and not getattr(after, name) for name in changed)
    is_locked_out = "password" in changed and not after.has_usable_password()
    if not is_less and not is_locked_out:
        return
    if keyholders.holds_a_key(before):
        keyholders.require_others(actor, before)
    at_stake = keyholders.at_stake()
    if at_stake and at_stake <= {before.pk} and is_less:
        raise guards.refuse(actor, LastKeyholder())
