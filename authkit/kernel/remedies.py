"""What would have to change so that a refused request is let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from authkit.kernel.decision import Caller
from authkit.kernel.judgement import all_unmet, decide, missing_permissions
from authkit.kernel.language import reaches
from authkit.kernel.patterns import Access, has_action
from authkit.kernel.policy import BUILT_IN, Requirement, Role, Rule
from authkit.kernel.snapshot import Cell, Snapshot

RemedyCode = Literal[
    "restore_rules",
    "sync_endpoints",
    "sign_in",
    "activate_user",
    "grant_permissions",
    "prove_second_factor",
    "sign_in_again",
    "use_wider_scope",
    "remove_deny_rules",
    "review_endpoint",
    "register_condition",
    "give_role_or_rule",
    "allow_in_code",
]


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that would have to change; all remedies together open the door.

    Attributes:
        code: what kind of change.
        access: what the change would have to reach, for "use_wider_scope",
            "give_role_or_rule" (an allow rule for any role of theirs) and "allow_in_code".
        permissions: all that are missing, for "grant_permissions".
        rules: all that are in the way, for "remove_deny_rules"; those that would count,
            for "review_endpoint" and "register_condition".
        roles: any one of them would do, for "give_role_or_rule" and "allow_in_code".
    """

    code: RemedyCode
    access: Access | None = None
    permissions: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    roles: tuple[Role, ...] = ()


def remedies_for(
    snapshot: Snapshot, caller: Caller, key: str, action: str, *, now: datetime
) -> tuple[Remedy, ...]:
    """List what stands between a caller and an action; nothing when they may enter.

    What only shows once the rules are back, the endpoint is known or the person has
    signed in is not guessed at.
    """
    if decide(snapshot, caller, key, action, now=now).may_enter:
        return ()
    if not snapshot.is_available:
        return (Remedy("restore_rules"),)
    cell = snapshot.cell_of(key, action)
    if cell is None or snapshot.endpoints[key].declaration.state == "missing":
        return (Remedy("sync_endpoints"),)
    if not caller.is_authenticated:
        return (Remedy("sign_in"),)
    return tuple(_in_the_way(snapshot, caller, Access(key, action), cell, now=now))


def _in_the_way(
    snapshot: Snapshot, caller: Caller, access: Access, cell: Cell, *, now: datetime
) -> Iterator[Remedy]:
    if not caller.is_active:
        yield Remedy("activate_user")
    if cell.requirement is not None:
        yield from _owed(cell.requirement, caller, now=now)
    if caller.scopes is not None and not reaches(caller.scopes, *access):
        yield Remedy("use_wider_scope", access=access)
    if not caller.is_superuser:
        yield from _of_the_rules(snapshot, snapshot.reach_of(caller), access, cell)


def _owed(requirement: Requirement, caller: Caller, *, now: datetime) -> Iterator[Remedy]:
    for reason in all_unmet(requirement, caller, now=now):
        if reason == "requirement_not_met":
            missing = tuple(missing_permissions(requirement, caller))
            yield Remedy("grant_permissions", permissions=missing)
        elif reason == "second_factor_required":
            yield Remedy("prove_second_factor")
        else:
            yield Remedy("sign_in_again")


def _of_the_rules(snapshot: Snapshot, reach: int, access: Access, cell: Cell) -> Iterator[Remedy]:
    matching = tuple(snapshot.rules_at(*access, reach))
    allowed = {name for name, roles in cell.allow_if if reach & roles}
    is_spoilt = not reach & cell.allow and allowed <= _denied(cell, reach)
    spoiling = allowed if is_spoilt else set()
    in_the_way = [
        rule
        for rule, standing in matching
        if rule.effect == "deny"
        and (
            rule.condition is None or standing == "condition_unknown" or rule.condition in spoiling
        )
    ]
    if in_the_way:
        yield Remedy("remove_deny_rules", rules=tuple(sorted(in_the_way, key=str)))
    if not cell.may_allow(reach):
        yield from _for_silence(snapshot, reach, access, cell)


def _for_silence(snapshot: Snapshot, reach: int, access: Access, cell: Cell) -> Iterator[Remedy]:
    declaration = snapshot.endpoints[access.key].declaration
    usable = declaration.conditions - _denied(cell, reach) | {None}
    unreviewed, unknown = [], []
    for rule, standing in snapshot.rules_at(*access, reach):
        if standing == "unreviewed" and rule.condition in usable:
            unreviewed.append(rule)
        elif standing == "condition_unknown" and rule.effect == "allow":
            unknown.append(rule)
    if unreviewed:
        yield Remedy("review_endpoint", rules=tuple(sorted(unreviewed, key=str)))
    elif unknown:
        yield Remedy("register_condition", rules=tuple(sorted(unknown, key=str)))
    else:
        is_locked = has_action(declaration.locked, access.action)
        if declaration.state == "returned" and not is_locked:
            yield Remedy("review_endpoint")
        code: RemedyCode = "allow_in_code" if is_locked else "give_role_or_rule"
        yield Remedy(code, access=access, roles=tuple(_helpful(snapshot, reach, cell)))


def _helpful(snapshot: Snapshot, reach: int, cell: Cell) -> Iterator[Role]:
    """List the roles that would let somebody in who had one of them besides their own."""
    for role in snapshot.roles:
        gained = snapshot.closures[role.id]
        if role.id in BUILT_IN or gained & (cell.deny | cell.unknown_deny):
            continue
        denied = _denied(cell, reach | gained)
        some = any(gained & roles and name not in denied for name, roles in cell.allow_if)
        if gained & cell.allow or some:
            yield role


def _denied(cell: Cell, reach: int) -> set[str]:
    return {name for name, roles in cell.deny_if if reach & roles}
