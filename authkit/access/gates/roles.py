"""Roles, their rules, what they include, and the Django permissions that they carry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import Permission

from authkit.access import (
    acting,
    defaults,
    discovery,
    guards,
    issued_tokens,
    keyholders,
    ledger,
    power,
)
from authkit.access.acting import Actor
from authkit.access.gates import rows
from authkit.access.gates.relations import Change
from authkit.kernel import policy
from authkit.kernel.cover import Bundle, first_uncovered
from authkit.kernel.language import PatternError, parse_actions, parse_endpoint_pattern
from authkit.kernel.policy import BUILT_IN
from authkit.models import Role, Rule
from authkit.models.access_revision import changed


def before_rule_is_saved(
    instance: Rule, using: str, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """A rule is added, changed, switched on or off."""
    before = rows.stored(instance, using)
    rows.keep(instance, before)
    actor = acting.current()
    if actor is not None:
        if rows.has_expressions(instance):
            guards.require_superuser(actor, str(instance.pk))
            return
        require_rule_change(actor, before, rows.intended(instance, before, update_fields))


def after_rule_is_saved(instance: Rule, **_: object) -> None:
    """Write down what it was and is; tokens must not outgrow who made them."""
    ledger.saved(rows.kept(instance), instance)
    issued_tokens.end_those_that_grew()


def before_rule_is_deleted(instance: Rule, using: str, **_: object) -> None:
    """A rule goes, by itself or with its role."""
    ledger.about_to_go(instance)
    actor = acting.current()
    before = rows.stored(instance, using)
    if actor is not None and before is not None:
        require_rule_change(actor, before, None)


def after_rule_is_deleted(instance: Rule, **_: object) -> None:
    """Write down what it was."""
    ledger.deleted(instance)
    issued_tokens.end_those_that_grew()


def require_rule_change(actor: Actor, before: Rule | None, after: Rule | None) -> None:
    """Ask about one rule that becomes another, comes or goes.

    Raises:
        GuardRefusal: somebody may gain what the person does not hold.
    """
    was, becomes = _in_force(before), _in_force(after)
    try:
        new = None if becomes is None else power.rule_of(becomes)
    except (PatternError, TypeError) as error:
        raise guards.broken(actor, error) from error
    if guards.is_superuser(actor):
        return
    if before is not None:
        _require_what_sync_would_do(actor, before, after)
    old = None if was is None else _readable(was)
    was_in, is_in = was and was.role_id, becomes and becomes.role_id
    if new is not None and new.effect == "allow":
        had = Bundle.of([old] if old is not None and was_in == is_in else [])
        if first_uncovered(Bundle((new,)), had, power.endpoints()) is not None:
            along = _rules_of(actor, power.including([is_in or 0]), without=new.id).denies
            guards.require_rules(actor, Bundle((new,), along))
    if old is not None and old.effect == "deny" and power.is_anybodys(was_in or 0):
        others = _rules_of(actor, power.including([was_in or 0]), without=old.id).denies
        instead = Bundle.of([new] if new is not None and was_in == is_in else [])
        guards.require_loss(actor, [old], Bundle((), (*others, *instead.denies)))


def before_role_is_saved(
    instance: Role, using: str, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """A role gets another short name: some names mean something by themselves."""
    before = rows.stored(instance, using)
    rows.keep(instance, before)
    actor = acting.current()
    if actor is None:
        return
    after = rows.intended(instance, before, update_fields)
    require_slug(actor, None if before is None else before.slug, after.slug)


def require_slug(actor: Actor, was: str | None, becomes: str) -> None:
    """Refuse to take a short name that brings rules by itself.

    Raises:
        ExceedsOwnAccess: it is built in, or code gives it default rules.
    """
    if becomes == was:
        return
    means_something = {was, becomes} & {*BUILT_IN} or becomes in named_by_code()
    if rows.is_expression(becomes) or means_something:
        guards.require_superuser(actor, str(becomes))


def after_role_is_saved(instance: Role, using: str, **_: object) -> None:
    """Write down what it was and is. Processes know who has it by its short name."""
    before = rows.kept(instance)
    if before is not None and before.slug != instance.slug:
        changed("people", using=using)
    ledger.saved(before, instance)


def before_role_is_deleted(instance: Role, **_: object) -> None:
    """Whoever had it by inclusion loses what it denied."""
    ledger.about_to_go(instance)
    actor = acting.current()
    rows.keep(instance, None if actor is None else keyholders.at_stake())
    if actor is not None and power.is_anybodys(instance.pk):
        lost = _rules_of(actor, power.including([instance.pk])).denies
        guards.require_loss(actor, lost, Bundle())


def after_role_is_deleted(instance: Role, **_: object) -> None:
    """Somebody must still reach the access pages."""
    ledger.deleted(instance)
    actor = acting.current()
    if actor is not None:
        keyholders.require_reachable(actor, rows.kept(instance))
    issued_tokens.end_those_that_grew()


def before_includes_change(change: Change) -> None:
    """Roles include others, or no longer do."""
    actor = acting.current()
    if actor is None:
        return
    for outer, inner in change.pairs:
        brought = power.including([inner])
        if change.is_adding:
            _require_no_circle(actor, outer, brought)
            along = _rules_of(actor, power.including([outer])).denies
            bundle = _rules_of(actor, brought)
            guards.require_rules(actor, replace(bundle, denies=(*bundle.denies, *along)))
            guards.require_permissions(actor, power.permissions_of(brought))
        elif power.is_anybodys(outer):
            staying = [other for other in _directly_included(outer) if (outer, other) not in change]
            remaining = _rules_of(actor, {outer} | power.including(staying)).denies
            guards.require_loss(actor, _rules_of(actor, brought).denies, Bundle((), remaining))


def before_permissions_change(change: Change) -> None:
    """Permissions are given to roles, or taken from them."""
    actor = acting.current()
    if actor is not None and change.is_adding:
        added = Permission.objects.filter(pk__in={permission for _, permission in change.pairs})
        guards.require_permissions(actor, power.names_of(added))


def named_by_code() -> set[str]:
    """Short names to which code gives default rules, or may with the next `sync`."""
    found = discovery.registry().endpoints.values()
    return {slug for endpoint in found for allow, _ in endpoint.allows() for slug in allow.roles}


def _require_what_sync_would_do(actor: Actor, before: Rule, after: Rule | None) -> None:
    """Where a default of code was edited or switched off, the row keeps code's word out.

    Without it, the next `sync` would put all in force that code declares there.
    """
    if after is not None and _keeps_out(after) and _place(after) == _place(before):
        return
    if _keeps_out(before):
        declared = defaults.declared_in(discovery.registry())
        place = _place(before)
        rules = [rule_of_default(d) for d in declared if (d.role, d.key) == place]
        guards.require_rules(actor, Bundle(tuple(rules)))


def rule_of_default(default: defaults.Default) -> policy.Rule:
    """A default of code, as the kernel knows rules."""
    return policy.Rule(
        "allow",
        default.role,
        parse_endpoint_pattern(default.key),
        parse_actions(default.actions),
        default.condition or None,
        "code",
    )


def _keeps_out(rule: Rule) -> bool:
    return defaults.is_edited(rule) or (not rule.is_enabled and not rule.default)


def _place(rule: Rule) -> tuple[str, str]:
    return rule.role.slug, defaults.key_of(rule)


def _require_no_circle(actor: Actor, outer: int, brought: Iterable[int]) -> None:
    if outer in brought:
        names = Role._base_manager.filter(pk=outer).values_list("name", flat=True)
        raise guards.broken(actor, ValueError(" ".join(names)))


def _directly_included(role: int) -> list[int]:
    pairs: Any = Role.includes.through._base_manager.filter(from_role=role)
    return list(pairs.values_list("to_role_id", flat=True))


def _in_force(rule: Rule | None) -> Rule | None:
    return rule if rule is not None and rule.is_enabled else None


def _readable(row: Rule) -> Any:
    """What a stored row says; one that cannot be read says nothing."""
    try:
        return power.rule_of(row)
    except PatternError:
        return None


def _rules_of(actor: Actor, roles: Iterable[int], *, without: int | None = None) -> Bundle:
    try:
        return power.bundle_of(roles, without=without)
    except PatternError as error:
        if guards.is_superuser(actor):
            return Bundle()
        raise guards.broken(actor, error) from error
