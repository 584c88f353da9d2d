"""Who gains and who loses by a change of policy: two snapshots, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from authkit.kernel.decision import Caller, Conditions, Decision
from authkit.kernel.judgement import decide
from authkit.kernel.policy import Role
from authkit.kernel.snapshot import Cell, Snapshot, places_in


@dataclass(frozen=True, slots=True)
class Stance:
    """What a role brings to one action, with all that it includes, for its holders.

    Attributes:
        allows: every object.
        allows_if: the objects where any of these conditions holds.
        denies: every object.
        denies_if: the objects where any of these conditions holds.
    """

    allows: bool = False
    allows_if: frozenset[str] = frozenset()
    denies: bool = False
    denies_if: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role of which the rules come to say something else about one action.

    Attributes:
        role: as it is afterwards, or was before it was deleted.
        key, action: where.
        before, after: what it brought and brings.
        gains: whether a holder may come to reach more. Whether a person does depends on
            what their other roles say: `compare_for` tells.
        loses: whether a holder may come to reach less.
    """

    role: Role
    key: str
    action: str
    before: Stance
    after: Stance
    gains: bool
    loses: bool


@dataclass(frozen=True, slots=True)
class CallerChange:
    """An action about which a caller gets another answer than before.

    Attributes:
        key, action: where.
        before, after: the decisions.
        gains: whether they may reach more: the action itself, or other objects.
        loses: whether they may reach less.
    """

    key: str
    action: str
    before: Decision
    after: Decision
    gains: bool
    loses: bool


def compare_roles(before: Snapshot, after: Snapshot) -> Iterator[RoleChange]:
    """List what each role's holders may gain or lose, by endpoint, action and role.

    Compares rules, inclusions and the endpoints' state; not what code requires.
    """
    roles = {role.id: role for role in (*before.roles, *after.roles)}
    by_place = tuple(roles[identifier] for identifier in sorted(roles))
    places = {role.id: place for place, role in enumerate(by_place)}
    old, new = _View(before, places), _View(after, places)
    for key, action in _accesses(before, after):
        was, becomes = old.layers(key, action), new.layers(key, action)
        if was == becomes:
            continue
        changed = 0
        for layer in was.keys() | becomes.keys():
            changed |= was.get(layer, 0) ^ becomes.get(layer, 0)
        for place in places_in(changed):
            change = _role_change(
                by_place[place], key, action, _stance(was, place), _stance(becomes, place)
            )
            if change.gains or change.loses:
                yield change


def compare_for(
    before: Snapshot, after: Snapshot, caller: Caller, *, now: datetime
) -> Iterator[CallerChange]:
    """List every action about which one caller gets another answer."""
    for key, action in _accesses(before, after):
        was = decide(before, caller, key, action, now=now)
        becomes = decide(after, caller, key, action, now=now)
        gains, loses = _reaches_more(was, becomes), _reaches_more(becomes, was)
        if gains or loses:
            yield CallerChange(key, action, was, becomes, gains, loses)


def stances(snapshot: Snapshot) -> Iterator[tuple[str, str, Mapping[str, Stance]]]:
    """For each endpoint and action, what each role brings to it, by the role's id.

    Roles that bring nothing are left out. What code opens to all is everyone's.
    """
    places = {role.id: place for place, role in enumerate(snapshot.roles)}
    view = _View(snapshot, places)
    for key, action in _accesses(snapshot, snapshot):
        layers = view.layers(key, action)
        present = 0
        for roles in layers.values():
            present |= roles
        yield (
            key,
            action,
            {snapshot.roles[place].id: _stance(layers, place) for place in places_in(present)},
        )


_Layer = tuple[str, str | None]  # effect, condition


class _View:
    """A snapshot with inclusion resolved, in an order of roles that two can share."""

    def __init__(self, snapshot: Snapshot, places: Mapping[str, int]) -> None:
        self._snapshot = snapshot
        self._holders = [0] * len(snapshot.roles)
        for identifier, closure in snapshot.closures.items():
            for place in places_in(closure):
                self._holders[place] |= 1 << places[identifier]
        self._everyone = (1 << len(places)) - 1
        self._known: dict[int, int] = {}

    def layers(self, key: str, action: str) -> dict[_Layer, int]:
        """For each effect and condition at an action, which roles bring it."""
        cell = self._snapshot.cell_of(key, action)
        if cell is None:
            return {}
        if cell.is_public:
            return {("allow", None): self._everyone}
        is_missing = self._snapshot.endpoints[key].declaration.state == "missing"
        if is_missing or not self._snapshot.is_available:
            return {}
        return {layer: self._having(roles) for layer, roles in _rule_layers(cell) if roles}

    def _having(self, roles: int) -> int:
        holders = self._known.get(roles)
        if holders is None:
            holders = 0
            for place in places_in(roles):
                holders |= self._holders[place]
            self._known[roles] = holders
        return holders


def _rule_layers(cell: Cell) -> Iterator[tuple[_Layer, int]]:
    yield ("allow", None), cell.allow
    yield ("deny", None), cell.deny | cell.unknown_deny
    for condition, roles in cell.allow_if:
        yield ("allow", condition), roles
    for condition, roles in cell.deny_if:
        yield ("deny", condition), roles


def _accesses(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str]]:
    for key in sorted(before.endpoints.keys() | after.endpoints.keys()):
        actions: set[str] = set()
        for snapshot in (before, after):
            if key in snapshot.endpoints:
                actions |= snapshot.endpoints[key].cells.keys()
        for action in sorted(actions):
            yield key, action


def _stance(layers: Mapping[_Layer, int], place: int) -> Stance:
    present = {layer for layer, roles in layers.items() if roles >> place & 1}
    return Stance(
        allows=("allow", None) in present,
        allows_if=frozenset(name for effect, name in present if name and effect == "allow"),
        denies=("deny", None) in present,
        denies_if=frozenset(name for effect, name in present if name and effect == "deny"),
    )


def _role_change(role: Role, key: str, action: str, before: Stance, after: Stance) -> RoleChange:
    return RoleChange(
        role=role,
        key=key,
        action=action,
        before=before,
        after=after,
        gains=_allows_more(before, after) or _denies_more(after, before),
        loses=_allows_more(after, before) or _denies_more(before, after),
    )


def _allows_more(one: Stance, other: Stance) -> bool:
    return not one.allows and (other.allows or bool(other.allows_if - one.allows_if))


def _denies_more(one: Stance, other: Stance) -> bool:
    return not one.denies and (other.denies or bool(other.denies_if - one.denies_if))


def _reaches_more(one: Decision, other: Decision) -> bool:
    if one.allowed or not other.may_enter:
        return False
    if other.allowed or not one.may_enter:
        return True
    return _holds_more(one.conditions or Conditions(), other.conditions or Conditions())


def _holds_more(one: Conditions, other: Conditions) -> bool:
    if set(one.none_of) - set(other.none_of):
        return True
    ours = {name for group in one.any_of for name in group}
    theirs = {name for group in other.any_of for name in group}
    return bool(one.any_of) and (not other.any_of or bool(theirs - ours))
