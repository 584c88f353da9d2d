"""A cell of the matrix and what it shows: values, compared and drawn, that work nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from authkit.access.grid_words import Fixed, Words
from authkit.kernel.policy import Effect, EndpointDecl, Rule

Says = Literal["allow", "allow_if", "deny", "nothing", "mixed"]
Origin = Literal["own", "wider", "inherited", "code", ""]


class Statement(NamedTuple):
    """What one rule of a cell says: allow or deny, perhaps only where a condition holds."""

    effect: Effect
    condition: str | None = None


class Spot(NamedTuple):
    """Which cell: a role, an endpoint, and the actions of its row."""

    role: str
    key: str
    actions: Words


@dataclass(frozen=True, slots=True)
class Drift:
    """How the rules that are stored differ from those that code declares.

    Attributes:
        changed: ids of rules that were code's defaults before an administrator edited them.
        off: by cell, what code's defaults say that an administrator has switched off.
    """

    changed: frozenset[int] = frozenset()
    off: Mapping[Spot, tuple[Statement, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell. Cells that look the same are equal, so each is drawn only once.

    Attributes:
        says: what a holder of the role may do here, by all the rules that they have.
        origin: from where: a rule of just this cell, one of the role's with another
            pattern or other actions, one of another role's, or code.
        own: what the rules of just this cell say. These, and no others, are edited here.
        conditions: on which an "allow_if" depends.
        exceptions: conditions on which it is denied all the same.
        via: by what it is "wider" (patterns) or "inherited" (names of roles).
        is_default: whether code's defaults stand here as code declares them.
        is_changed: whether an administrator has changed one of code's defaults.
        off: code's defaults that an administrator has switched off.
        awaits: why an allow rule does not count here: "unreviewed", "condition_unknown".
        parts: of a "mixed" one, what it says for each kind of action, but "nothing".
    """

    says: Says = "nothing"
    origin: Origin = ""
    own: tuple[Statement, ...] = ()
    conditions: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    is_default: bool = False
    is_changed: bool = False
    off: tuple[Statement, ...] = ()
    awaits: Literal["unreviewed", "condition_unknown", ""] = ""
    parts: tuple[tuple[str, Says], ...] = ()


@dataclass(frozen=True, slots=True)
class GridRow:
    """The cells of one endpoint and some of its actions, in the order of the grid's roles.

    Attributes:
        words: of the row, canonical.
        named: the actions that they stand for at this endpoint.
        fixed: why nobody edits its cells: code makes all of it public or locks it.
    """

    endpoint: EndpointDecl
    words: Words
    named: Words
    fixed: Fixed
    cells: tuple[GridCell, ...]


def statements_of(rules: Iterable[Rule]) -> tuple[Statement, ...]:
    """What rules say, in one order."""
    found = {Statement(rule.effect, rule.condition) for rule in rules}
    return tuple(sorted(found, key=lambda it: (it.effect, it.condition or "")))
