"""The details of an event, laid out to be read: what was and what is now, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from authkit.kernel import visible

_SIDES = {"before", "after"}


@dataclass(frozen=True, slots=True)
class Row:
    """One detail. `is_changed` is for those that have two sides."""

    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Details:
    """What an event holds.

    Attributes:
        tables: before and after, one table for each thing that was changed.
        facts: all that has one side only.
        text: the same as it is stored.
    """

    tables: list[list[Row]]
    facts: list[tuple[str, str]]
    text: str

    @property
    def changed(self) -> list[tuple[int, list[Row]]]:
        """The tables with their numbers."""
        return list(enumerate(self.tables, 1))


def details_of(data: Any) -> Details:
    """Lay out what is stored, whatever it is."""
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
    known = data if isinstance(data, Mapping) else {"": data}
    facts = [(name, written(known[name])) for name in sorted(known, key=str) if name not in _SIDES]
    return Details(list(_tables(known)), facts, visible.lines(text))


def written(value: Any) -> str:
    """A detail in a line; lists in several."""
    if isinstance(value, str):
        return visible.one_line(value)
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return "\n".join(written(each) for each in value)
    if value is None:
        return ""
    return visible.one_line(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _tables(data: Mapping[str, Any]) -> Iterator[list[Row]]:
    if not _SIDES & set(data):
        return
    before, after = data.get("before"), data.get("after")
    if isinstance(before, list) or isinstance(after, list):
        pairs = zip_longest(_listed(before), _listed(after))
        yield from (_table(was, becomes) for was, becomes in pairs)
    else:
        yield _table(before, after)


def _table(before: Any, after: Any) -> list[Row]:
    was, becomes = _fields(before), _fields(after)
    names = dict.fromkeys([*was, *becomes])
    return [
        Row(
            name,
            written(was.get(name)),
            written(becomes.get(name)),
            was.get(name) != becomes.get(name),
        )
        for name in names
    ]


def _fields(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {"": value}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
