"""The order of decision, written down again as plainly as it can be said.

No masks, nothing prepared, nothing shared with the kernel but its values: every question
walks through every rule. Conditions are judged for one object at a time; an object is the
set of the conditions that hold for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

from authkit.kernel.decision import Caller
from authkit.kernel.policy import EndpointDecl, Rule
from tests.kernel.policies import CONDITIONS, NOON, Policy

READ = ["read", "list", "retrieve", "metadata", "GET", "HEAD", "OPTIONS"]
CREATE = ["create", "POST"]
UPDATE = ["update", "partial_update", "PUT", "PATCH"]
DELETE = ["delete", "destroy", "DELETE"]


def objects() -> list[frozenset[str]]:
    """One object for each set of conditions that can hold."""
    return [
        frozenset(held)
        for size in range(len(CONDITIONS) + 1)
        for held in combinations(CONDITIONS, size)
    ]


def decide(policy: Policy, caller: Caller, key: str, action: str) -> tuple[bool | None, str]:
    """Allowed, refused, or None for "some objects"; and the reason."""
    for allowed, reason in before_the_rules(policy, caller, key, action):
        return allowed, reason
    return by_rules(policy, caller, endpoint_of(policy, key), action)


def reached(policy: Policy, caller: Caller, key: str, action: str) -> list[frozenset[str]]:
    """The objects for which the answer is yes."""
    for allowed, _ in before_the_rules(policy, caller, key, action):
        return objects() if allowed else []
    return reached_by_rules(policy, caller, endpoint_of(policy, key), action)


def endpoint_of(policy: Policy, key: str) -> EndpointDecl:
    return next(endpoint for endpoint in policy.endpoints if endpoint.key == key)


def before_the_rules(
    policy: Policy, caller: Caller, key: str, action: str
) -> Iterator[tuple[bool, str]]:
    """What the steps before the rules answer; the first answer counts."""
    is_known = any(key == each.key and action in each.actions for each in policy.endpoints)
    if is_known and means(endpoint_of(policy, key).public, action):
        yield True, "public"
    if not caller.is_authenticated and not (
        is_known and counting(policy, caller, endpoint_of(policy, key), action, "allow")
    ):
        yield False, "anonymous"
    if caller.is_authenticated and not caller.is_active:
        yield False, "inactive"
    if all(key != each.key for each in policy.endpoints):
        yield False, "unknown_endpoint"
    if not is_known:
        yield False, "unknown_action"
    if endpoint_of(policy, key).state == "missing":
        yield False, "endpoint_not_active"
    yield from unmet(caller, endpoint_of(policy, key), action)
    if caller.scopes is not None and not any(
        in_scope(scope, key, action) for scope in caller.scopes
    ):
        yield False, "scope_insufficient"
    if caller.is_authenticated and caller.is_superuser:
        yield True, "superuser"


def unmet(caller: Caller, endpoint: EndpointDecl, action: str) -> Iterator[tuple[bool, str]]:
    demands = [each for each in endpoint.requirements if means(each.actions, action)]
    for demand in demands:
        for permission in demand.permissions:
            is_almighty = caller.is_authenticated and caller.is_superuser
            if not caller.has_permission(permission) and not is_almighty:
                yield False, "requirement_not_met"
    for demand in demands:
        if demand.second_factor and not caller.has_second_factor:
            yield False, "second_factor_required"
    for demand in demands:
        if demand.recent is not None and (
            caller.authenticated_at is None
            or NOON - caller.authenticated_at >= demand.recent
            or caller.authenticated_at - NOON > timedelta(minutes=1)
        ):
            yield False, "recent_sign_in_required"


def by_rules(
    policy: Policy, caller: Caller, endpoint: EndpointDecl, action: str
) -> tuple[bool | None, str]:
    denies = matching(policy, caller, endpoint, action, "deny")
    if any(each.condition is None for each in denies):
        return False, "denied_by_rule"
    if any(each.condition not in endpoint.conditions for each in denies):
        return False, "condition_unknown"
    if not counting(policy, caller, endpoint, action, "allow"):
        return False, silence(policy, caller, endpoint, action)
    them = reached_by_rules(policy, caller, endpoint, action)
    if not them:
        return False, "denied_by_rule"
    if len(them) == len(objects()):
        return True, "allowed_by_rule"
    return None, "allowed_if"


def reached_by_rules(
    policy: Policy, caller: Caller, endpoint: EndpointDecl, action: str
) -> list[frozenset[str]]:
    found = []
    for held in objects():
        is_denied = any(
            each.condition is None
            or each.condition not in endpoint.conditions
            or each.condition in held
            for each in matching(policy, caller, endpoint, action, "deny")
        )
        is_allowed = any(
            each.condition is None or each.condition in held
            for each in counting(policy, caller, endpoint, action, "allow")
        )
        if is_allowed and not is_denied:
            found.append(held)
    return found


def silence(policy: Policy, caller: Caller, endpoint: EndpointDecl, action: str) -> str:
    allows = [
        each
        for each in matching(policy, caller, endpoint, action, "allow")
        if opens(each, endpoint, action) or not means(endpoint.locked, action)
    ]
    if any(not opens(each, endpoint, action) for each in allows):
        return "endpoint_not_active"
    return "condition_unknown" if allows else "no_rule"


def counting(
    policy: Policy, caller: Caller, endpoint: EndpointDecl, action: str, effect: str
) -> list[Rule]:
    return [
        each
        for each in matching(policy, caller, endpoint, action, effect)
        if opens(each, endpoint, action)
        and (each.condition is None or each.condition in endpoint.conditions)
    ]


def opens(each: Rule, endpoint: EndpointDecl, action: str) -> bool:
    names_it = str(each.endpoints) == endpoint.key
    if means(endpoint.locked, action) or endpoint.state in ("returned", "missing"):
        return names_it and each.source == "code"
    return names_it or endpoint.state != "new"


def matching(
    policy: Policy, caller: Caller, endpoint: EndpointDecl, action: str, effect: str
) -> list[Rule]:
    held = held_roles(policy, caller)
    return [
        each
        for each in policy.rules
        if each.effect == effect
        and each.role in held
        and falls_under(str(each.endpoints).split("."), endpoint.key.split("."))
        and means(each.actions, action)
    ]


def held_roles(policy: Policy, caller: Caller) -> set[str]:
    held = {"anyone"}
    if caller.is_authenticated:
        held |= {"authenticated"} | caller.roles
        if caller.is_staff:
            held.add("staff")
    while True:
        more = {included for role in policy.roles if role.id in held for included in role.includes}
        if more <= held:
            return held
        held |= more


def falls_under(pattern: list[str], key: list[str]) -> bool:
    if not pattern or not key:
        return pattern == key
    if pattern == ["*"]:
        return True
    return pattern[0] in ("*", key[0]) and falls_under(pattern[1:], key[1:])


def means(words: tuple[str, ...], action: str) -> bool:
    for word in words:
        if word in ("*", action):
            return True
        for group, members in [("read", READ), ("create", CREATE), ("update", UPDATE)]:
            if word == group and action in members:
                return True
        if word == "delete" and action in DELETE:
            return True
        if word == "GET" and action == "HEAD":
            return True
    return False


def in_scope(scope: str, key: str, action: str) -> bool:
    pattern, colon, actions = scope.partition(":")
    if not colon:
        return False
    return falls_under(pattern.split("."), key.split(".")) and means(
        tuple(actions.split(",")), action
    )
