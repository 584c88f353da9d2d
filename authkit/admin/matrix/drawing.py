"""Rows of the matrix as HTML. Cells that look the same are drawn once and used again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from authkit.access import conditions, discovery
from authkit.access.grid import Grid
from authkit.access.grid_cells import GridCell, GridRow, Spot, Statement
from authkit.access.grid_edits import Edit, as_list, choices
from authkit.access.grid_words import Fixed, Words
from authkit.admin.matrix.texts import (
    Labels,
    cell_text,
    statements_text,
    tags_of,
    words_text,
)
from authkit.kernel.patterns import ANY
from authkit.kernel.policy import Role

_SYMBOLS = {"allow": "✓", "allow_if": "✓?", "deny": "✕", "nothing": "·", "mixed": ""}


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row, ready for a template."""

    key: str
    name: str
    words: str
    label: str
    fixed: Fixed
    is_missing: bool
    tags: tuple[tuple[str, str], ...]
    labels: str
    routes: tuple[str, ...]
    cells: SafeString


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints whose keys begin alike."""

    name: str
    rows: list[DrawnRow]


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a cell's list, for pages without JavaScript."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class ChoiceCell:
    """A cell with its list."""

    role: Role
    text: str
    choices: tuple[Choice, ...]


class Drawer:
    """Draws rows of a grid, for some of its roles."""

    def __init__(self, grid: Grid, roles: Sequence[int], urlconf: str) -> None:
        """`roles` are places of the grid's roles."""
        self._grid = grid
        self._roles = roles
        self._found = discovery.registry(urlconf).endpoints
        self._template = get_template("admin/authkit/matrix/cell.html")
        self._drawn: dict[tuple[GridCell, Fixed, str], str] = {}
        self._labels: dict[object, tuple[Labels, str]] = {}

    def groups(self, keys: Iterable[str]) -> list[Group]:
        """The endpoints, one row each, by the beginning of their keys."""
        groups: dict[str, list[DrawnRow]] = {}
        for key in keys:
            groups.setdefault(key.rpartition(".")[0], []).append(self.row(key, (ANY,)))
        return [Group(name, rows) for name, rows in groups.items()]

    def rows_below(self, key: str) -> list[DrawnRow]:
        """The other rows of one endpoint."""
        return [self.row(key, words) for words in self._grid.words_of(key) if words != (ANY,)]

    def row(self, key: str, words: Words) -> DrawnRow:
        """One row."""
        row = self._grid.row(key, words)
        labels, as_json = self.labels_of(key)
        found = self._found.get(key)
        return DrawnRow(
            key=key,
            name=key.rpartition(".")[2],
            words=",".join(words),
            label=words_text(words),
            fixed=row.fixed,
            is_missing=row.endpoint.state == "missing",
            tags=tuple(tags_of(row.endpoint)) if words == (ANY,) else (),
            labels=as_json,
            routes=tuple(found.routes) if found is not None else (),
            cells=self._cells(row, labels, as_json),
        )

    def choice_rows(self, key: str) -> Iterator[tuple[DrawnRow, list[ChoiceCell]]]:
        """All rows of one endpoint with lists to choose from."""
        labels, _ = self.labels_of(key)
        for words in self._grid.words_of(key):
            row = self._grid.row(key, words)
            yield self.row(key, words), [self._choices(row, n, labels) for n in self._roles]

    def labels_of(self, key: str) -> tuple[Labels, str]:
        """The names of the conditions for an endpoint's objects, also as JSON."""
        found = self._found.get(key)
        model = found.model if found is not None else None
        if model not in self._labels:
            names = self._grid.snapshot.endpoints[key].declaration.conditions
            known = conditions.of_model(model)
            labels = {n: str(known[n].verbose_name) if n in known else n for n in sorted(names)}
            self._labels[model] = labels, json.dumps(labels)
        return self._labels[model]

    def _cells(self, row: GridRow, labels: Labels, as_json: str) -> SafeString:
        drawn = self._drawn
        markup = []
        for place in self._roles:
            look = (row.cells[place], row.fixed, as_json)
            html = drawn.get(look)
            if html is None:
                html = drawn[look] = self._draw(row.cells[place], row.fixed, labels)
            markup.append(html)
        return mark_safe("".join(markup))  # noqa: S308 (each was escaped by its template)

    def _draw(self, cell: GridCell, fixed: Fixed, labels: Labels) -> str:
        parts = [(word[:1], word, says) for word, says in cell.parts]
        return self._template.render(
            {
                "cell": cell,
                "text": cell_text(cell, fixed, labels),
                "symbol": _SYMBOLS[cell.says],
                "parts": parts,
                "own": json.dumps([list(one) for one in cell.own]) if cell.own else "",
                "fixed": fixed,
            }
        )

    def _choices(self, row: GridRow, place: int, labels: Labels) -> ChoiceCell:
        role, cell = self._grid.roles[place], row.cells[place]
        spot = Spot(role.id, row.endpoint.key, row.words)
        offered = [] if row.fixed else choices(cell.own, row.endpoint.conditions)
        if row.endpoint.state == "missing":
            offered = [wanted for wanted in offered if wanted < set(cell.own)]
        found = []
        for wanted in offered:
            if wanted != frozenset(cell.own):
                text = statements_text(sorted(wanted, key=_order), labels)
                found.append(Choice(json.dumps(as_list(Edit(spot, wanted))), text))
        return ChoiceCell(role, cell_text(cell, row.fixed, labels), tuple(found))


def _order(statement: Statement) -> tuple[str, str]:
    return statement.effect, statement.condition or ""
