"""Why a decision is as it is: every step, every rule that matches, and what would change it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from authkit.kernel.decision import Caller, Decision, Reason
from authkit.kernel.judgement import Question, decide, decide_by_rules, first_unmet
from authkit.kernel.language import reaches
from authkit.kernel.policy import ANYONE, AUTHENTICATED, STAFF, Role, Rule, Standing
from authkit.kernel.remedies import Remedy, remedies_for
from authkit.kernel.snapshot import Cell, Snapshot

StepName = Literal[
    "rules",
    "public",
    "identity",
    "requirements",
    "scopes",
    "superuser",
    "deny_rules",
    "allow_rules",
    "silence",
]
Answer = Literal["passes", "allows", "allows_some", "refuses"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the order of decision, answered for itself.

    Attributes:
        name: which step; their order is that of `judgement`.
        answer: what it says. The first that does not say "passes" decides; those behind
            it tell what would have followed.
        reason: the code of its answer; None when it passes.
    """

    name: StepName
    answer: Answer
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A rule of the caller's that matches the action.

    Attributes:
        rule: the rule.
        path: how they came by its role: first a role that they were given, then each
            included by the one before, last the role that has the rule.
        standing: "counts", or why it does not.
    """

    rule: Rule
    path: tuple[Role, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and all that led to it.

    Attributes:
        key, action: what was decided. For a question about a group of actions, the
            action of the group that spoils it, if one does.
        decision: as `decide` gives it.
        steps: all nine, in order.
        matches: every rule of the caller's roles that matches, deny rules first.
        remedies: for a refusal, everything that would have to change.
    """

    key: str
    action: str
    decision: Decision
    steps: tuple[Step, ...]
    matches: tuple[Match, ...]
    remedies: tuple[Remedy, ...]

    @property
    def deciding_step(self) -> Step:
        """The step that decided."""
        return next(step for step in self.steps if step.answer != "passes")


def explain(
    snapshot: Snapshot, caller: Caller, key: str, action: str, *, now: datetime
) -> Explanation:
    """Explain what `decide` answers to the same question."""
    action = _spoiler(snapshot, caller, key, action, now=now)
    return Explanation(
        key=key,
        action=action,
        decision=decide(snapshot, caller, key, action, now=now),
        steps=tuple(_steps(snapshot, caller, key, action, now=now)),
        matches=_matches(snapshot, caller, key, action),
        remedies=remedies_for(snapshot, caller, key, action, now=now),
    )


def _spoiler(snapshot: Snapshot, caller: Caller, key: str, word: str, *, now: datetime) -> str:
    actions = snapshot.actions_of(key, word)
    decisions = {one: decide(snapshot, caller, key, one, now=now) for one in actions}
    refused = [one for one, decision in decisions.items() if not decision.may_enter]
    conditional = [one for one, decision in decisions.items() if decision.conditional]
    return next(iter((*refused, *conditional, *actions, word)))


def _steps(
    snapshot: Snapshot, caller: Caller, key: str, action: str, *, now: datetime
) -> Iterator[Step]:
    cell = snapshot.cell_of(key, action)
    is_public = cell is not None and cell.is_public
    yield _refusing("rules", "rules_unavailable", unless=snapshot.is_available or is_public)
    yield Step("public", "allows", "public") if is_public else Step("public", "passes")
    reach = snapshot.reach_of(caller)
    if caller.is_authenticated:
        yield _refusing("identity", "inactive", unless=caller.is_active)
    else:
        is_awaited = cell is not None and cell.may_allow(reach)
        yield _refusing("identity", "anonymous", unless=is_awaited)
    yield _requirements(snapshot, caller, key, action, now=now)
    is_reached = caller.scopes is None or reaches(caller.scopes, key, action)
    yield _refusing("scopes", "scope_insufficient", unless=is_reached)
    if caller.is_superuser and caller.is_authenticated:
        yield Step("superuser", "allows", "superuser")
    else:
        yield Step("superuser", "passes")
    if cell is None:
        yield from (Step("deny_rules", "passes"), Step("allow_rules", "passes"))
        yield Step("silence", "refuses", "no_rule")
    else:
        yield from _rules(Question(snapshot, key, action, reach), cell)


def _refusing(name: StepName, reason: Reason, *, unless: bool) -> Step:
    return Step(name, "passes") if unless else Step(name, "refuses", reason)


def _requirements(
    snapshot: Snapshot, caller: Caller, key: str, action: str, *, now: datetime
) -> Step:
    endpoint = snapshot.endpoints.get(key)
    if endpoint is None:
        return Step("requirements", "refuses", "unknown_endpoint")
    if action not in endpoint.cells:
        return Step("requirements", "refuses", "unknown_action")
    if endpoint.declaration.state == "missing":
        return Step("requirements", "refuses", "endpoint_not_active")
    requirement = endpoint.cells[action].requirement
    unmet = first_unmet(requirement, caller, now=now) if requirement is not None else None
    return Step("requirements", "refuses" if unmet else "passes", unmet)


def _rules(question: Question, cell: Cell) -> Iterator[Step]:
    decision = decide_by_rules(question)
    is_denied = _is_denied(decision)
    yield _refusing("deny_rules", decision.reason, unless=not is_denied)
    if not cell.may_allow(question.reach):
        yield Step("allow_rules", "passes")
    elif decision.allowed or (is_denied and question.reach & cell.allow):
        yield Step("allow_rules", "allows", "allowed_by_rule")
    else:
        yield Step("allow_rules", "allows_some", "allowed_if")
    is_silent = not decision.may_enter and not is_denied
    yield Step("silence", "refuses", decision.reason if is_silent else "no_rule")


def _is_denied(decision: Decision) -> bool:
    if decision.reason == "condition_unknown":
        rule = decision.rule
        return rule is not None and rule.effect == "deny"
    return decision.reason == "denied_by_rule"


def _matches(snapshot: Snapshot, caller: Caller, key: str, action: str) -> tuple[Match, ...]:
    if snapshot.cell_of(key, action) is None:
        return ()
    roles = {role.id: role for role in snapshot.roles}
    paths = _paths(roles, _given(caller))
    found = (
        Match(rule, paths[rule.role], standing)
        for rule, standing in snapshot.rules_at(key, action, snapshot.reach_of(caller))
    )
    return tuple(sorted(found, key=lambda match: (match.rule.effect != "deny", str(match.rule))))


def _given(caller: Caller) -> list[str]:
    if not caller.is_authenticated:
        return [ANYONE]
    built_in = [ANYONE, AUTHENTICATED, STAFF] if caller.is_staff else [ANYONE, AUTHENTICATED]
    return [*sorted(caller.roles), *built_in]


def _paths(roles: Mapping[str, Role], given: list[str]) -> dict[str, tuple[Role, ...]]:
    """Find the shortest way to each role, through inclusion, from the roles that were given."""
    paths: dict[str, tuple[Role, ...]] = {}
    for identifier in given:
        if identifier in roles:
            paths[identifier] = (roles[identifier],)
    waiting = deque(paths)
    while waiting:
        identifier = waiting.popleft()
        for included in sorted(roles[identifier].includes):
            if included not in paths:
                paths[included] = (*paths[identifier], roles[included])
                waiting.append(included)
    return paths
