"""Decide: may this caller do this, there, now?

In this order; the first that answers decides:

1. The rules are not available: refuse everything that code does not make public.
2. Code makes it public: allow.
3. Nobody is signed in, and no rule allows *anyone*: refuse. An inactive user: refuse.
4. A requirement of code is not met: refuse. Of an endpoint or action that is unknown, or
   that the URLconf no longer reaches, the requirements are unknown, so they are not met.
5. The credential's scopes do not reach this far: refuse.
6. A superuser: allow.
7. A deny rule of any of the caller's roles: refuse, or leave out the objects where its
   condition holds. A condition that is unknown holds for all.
8. An allow rule: allow, or allow the objects where its condition holds. A condition that
   is unknown holds for none.
9. Silence: refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from authkit.kernel.decision import Caller, Conditions, Decision, Reason
from authkit.kernel.language import reaches
from authkit.kernel.policy import Effect, Requirement, Rule, Standing
from authkit.kernel.snapshot import Cell, Snapshot

_CLOCKS_MAY_DIFFER_BY = timedelta(minutes=1)

_PUBLIC = Decision(True, "public")
_SUPERUSER = Decision(True, "superuser")
_RULES_UNAVAILABLE = Decision(False, "rules_unavailable")
_ANONYMOUS = Decision(False, "anonymous")
_INACTIVE = Decision(False, "inactive")
_SCOPE_INSUFFICIENT = Decision(False, "scope_insufficient")
_NO_RULE = Decision(False, "no_rule")


def decide(snapshot: Snapshot, caller: Caller, key: str, action: str, *, now: datetime) -> Decision:
    """Decide about one action of one endpoint, or about a group of its actions.

    A group, or `*`, that is not itself an action of the endpoint is allowed when every
    action is that it names there.
    """
    endpoint = snapshot.endpoints.get(key)
    cell = endpoint.cells.get(action) if endpoint is not None else None
    if endpoint is None or cell is None:
        return _decide_about_word(snapshot, caller, key, action, now=now)
    if cell.is_public:
        return _PUBLIC
    if not snapshot.is_available:
        return _RULES_UNAVAILABLE
    reach = snapshot.reach_of(caller)
    if not caller.is_authenticated:
        if not cell.may_allow(reach):
            return _ANONYMOUS
    elif not caller.is_active:
        return _INACTIVE
    if endpoint.declaration.state == "missing":
        return Decision(False, "endpoint_not_active")
    if cell.requirement is not None:
        unmet = first_unmet(cell.requirement, caller, now=now)
        if unmet is not None:
            return Decision(False, unmet)
    if caller.scopes is not None and not reaches(caller.scopes, key, action):
        return _SCOPE_INSUFFICIENT
    if caller.is_superuser and caller.is_authenticated:
        return _SUPERUSER
    return decide_by_rules(Question(snapshot, key, action, reach))


class Question(NamedTuple):
    """What the rules are asked: an action that the snapshot knows, and a mask of roles."""

    snapshot: Snapshot
    key: str
    action: str
    reach: int

    def rule_that(self, effect: Effect, standing: Standing) -> Callable[[], Rule | None]:
        """Prepare to name the rule that decided, which few callers want to know."""
        return partial(self._first_rule, effect, standing)

    def _first_rule(self, effect: Effect, standing: Standing) -> Rule | None:
        rules = self.snapshot.rules_at(self.key, self.action, self.reach)
        fitting = [rule for rule, its in rules if rule.effect == effect and its == standing]
        return min(fitting, key=_precedence, default=None)


def decide_by_rules(question: Question) -> Decision:
    """Decide steps 7 to 9: what the roles' rules say."""
    reach = question.reach
    cell = question.snapshot.endpoints[question.key].cells[question.action]
    if reach & cell.deny:
        return Decision(False, "denied_by_rule", None, question.rule_that("deny", "counts"))
    if reach & cell.unknown_deny:
        finder = question.rule_that("deny", "condition_unknown")
        return Decision(False, "condition_unknown", None, finder)
    denied = tuple([name for name, roles in cell.deny_if if reach & roles])
    finder = question.rule_that("allow", "counts")
    if reach & cell.allow:
        if not denied:
            return Decision(True, "allowed_by_rule", None, finder)
        return Decision(None, "allowed_if", _conditions((), denied), finder)
    allowed = [name for name, roles in cell.allow_if if reach & roles]
    if not allowed:
        return _silence(question, cell)
    left = tuple([name for name in allowed if name not in denied])
    if not left:
        return Decision(False, "denied_by_rule", None, question.rule_that("deny", "counts"))
    return Decision(None, "allowed_if", _conditions((left,), denied), finder)


@lru_cache(maxsize=4096)
def _conditions(any_of: tuple[tuple[str, ...], ...], none_of: tuple[str, ...]) -> Conditions:
    return Conditions(any_of, none_of)


def _silence(question: Question, cell: Cell) -> Decision:
    if question.reach & cell.unreviewed:
        finder = question.rule_that("allow", "unreviewed")
        return Decision(False, "endpoint_not_active", None, finder)
    if question.reach & cell.unknown_allow:
        finder = question.rule_that("allow", "condition_unknown")
        return Decision(False, "condition_unknown", None, finder)
    return _NO_RULE


def _precedence(rule: Rule) -> tuple[bool, str, str, int]:
    return rule.condition is not None, str(rule), rule.source, rule.id or 0


def first_unmet(requirement: Requirement, caller: Caller, *, now: datetime) -> Reason | None:
    """Name what a caller still owes to a requirement; None when it is met."""
    return next(iter(all_unmet(requirement, caller, now=now)), None)


def all_unmet(requirement: Requirement, caller: Caller, *, now: datetime) -> Iterator[Reason]:
    """Name everything that a caller still owes to a requirement."""
    if next(missing_permissions(requirement, caller), None) is not None:
        yield "requirement_not_met"
    if requirement.second_factor and not caller.has_second_factor:
        yield "second_factor_required"
    if requirement.recent is not None and not _is_recent(caller, requirement.recent, now=now):
        yield "recent_sign_in_required"


def missing_permissions(requirement: Requirement, caller: Caller) -> Iterator[str]:
    """List the required permissions that a caller lacks; a superuser lacks none."""
    if caller.is_superuser and caller.is_authenticated:
        return iter(())
    return (name for name in requirement.permissions if not caller.has_permission(name))


def _is_recent(caller: Caller, lifetime: timedelta, *, now: datetime) -> bool:
    if caller.authenticated_at is None:
        return False
    return -_CLOCKS_MAY_DIFFER_BY <= now - caller.authenticated_at < lifetime


def _decide_about_word(
    snapshot: Snapshot, caller: Caller, key: str, word: str, *, now: datetime
) -> Decision:
    actions = snapshot.actions_of(key, word)
    if actions:
        return _together([decide(snapshot, caller, key, action, now=now) for action in actions])
    if not snapshot.is_available:
        return _RULES_UNAVAILABLE
    if not caller.is_authenticated:
        return _ANONYMOUS
    if not caller.is_active:
        return _INACTIVE
    return Decision(False, "unknown_action" if key in snapshot.endpoints else "unknown_endpoint")


def _together(decisions: list[Decision]) -> Decision:
    for decision in decisions:
        if not decision.may_enter:
            return decision
    conditional = [decision for decision in decisions if decision.conditional]
    if not conditional:
        return decisions[0]
    parts = [one.conditions for one in conditional if one.conditions is not None]
    denied = {name for part in parts for name in part.none_of}
    groups = {
        tuple(name for name in group if name not in denied)
        for part in parts
        for group in part.any_of
    }
    if () in groups:
        return Decision(False, "denied_by_rule")
    conditions = Conditions(tuple(sorted(groups)), tuple(sorted(denied)))
    return Decision(None, "allowed_if", conditions, conditional[0].find_rule)
