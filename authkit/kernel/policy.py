"""What a policy is made of: roles, rules, and what code declares of its endpoints.

These are values. `compilation` turns them into a Snapshot, `judgement` decides by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from authkit.exceptions import gettext_noop
from authkit.kernel.patterns import ANY, EndpointPattern
from authkit.kernel.problem import Problem

Effect = Literal["allow", "deny"]
Source = Literal["code", "admin"]
State = Literal["new", "returned", "active", "missing"]

ANYONE = "anyone"
AUTHENTICATED = "authenticated"
STAFF = "staff"
BUILT_IN = (ANYONE, AUTHENTICATED, STAFF)


class PolicyError(Problem):
    """Roles, rules and endpoints do not make a whole and valid policy."""


class InclusionCycle(PolicyError):
    """Roles include each other in a circle.

    Attributes:
        roles: ids along the circle; the first is repeated at the end.
    """

    def __init__(self, roles: tuple[str, ...], names: Mapping[str, str]) -> None:
        """Name the circle for people, by the roles' names."""
        self.roles = roles
        way = " → ".join(names.get(role, role) for role in roles)
        super().__init__(
            gettext_noop("roles include each other in a circle: %(way)s"), {"way": way}
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of rules.

    Attributes:
        id: what rules and assignments refer to. Never a name, so that a user or a role
            who is called like another gains nothing by it. `BUILT_IN` ids are reserved.
        name: for people.
        includes: ids of the roles whose rules its holders have as well.
    """

    id: str
    name: str
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Allow or deny: a role, endpoints, actions, perhaps only where a condition holds.

    Attributes:
        effect: "allow" or "deny".
        role: id of the role that has the rule.
        endpoints: which endpoints it is about.
        actions: words, canonical (`parse_actions`).
        condition: name of a registered condition; None when it holds for every object.
        source: "code" for a default that no administrator has changed, else "admin".
        id: the caller's own reference, say the primary key of its row.
    """

    effect: Effect
    role: str
    endpoints: EndpointPattern
    actions: tuple[str, ...]
    condition: str | None = None
    source: Source = "admin"
    id: int | None = None

    def __str__(self) -> str:
        """Write it as people read it: ``allow editor api.article:update when own``."""
        when = f" when {self.condition}" if self.condition else ""
        return f"{self.effect} {self.role} {self.endpoints}:{','.join(self.actions)}{when}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What code demands of everyone, superusers included, before any rule is asked.

    Attributes:
        permissions: Django permissions (``app.codename``), all of them. Superusers hold
            every one.
        recent: how long ago the person may have proved who they are.
        second_factor: whether a second factor must have been part of it.
        actions: words for the actions it is about.
    """

    permissions: tuple[str, ...] = ()
    recent: timedelta | None = None
    second_factor: bool = False
    actions: tuple[str, ...] = (ANY,)


@dataclass(frozen=True, slots=True)
class EndpointDecl:
    """An endpoint as code declares it and as administrators know it.

    Attributes:
        key: stable name, in the language of `patterns`.
        actions: every action that a request can ask of it; any other is refused.
        state: "active"; "new" until an administrator has looked at it; "returned" when
            it vanished, came back and was not looked at since; "missing" when the
            URLconf does not reach it. See `standing_of` for what follows.
        public: words for actions that are open to all, whatever the rules.
        locked: words for actions on which only code may allow.
        requirements: all of those about an action must be met.
        conditions: names of the conditions that can be evaluated for its objects. Any
            other name is unknown here.
    """

    key: str
    actions: tuple[str, ...]
    state: State = "active"
    public: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    conditions: frozenset[str] = field(default_factory=frozenset)


Standing = Literal["counts", "unreviewed", "locked", "condition_unknown"]


def standing_of(rule: Rule, endpoint: EndpointDecl, *, is_locked: bool) -> Standing:
    """Tell whether a rule that matches an action counts there, or why not.

    Deny rules always count; one whose condition is unknown denies every object. An allow
    rule does not count

    - on a locked action, unless it is code's own default for this very key;
    - on a new endpoint, unless it names this very key (an old ``api.*`` opens nothing
      that nobody has looked at);
    - on a returned endpoint, unless it is code's own default for this very key (what was
      allowed to its namesake is asked about again);
    - when its condition is unknown.
    """
    if rule.effect == "allow":
        is_exact = rule.endpoints.is_exact
        is_default = is_exact and rule.source == "code"
        if is_locked and not is_default:
            return "locked"
        if endpoint.state == "new" and not is_exact:
            return "unreviewed"
        if endpoint.state in ("returned", "missing") and not is_default:
            return "unreviewed"
    if rule.condition is not None and rule.condition not in endpoint.conditions:
        return "condition_unknown"
    return "counts"


def inclusion_order(roles: Iterable[Role]) -> tuple[str, ...]:
    """Order role ids so that each comes after the roles it includes.

    Raises:
        InclusionCycle: they include each other in a circle.
    """
    names = {}
    graph = {}
    for role in roles:
        names[role.id] = role.name
        graph[role.id] = sorted(role.includes)
    try:
        return tuple(TopologicalSorter(dict(sorted(graph.items()))).static_order())
    except CycleError as error:
        raise InclusionCycle(_from_smallest(error.args[1]), names) from None


def _from_smallest(circle: list[str]) -> tuple[str, ...]:
    steps = circle[:0:-1]  # graphlib names the included role first, and one role twice
    start = steps.index(min(steps))
    way = steps[start:] + steps[:start]
    return (*way, way[0])
