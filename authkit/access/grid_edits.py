"""Edits of the matrix: which rules come, go or change so that a cell says what is wanted.

An edit touches the rules of exactly its cell: this role, this key, these actions. Wider
patterns, other actions and other roles are not its business, so nothing is lost that the
cell cannot show. A default of code is never deleted but switched off, and keeps its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from authkit.access.grid import Grid
from authkit.access.grid_cells import Spot, Statement
from authkit.access.grid_words import fixed_at, named_by
from authkit.kernel.compilation import compile_policy
from authkit.kernel.language import PatternError, parse_actions, parse_endpoint_pattern, parse_key
from authkit.kernel.policy import Effect, Rule, Source
from authkit.kernel.snapshot import Snapshot

MOST_EDITS = 5_000
_LONGEST = 2_000_000

ChangeKind = Literal["add", "remove", "change", "switch_off", "switch_on"]
Problem = Literal[
    "unknown_role", "unknown_endpoint", "unknown_action", "unknown_condition", "fixed", "missing"
]


class EditError(ValueError):
    """A text is no list of edits."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What the rules of one cell shall say; nothing at all to remove them."""

    spot: Spot
    wanted: frozenset[Statement]


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A row of the rules, in force or switched off."""

    role: str
    effect: Effect
    endpoints: str
    actions: tuple[str, ...]
    condition: str | None = None
    is_enabled: bool = True
    source: Source = "admin"
    default: str = ""
    id: int | None = None

    @property
    def spot(self) -> Spot:
        """The cell whose rule it is, if its pattern names one key."""
        return Spot(self.role, self.endpoints, self.actions)

    @property
    def statement(self) -> Statement:
        """What it says."""
        return Statement(self.effect, self.condition)

    @property
    def is_from_code(self) -> bool:
        """Whether code declared it, whatever has become of it since."""
        return bool(self.default) or self.source == "code"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One row: as it was, and as it will be."""

    kind: ChangeKind
    before: StoredRule | None
    after: StoredRule | None

    @property
    def spot(self) -> Spot:
        """The cell that it is about."""
        rule = self.after or self.before
        if rule is None:
            raise ValueError("a change of nothing")
        return rule.spot


def read_edits(texts: Iterable[str]) -> tuple[Edit, ...]:
    """Read edits as forms send them: JSON, one list of edits or one edit in each text.

    An edit is ``[role, key, actions, [[effect, condition or null], …]]``. Of two for the
    same cell the later one counts.

    Raises:
        EditError: one is not of this form.
    """
    found: dict[Spot, Edit] = {}
    for text in texts:
        if not text.strip():
            continue
        if len(text) > _LONGEST:
            raise EditError("these are too many edits")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise EditError("this is no JSON") from None
        if not isinstance(value, list):
            raise EditError("this is no list")
        edits = [value] if value and isinstance(value[0], str) else value
        for edit in map(_read, edits):
            found[edit.spot] = edit
    if len(found) > MOST_EDITS:
        raise EditError("these are too many edits")
    return tuple(found.values())


def written(edits: Iterable[Edit]) -> str:
    """Write edits as `read_edits` reads them."""
    return json.dumps([as_list(edit) for edit in edits])


def as_list(edit: Edit) -> list[Any]:
    """One edit, of JSON's types."""
    role, key, actions = edit.spot
    wanted = sorted(edit.wanted, key=_order)
    return [role, key, ",".join(actions), [list(statement) for statement in wanted]]


def problem_of(grid: Grid, edit: Edit) -> Problem | None:
    """Tell why an edit cannot be made in this grid; None if it can."""
    role, key, actions = edit.spot
    if not any(known.id == role for known in grid.roles):
        return "unknown_role"
    endpoint = grid.snapshot.endpoints.get(key)
    if endpoint is None:
        return "unknown_endpoint"
    if actions not in grid.words_of(key):
        return "unknown_action"
    declaration = endpoint.declaration
    if fixed_at(declaration, named_by(declaration.actions, actions)):
        return "fixed"
    new = edit.wanted - set(grid.own_statements(edit.spot))
    if new and declaration.state == "missing":
        return "missing"
    conditions = {statement.condition for statement in new} - {None}
    return "unknown_condition" if conditions - declaration.conditions else None


def choices(said: Iterable[Statement], conditions: Iterable[str]) -> list[frozenset[Statement]]:
    """What a cell can be made to say in one step, by what its rules say now.

    A cell with several rules changes by one of them at a time: none is lost unawares.
    """
    now = frozenset(said)
    if_any = [frozenset({Statement("allow", name)}) for name in sorted(conditions)]
    single = [frozenset({Statement("allow")}), *if_any, frozenset({Statement("deny")})]
    if len(now) > 1:
        without = [now - {one} for one in sorted(now, key=_order)]
        return [*without, *(now | one for one in single if not one <= now)]
    both = [now | one for one in if_any if now in if_any and now != one]
    return [frozenset(), *single, *both]


def changes_for(edit: Edit, stored: Iterable[StoredRule]) -> Iterator[RuleChange]:
    """List what happens to the stored rules of a cell; rules of other cells are left alone.

    A rule that is switched off and says what is wanted is switched on again. One that is
    not wanted any more comes to say what is, so that a default of code stays one that an
    administrator has changed; only what is left over is added or removed.
    """
    ours = [rule for rule in stored if rule.spot == edit.spot]
    said = {rule.statement for rule in ours if rule.is_enabled}
    missing = edit.wanted - said
    for rule in ours:
        if not rule.is_enabled and rule.statement in missing:
            missing -= {rule.statement}
            yield RuleChange("switch_on", rule, replace(taken_over(rule), is_enabled=True))
    waiting = sorted(missing, key=_order)
    for rule in ours:
        if rule.is_enabled and rule.statement not in edit.wanted:
            yield _replaced(rule, waiting.pop(0) if waiting else None)
    for effect, condition in waiting:
        yield RuleChange("add", None, StoredRule(*_first(edit.spot, effect), condition))


def taken_over(rule: StoredRule) -> StoredRule:
    """A rule as an administrator's word; what code declared stays in `default`."""
    return replace(rule, source="admin")


def with_changes(snapshot: Snapshot, changes: Iterable[RuleChange]) -> Snapshot:
    """Compile the policy as it will be."""
    changes = list(changes)
    gone = {change.before.id for change in changes if change.before is not None}
    rules = [
        rule
        for by_place in snapshot.rules.values()
        for rules in by_place.values()
        for rule in rules
        if rule.id is None or rule.id not in gone
    ]
    come = [change.after for change in changes if change.after is not None]
    rules += [_compilable(rule) for rule in come if rule.is_enabled]
    declarations = [endpoint.declaration for endpoint in snapshot.endpoints.values()]
    return compile_policy(snapshot.roles, rules, declarations)


def _order(statement: Statement) -> tuple[str, str]:
    return statement.effect, statement.condition or ""


def _replaced(rule: StoredRule, by: Statement | None) -> RuleChange:
    if by is not None:
        after = replace(taken_over(rule), effect=by.effect, condition=by.condition)
        return RuleChange("change", rule, after)
    if rule.is_from_code:
        return RuleChange("switch_off", rule, replace(taken_over(rule), is_enabled=False))
    return RuleChange("remove", rule, None)


def _first(spot: Spot, effect: Effect) -> tuple[str, Effect, str, tuple[str, ...]]:
    return spot.role, effect, spot.key, spot.actions


def _compilable(rule: StoredRule) -> Rule:
    endpoints = parse_endpoint_pattern(rule.endpoints)
    return Rule(
        rule.effect, rule.role, endpoints, rule.actions, rule.condition, rule.source, rule.id
    )


def _read(value: Any) -> Edit:
    if not isinstance(value, list) or len(value) != len(("role", "key", "actions", "wanted")):
        raise EditError("an edit has four parts")
    role, key, actions, wanted = value
    if not (isinstance(role, str) and isinstance(key, str) and isinstance(actions, str)):
        raise EditError("role, endpoint and actions are text")
    try:
        spot = Spot(role, parse_key(key), parse_actions(actions))
    except PatternError as error:
        raise EditError(str(error)) from None
    if not isinstance(wanted, list):
        raise EditError("what is wanted is a list")
    return Edit(spot, frozenset(map(_statement, wanted)))


def _statement(value: Any) -> Statement:
    match value:
        case ["allow" | "deny" as effect, None | str() as condition]:
            return Statement(effect, condition or None)
    raise EditError("what is wanted is allow or deny, perhaps with a condition")
