"""Who gains and who loses by a change of the policy: by role, with the people who have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from authkit.access.holders import having_any
from authkit.access.loading import Policy
from authkit.kernel.difference import RoleChange, Stance, compare_roles
from authkit.kernel.policy import Role
from authkit.kernel.snapshot import Snapshot
from authkit.models.prepared import has_field

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """Actions of one endpoint about which a role comes to say something else."""

    key: str
    actions: tuple[str, ...]
    before: Stance
    after: Stance
    gains: bool
    loses: bool


@dataclass(frozen=True, slots=True)
class RoleGain:
    """What changes for the holders of one role.

    Attributes:
        people: how many active people have it now.
        names: of some of them.
    """

    role: Role
    people: int
    names: tuple[str, ...]
    turns: tuple[Turn, ...]

    @property
    def more(self) -> int:
        """How many people are not named."""
        return self.people - len(self.names)


def gains_by_role(policy: Policy, after: Snapshot, *, now: datetime) -> list[RoleGain]:
    """Compare; two queries for each role about which something changes."""
    by_role: dict[Role, list[RoleChange]] = {}
    for change in compare_roles(policy.snapshot, after):
        by_role.setdefault(change.role, []).append(change)
    order = {role.id: place for place, role in enumerate(after.roles)}
    return [
        RoleGain(role, *_holders(policy, role, now), tuple(_turns(by_role[role])))
        for role in sorted(by_role, key=lambda role: order[role.id])
    ]


def _turns(changes: list[RoleChange]) -> Iterator[Turn]:
    together: dict[tuple[str, Stance, Stance, bool, bool], list[str]] = {}
    for change in changes:
        what = (change.key, change.before, change.after, change.gains, change.loses)
        together.setdefault(what, []).append(change.action)
    for (key, before, after, gains, loses), actions in together.items():
        yield Turn(key, tuple(actions), before, after, gains, loses)


def _holders(policy: Policy, role: Role, now: datetime) -> tuple[int, tuple[str, ...]]:
    model: Any = get_user_model()
    holding = having_any(policy, [role.id], now=now)
    people = model._default_manager.filter(holding).order_by(model.USERNAME_FIELD)
    if has_field(model, "is_active"):
        people = people.filter(is_active=True)
    count = people.count()
    names = tuple(str(person) for person in people[:_MOST_NAMES]) if count else ()
    return count, names
