"""What a policy file says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: What a default of code can be instead of another rule.
AS_IN_CODE, OFF = "as in code", "off"


@dataclass(frozen=True, slots=True)
class Span:
    """From when and until when a group has a role; None for always."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """One role. Every rule is its one canonical line.

    Attributes:
        slug: what everything refers to.
        name, description: for people.
        includes: slugs.
        permissions: Django permissions, ``app.codename``.
        rules: those of administrators that are in force.
        switched_off: those of administrators that are not.
        defaults: by the rule that code declares, what has become of it: `AS_IN_CODE`,
            `OFF`, or the rule that an administrator made of it.
        groups: by name, the groups of people that have the role; None when the file
            does not speak of groups.
    """

    slug: str
    name: str
    description: str = ""
    includes: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Span] | None = None


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A whole file.

    Attributes:
        roles: by slug.
        looked_at: keys of the endpoints that an administrator has looked at, so that
            rules with patterns count there.
    """

    roles: Mapping[str, RoleEntry]
    looked_at: tuple[str, ...] = ()


class PolicyFileError(ValueError):
    """A file is not a policy, or not one that can be had here.

    Attributes:
        line, column: where, counted from 1; None where no place can be named.
    """

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        """Say what is wrong, and where."""
        self.line = line
        self.column = column
        place = "" if line is None else f"line {line}"
        place += "" if line is None or column is None else f", column {column}"
        super().__init__(f"{place}: {problem}" if place else problem)
