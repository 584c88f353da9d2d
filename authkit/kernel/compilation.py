"""Compile roles, rules and endpoints into a Snapshot.

Rules that differ only in their role become one mask, and every distinct pattern is looked
up once in a tree of the keys, so the work grows with the distinct patterns and what they
match, hardly with the number of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from authkit.exceptions import gettext_noop
from authkit.kernel.key_tree import KeyTree
from authkit.kernel.patterns import EndpointPattern, has_action
from authkit.kernel.policy import (
    BUILT_IN,
    EndpointDecl,
    PolicyError,
    Requirement,
    Role,
    Rule,
    inclusion_order,
    standing_of,
)
from authkit.kernel.snapshot import Cell, CompiledEndpoint, Snapshot

_Tally = dict[tuple[str, str, str | None], int]  # standing, effect, condition: roles


def compile_policy(
    roles: Iterable[Role], rules: Iterable[Rule], endpoints: Iterable[EndpointDecl]
) -> Snapshot:
    """Compile a whole policy. Built-in roles are there even if they are not listed.

    Neither the order of rules nor that of roles or endpoints makes a difference.

    Raises:
        InclusionCycle: roles include each other in a circle.
        PolicyError: a role or endpoint is given twice, or a rule or an inclusion refers
            to a role that is not there.
    """
    ordered = _in_order(roles)
    places = {role.id: place for place, role in enumerate(ordered)}
    declarations = _by_key(endpoints)
    groups = _grouped(rules, places)
    keys = KeyTree(declarations)
    matching: dict[str, list[_Group]] = {key: [] for key in declarations}
    for group in groups.values():
        for key in keys.under(group.pattern):
            matching[key].append(group)
    return Snapshot(
        endpoints={
            key: _compile_endpoint(declaration, matching[key])
            for key, declaration in declarations.items()
        },
        roles=ordered,
        closures=_closures(ordered, places),
        rules={
            text: {place: tuple(found) for place, found in group.rules.items()}
            for text, group in groups.items()
        },
    )


def compile_without_rules(endpoints: Iterable[EndpointDecl]) -> Snapshot:
    """Compile what is left when the rules cannot be loaded: only public actions answer."""
    declarations = _by_key(endpoints)
    ordered = _in_order(())
    return Snapshot(
        endpoints={
            key: _compile_endpoint(declaration, ()) for key, declaration in declarations.items()
        },
        roles=ordered,
        closures={role.id: 1 << place for place, role in enumerate(ordered)},
        rules={},
        is_available=False,
    )


@dataclass(slots=True)
class _Group:
    """All rules with one endpoint pattern; `kinds` holds them with their roles put together."""

    pattern: EndpointPattern
    kinds: dict[tuple[object, ...], tuple[Rule, int]] = field(default_factory=dict)
    rules: dict[int, list[Rule]] = field(default_factory=dict)


def _in_order(roles: Iterable[Role]) -> tuple[Role, ...]:
    known = {}
    for role in roles:
        if role.id in known:
            raise PolicyError(gettext_noop("two roles have the id %(id)r"), {"id": role.id})
        known[role.id] = role
    built_in = [known.pop(name, Role(name, name)) for name in BUILT_IN]
    return (*built_in, *(known[identifier] for identifier in sorted(known)))


def _by_key(endpoints: Iterable[EndpointDecl]) -> dict[str, EndpointDecl]:
    declarations: dict[str, EndpointDecl] = {}
    for endpoint in endpoints:
        if endpoint.key in declarations:
            problem = gettext_noop("two endpoints have the key %(key)r")
            raise PolicyError(problem, {"key": endpoint.key})
        declarations[endpoint.key] = endpoint
    return declarations


def _closures(roles: Sequence[Role], places: Mapping[str, int]) -> dict[str, int]:
    for role in roles:
        for included in role.includes:
            if included not in places:
                problem = gettext_noop("role %(role)r includes %(included)r, which is no role")
                raise PolicyError(problem, {"role": role.name, "included": included})
    closures: dict[str, int] = {}
    for identifier in inclusion_order(roles):
        reach = 1 << places[identifier]
        for included in roles[places[identifier]].includes:
            reach |= closures[included]
        closures[identifier] = reach
    return closures


def _grouped(rules: Iterable[Rule], places: Mapping[str, int]) -> dict[str, _Group]:
    bits = [1 << place for place in range(len(places))]
    groups: dict[str, _Group] = {}
    for rule in rules:
        place = places.get(rule.role)
        if place is None:
            problem = gettext_noop("the rule %(rule)r is of %(role)r, which is no role")
            raise PolicyError(problem, {"rule": str(rule), "role": rule.role})
        text = rule.endpoints.text
        group = groups.get(text)
        if group is None:
            group = groups[text] = _Group(rule.endpoints)
        kind = (rule.effect, rule.condition, rule.actions, rule.source)
        first, roles = group.kinds.get(kind, (rule, 0))
        group.kinds[kind] = (first, roles | bits[place])
        group.rules.setdefault(place, []).append(rule)
    return groups


def _compile_endpoint(declaration: EndpointDecl, groups: Iterable[_Group]) -> CompiledEndpoint:
    locked = _named(declaration.locked, declaration.actions)
    tallies: dict[str, _Tally] = {action: {} for action in declaration.actions}
    patterns = []
    for group in groups:
        patterns.append(group.pattern.text)
        for rule, roles in group.kinds.values():
            outcome = _outcome(rule, declaration, is_locked=False)
            outcome_if_locked = _outcome(rule, declaration, is_locked=True) if locked else outcome
            for action in _named(rule.actions, declaration.actions):
                tally = tallies[action]
                where = outcome_if_locked if action in locked else outcome
                tally[where] = tally.get(where, 0) | roles
    cells = {action: _cell(declaration, action, tally) for action, tally in tallies.items()}
    return CompiledEndpoint(declaration, cells, tuple(patterns))


def _outcome(
    rule: Rule, declaration: EndpointDecl, *, is_locked: bool
) -> tuple[str, str, str | None]:
    standing = standing_of(rule, declaration, is_locked=is_locked)
    return standing, rule.effect, rule.condition if standing == "counts" else None


@lru_cache(maxsize=65536)
def _named(words: tuple[str, ...], actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(action for action in actions if has_action(words, action))


def _cell(declaration: EndpointDecl, action: str, tally: _Tally) -> Cell:
    return Cell(
        is_public=has_action(declaration.public, action),
        requirement=_put_together(
            [demand for demand in declaration.requirements if has_action(demand.actions, action)]
        ),
        allow=tally.get(("counts", "allow", None), 0),
        deny=tally.get(("counts", "deny", None), 0),
        allow_if=_by_condition(tally, "allow"),
        deny_if=_by_condition(tally, "deny"),
        unknown_allow=tally.get(("condition_unknown", "allow", None), 0),
        unknown_deny=tally.get(("condition_unknown", "deny", None), 0),
        unreviewed=tally.get(("unreviewed", "allow", None), 0),
    )


def _by_condition(tally: _Tally, effect: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        sorted(
            (condition, roles)
            for (standing, its_effect, condition), roles in tally.items()
            if standing == "counts" and its_effect == effect and condition is not None
        )
    )


def _put_together(requirements: Sequence[Requirement]) -> Requirement | None:
    if not requirements:
        return None
    return Requirement(
        permissions=tuple(dict.fromkeys(name for one in requirements for name in one.permissions)),
        recent=min((one.recent for one in requirements if one.recent is not None), default=None),
        second_factor=any(one.second_factor for one in requirements),
    )
