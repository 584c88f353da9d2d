"""A policy, compiled: for each endpoint and action, bit masks of roles.

Each role has a bit. A mask is a set of roles, and "does any of these roles allow?" is one
`&` of two integers, whatever the number of rules. `compilation` makes snapshots,
`judgement` decides by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from authkit.kernel.decision import Caller
from authkit.kernel.patterns import ANY, GROUPS, has_action
from authkit.kernel.policy import (
    ANYONE,
    AUTHENTICATED,
    STAFF,
    EndpointDecl,
    Requirement,
    Role,
    Rule,
    Standing,
    standing_of,
)

_SIDE_QUESTIONS = frozenset({"HEAD", "OPTIONS", "metadata"})
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one action of one endpoint. Masks name the roles that have a rule.

    Attributes:
        is_public: code opens it to all.
        requirement: what code demands here, put together; None for nothing.
        allow, deny: roles with a rule for every object.
        allow_if, deny_if: by condition, roles with a rule for some objects.
        unknown_allow, unknown_deny: roles whose rule has a condition unknown here.
        unreviewed: roles whose allow rule counts once the endpoint has been looked at.
    """

    is_public: bool
    requirement: Requirement | None
    allow: int
    deny: int
    allow_if: tuple[tuple[str, int], ...]
    deny_if: tuple[tuple[str, int], ...]
    unknown_allow: int
    unknown_deny: int
    unreviewed: int

    def may_allow(self, reach: int) -> bool:
        """Whether any of these roles allows, be it for some objects only."""
        return bool(reach & self.allow) or any(reach & roles for _, roles in self.allow_if)


@dataclass(frozen=True, slots=True)
class CompiledEndpoint:
    """One endpoint: its declaration, its cells, and the patterns in use that match it."""

    declaration: EndpointDecl
    cells: Mapping[str, Cell]
    patterns: tuple[str, ...]

    def named_by(self, word: str) -> tuple[str, ...]:
        """List the actions that a question about a word or group is about.

        HEAD, OPTIONS and DRF's metadata only accompany the others: "may they read?" is
        about them when there is nothing else to read.
        """
        if word in self.cells:
            return (word,)
        if word != ANY and word not in GROUPS:
            return ()
        named = tuple(action for action in self.cells if has_action((word,), action))
        return tuple(action for action in named if action not in _SIDE_QUESTIONS) or named


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A whole policy at one moment. It never changes; a newer one takes its place.

    Attributes:
        endpoints: by key.
        roles: in the order of their bits.
        closures: for each role id, the mask of that role and all that it includes.
        rules: by text of the endpoint pattern and place of the role, for explanations.
        is_available: False when the rules could not be loaded, whole and valid.
    """

    endpoints: Mapping[str, CompiledEndpoint]
    roles: tuple[Role, ...]
    closures: Mapping[str, int]
    rules: Mapping[str, Mapping[int, tuple[Rule, ...]]] = field(repr=False)
    is_available: bool = True
    _remembered: dict[frozenset[str], int] = field(default_factory=dict, repr=False)

    def cell_of(self, key: str, action: str) -> Cell | None:
        """Find what is known of an action; None when it is not known at all."""
        endpoint = self.endpoints.get(key)
        return endpoint.cells.get(action) if endpoint is not None else None

    def actions_of(self, key: str, word: str) -> tuple[str, ...]:
        """List the actions that a question about an endpoint and a word is about."""
        endpoint = self.endpoints.get(key)
        return endpoint.named_by(word) if endpoint is not None else ()

    def reach_of(self, caller: Caller) -> int:
        """Mask of all roles that a caller has: assigned, included and built-in.

        Roles that this snapshot doesn't know count for nothing.
        """
        closures = self.closures
        if not caller.is_authenticated:
            return closures[ANYONE]
        reach = closures[ANYONE] | closures[AUTHENTICATED]
        if caller.is_staff:
            reach |= closures[STAFF]
        if caller.roles:
            assigned = self._remembered.get(caller.roles)
            reach |= self._close(caller.roles) if assigned is None else assigned
        return reach

    def roles_in(self, mask: int) -> tuple[Role, ...]:
        """List the roles of a mask."""
        return tuple(self.roles[place] for place in places_in(mask))

    def holders_of(self, mask: int) -> frozenset[str]:
        """Name the roles whose holders have any role of a mask, by inclusion or themselves."""
        return frozenset(name for name, closure in self.closures.items() if closure & mask)

    def rules_at(self, key: str, action: str, reach: int) -> Iterator[tuple[Rule, Standing]]:
        """List these roles' rules that match an action, each with whether it counts."""
        endpoint = self.endpoints[key]
        declaration = endpoint.declaration
        is_locked = has_action(declaration.locked, action)
        for pattern in endpoint.patterns:
            for place, rules in self.rules[pattern].items():
                if reach >> place & 1:
                    for rule in rules:
                        if has_action(rule.actions, action):
                            yield rule, standing_of(rule, declaration, is_locked=is_locked)

    def _close(self, roles: frozenset[str]) -> int:
        reach = 0
        for role in roles:
            reach |= self.closures.get(role, 0)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[roles] = reach
        return reach


def places_in(mask: int) -> Iterator[int]:
    """Walk through the places of a mask's set bits, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
