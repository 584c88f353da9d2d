"""An endpoint is looked at: rules come to count there that did not before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, cast

from authkit.access import acting, guards, issued_tokens, ledger, power
from authkit.access.acting import Actor
from authkit.access.gates import rows
from authkit.kernel.cover import Bundle
from authkit.kernel.language import PatternError, parse_endpoint_pattern
from authkit.kernel.patterns import has_action
from authkit.kernel.policy import EndpointDecl, Rule, State, standing_of
from authkit.models import Endpoint
from authkit.models import Rule as RuleRow


def before_saved(
    instance: Endpoint, using: str, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """Its state becomes another, or its key."""
    before = rows.stored(instance, using)
    rows.keep(instance, before)
    actor = acting.current()
    if actor is None or guards.is_superuser(actor):
        return
    after = rows.intended(instance, before, update_fields)
    if rows.has_expressions(after, ("key", "state")) or (
        before is not None and before.key != after.key
    ):
        guards.require_superuser(actor, str(instance.pk))
    _require_move(actor, after.key, "new" if before is None else before.state, after.state)


def after_saved(instance: Endpoint, **_: object) -> None:
    """Write down what it was and is; tokens must not outgrow who made them."""
    ledger.endpoint_saved(rows.kept(instance), instance)
    issued_tokens.end_those_that_grew()


def before_deleted(instance: Endpoint, using: str, **_: object) -> None:
    """Its key would be new again."""
    actor = acting.current()
    before = rows.stored(instance, using)
    if actor is not None and before is not None:
        _require_move(actor, before.key, before.state, "new")


def _require_move(actor: Actor, key: str, was: str, becomes: str) -> None:
    if was == becomes or guards.is_superuser(actor):
        return
    for endpoint in power.endpoints():
        if endpoint.key == key:
            before = replace(endpoint, state=cast(State, was))
            after = replace(endpoint, state=cast(State, becomes))
            wanted = tuple(_coming_to_count(_matching(actor, key), before, after))
            for rule in wanted:
                bundle = Bundle((rule,), _denies_along(rule))
                guards.require_rules(actor, bundle, endpoints=[after])


def _coming_to_count(
    rules: list[Rule], before: EndpointDecl, after: EndpointDecl
) -> Iterator[Rule]:
    """The allow rules, each as one that is about this key alone and looked at already."""
    exact = parse_endpoint_pattern(after.key)
    for rule in rules:
        for action in after.actions:
            is_locked = has_action(after.locked, action)
            if not has_action(rule.actions, action):
                continue
            stands = [standing_of(rule, each, is_locked=is_locked) for each in (before, after)]
            if stands[0] != "counts" and stands[1] == "counts":
                yield replace(rule, endpoints=exact, actions=(action,))


def _matching(actor: Actor, key: str) -> list[Rule]:
    found: Any = RuleRow._base_manager.filter(is_enabled=True, effect="allow")
    try:
        rules = [power.rule_of(row) for row in found.iterator(chunk_size=2000)]
    except PatternError as error:
        raise guards.broken(actor, error) from error
    return [rule for rule in rules if rule.endpoints.matches(key)]


def _denies_along(rule: Rule) -> tuple[Rule, ...]:
    return power.bundle_of(power.including([int(rule.role)])).denies
