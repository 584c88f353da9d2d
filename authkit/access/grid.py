"""What the matrix shows: endpoints down, roles across, each cell what is effective there.

All of it follows from a Snapshot, by the same masks as decisions do: the verdicts of a row
are worked out for all roles at once, so a grid of thousands of cells takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import Literal, NamedTuple

from authkit import wording
from authkit.access.grid_cells import (
    Drift,
    GridCell,
    GridRow,
    Origin,
    Says,
    Spot,
    Statement,
    statements_of,
)
from authkit.access.grid_words import (
    Fixed,
    Words,
    fixed_at,
    kinds_of,
    named_by,
    single,
    without_kind,
)
from authkit.kernel.patterns import ANY, has_action
from authkit.kernel.policy import ANYONE, AUTHENTICATED, Role, Rule
from authkit.kernel.snapshot import Cell, CompiledEndpoint, Snapshot, places_in

_EMPTY = GridCell()


class _Verdicts(NamedTuple):
    """Masks: the roles for whose holders something is allowed, allowed for some objects, …."""

    allow: int
    allow_if: int
    deny: int
    nothing: int

    def says(self, place: int) -> Says:
        bit = 1 << place
        if self.nothing & bit:
            return "nothing"
        if self.allow & bit:
            return "allow"
        if self.deny & bit:
            return "deny"
        return "allow_if" if self.allow_if & bit else "mixed"


class Grid:
    """The cells of a snapshot, each worked out when it is asked for."""

    def __init__(self, snapshot: Snapshot, drift: Drift | None = None) -> None:
        """Prepare for a snapshot, and what is known of code's defaults."""
        self.snapshot = snapshot
        self.roles = snapshot.roles
        self.drift = drift or Drift()
        self._everyone = (1 << len(self.roles)) - 1
        self._reaches = [_reach_of(snapshot, role) for role in self.roles]
        self._holders = _turned_around(self._reaches)
        self._known: dict[int, int] = {0: 0}

    def words_of(self, key: str) -> tuple[Words, ...]:
        """The rows of an endpoint: all of it, groups, single actions, and what rules name."""
        declaration = self.snapshot.endpoints[key].declaration
        used = {
            rule.actions for rules in self.snapshot.rules.get(key, {}).values() for rule in rules
        }
        used |= {spot.actions for spot in self.drift.off if spot.key == key}
        usual = [(ANY,), *((word,) for word in kinds_of(declaration.actions))]
        usual += [(action,) for action in single(declaration.actions)]
        return (*usual, *sorted(used - set(usual)))

    def row(self, key: str, words: Words) -> GridRow:
        """The cells of one row."""
        endpoint = self.snapshot.endpoints[key]
        named = named_by(endpoint.declaration.actions, words)
        fixed = fixed_at(endpoint.declaration, named)
        row = _Row(self, endpoint, words, named)
        cells = tuple(row.cell(place, fixed) for place in range(len(self.roles)))
        return GridRow(endpoint.declaration, words, named, fixed, cells)

    def own_statements(self, spot: Spot) -> tuple[Statement, ...]:
        """What the rules of just this cell say."""
        place = next(n for n, role in enumerate(self.roles) if role.id == spot.role)
        rules = self.snapshot.rules.get(spot.key, {}).get(place, ())
        return statements_of(rule for rule in rules if rule.actions == spot.actions)

    def verdicts(self, endpoint: CompiledEndpoint, actions: Words) -> _Verdicts:
        """What is said of all these actions alike, for each role."""
        if not actions or endpoint.declaration.state == "missing":
            return _Verdicts(0, 0, 0, self._everyone)
        found = [self._verdicts(endpoint.cells[action]) for action in actions]
        return _Verdicts(*(reduce(and_, masks) for masks in zip(*found, strict=True)))

    def having(self, roles: int) -> int:
        """The roles whose holders have any of these, by inclusion or because everyone has."""
        holders = self._known.get(roles)
        if holders is None:
            holders = reduce(or_, (self._holders[place] for place in places_in(roles)), 0)
            self._known[roles] = holders
        return holders

    def reach(self, place: int) -> int:
        """The roles that a holder of this one has."""
        return self._reaches[place]

    def _verdicts(self, cell: Cell) -> _Verdicts:
        if cell.is_public:
            return _Verdicts(self._everyone, 0, 0, 0)
        denied = self.having(cell.deny | cell.unknown_deny)
        denied_if = {name: self.having(roles) for name, roles in cell.deny_if}
        allowed = self.having(cell.allow) & ~denied
        full = allowed & ~reduce(or_, denied_if.values(), 0)
        some, matched = allowed & ~full, full | allowed | denied
        for name, roles in cell.allow_if:
            holders = self.having(roles)
            matched |= holders
            some |= holders & ~denied_if.get(name, 0) & ~denied & ~full
        return _Verdicts(full, some, matched & ~full & ~some, self._everyone & ~matched)


class _Row:
    """One row, while its cells are worked out."""

    def __init__(self, grid: Grid, endpoint: CompiledEndpoint, words: Words, named: Words) -> None:
        self._grid = grid
        self._words = words
        self._key = endpoint.declaration.key
        self._cells = [endpoint.cells[action] for action in named]
        self._verdicts = grid.verdicts(endpoint, named)
        self._patterns = endpoint.patterns
        self._is_missing = endpoint.declaration.state == "missing"
        self._parts = {
            word: grid.verdicts(endpoint, named_by(endpoint.declaration.actions, (word,)))
            for word in (*kinds_of(named), *without_kind(named))
        }
        self._awaiting = {
            "unreviewed": grid.having(reduce(or_, (c.unreviewed for c in self._cells), 0)),
            "condition_unknown": grid.having(
                reduce(or_, (c.unknown_allow for c in self._cells), 0)
            ),
        }

    def cell(self, place: int, fixed: Fixed) -> GridCell:
        """Work out the cell of one role."""
        grid = self._grid
        all_rules = grid.snapshot.rules.get(self._key, {}).get(place, ())
        rules = [rule for rule in all_rules if rule.actions == self._words]
        off = grid.drift.off.get(Spot(grid.roles[place].id, self._key, self._words), ())
        known = _EMPTY
        if rules or off:
            known = GridCell(
                own=statements_of(rules),
                is_default=bool(rules) and all(rule.source == "code" for rule in rules),
                is_changed=any(rule.id in grid.drift.changed for rule in rules),
                off=off,
            )
        if fixed == "public":
            return replace(known, says="allow", origin="code")
        says = self._verdicts.says(place)
        if says == "nothing":
            awaits = self._awaits(place)
            if not rules and not awaits and not known.off:
                return known
            return replace(known, origin="own" if rules else "", awaits=awaits)
        return self._detailed(replace(known, says=says), place)

    def _detailed(self, cell: GridCell, place: int) -> GridCell:
        """Add whence it comes; the parts of a mixed one tell that in their own rows."""
        if cell.says == "mixed":
            parts = ((word, its.says(place)) for word, its in self._parts.items())
            return replace(cell, parts=tuple(part for part in parts if part[1] != "nothing"))
        origin, via = self._origin(place, cell)
        if cell.says != "allow_if":
            return replace(cell, origin=origin, via=via)
        reach = self._grid.reach(place)
        is_partial = any(reach & c.allow for c in self._cells)
        allow_if = _names(reach, [pair for c in self._cells for pair in c.allow_if])
        deny_if = _names(reach, [pair for c in self._cells for pair in c.deny_if])
        return replace(
            cell,
            origin=origin,
            via=via,
            conditions=() if is_partial else allow_if,
            exceptions=deny_if,
        )

    def _origin(self, place: int, cell: GridCell) -> tuple[Origin, tuple[str, ...]]:
        if cell.own and _explains(cell):
            return "own", ()
        deciding = reduce(or_, (_deciding(cell.says, c) for c in self._cells), 0)
        if deciding >> place & 1:
            return "wider", self._patterns_of(place)
        roles = self._grid.snapshot.roles_in(deciding & self._grid.reach(place))
        return "inherited", tuple(map(wording.role_name, roles))

    def _patterns_of(self, place: int) -> tuple[str, ...]:
        found = [
            f"{pattern}:{','.join(rule.actions)}"
            for pattern in self._patterns
            for rule in self._grid.snapshot.rules[pattern].get(place, ())
            if (pattern, rule.actions) != (self._key, self._words)
            and (rule.actions == (ANY,) or self._concerns(rule))
        ]
        return tuple(dict.fromkeys(found))

    def _concerns(self, rule: Rule) -> bool:
        actions = self._grid.snapshot.endpoints[self._key].declaration.actions
        named = set(named_by(actions, self._words))
        return any(has_action(rule.actions, action) for action in named)

    def _awaits(self, place: int) -> Literal["unreviewed", "condition_unknown", ""]:
        if self._is_missing:
            return ""
        if self._awaiting["unreviewed"] >> place & 1:
            return "unreviewed"
        return "condition_unknown" if self._awaiting["condition_unknown"] >> place & 1 else ""


def _reach_of(snapshot: Snapshot, role: Role) -> int:
    reach = snapshot.closures[role.id] | snapshot.closures[ANYONE]
    return reach if role.id == ANYONE else reach | snapshot.closures[AUTHENTICATED]


def _turned_around(reaches: Sequence[int]) -> list[int]:
    """For each role, the roles that reach it."""
    holders = [0] * len(reaches)
    for place, reach in enumerate(reaches):
        for reached in places_in(reach):
            holders[reached] |= 1 << place
    return holders


def _explains(cell: GridCell) -> bool:
    """Whether the cell's own rules say by themselves what is effective."""
    if cell.says in ("deny", "allow"):
        return Statement(cell.says) in cell.own
    return cell.says == "allow_if" and any(its.condition for its in cell.own)


def _deciding(says: Says, cell: Cell) -> int:
    """The roles with a rule that says so."""
    denying = cell.deny | cell.unknown_deny | reduce(or_, (r for _, r in cell.deny_if), 0)
    allowing = cell.allow | reduce(or_, (r for _, r in cell.allow_if), 0)
    if says == "deny":
        return denying
    return allowing if says in ("allow", "allow_if") else denying | allowing


def _names(reach: int, by_condition: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(sorted({name for name, roles in by_condition if reach & roles}))
