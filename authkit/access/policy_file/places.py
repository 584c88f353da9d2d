"""Where in the text of a policy file something stands, for messages to people.

The standard library's TOML reader tells no places of what it has read, so they are
looked for: a rule stands on a line of its own, below the header of its role.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from authkit.access.policy_file.document import PolicyFileError
from authkit.access.policy_file.writing import quote

_HEADER = re.compile(r"""\s*\[\s*roles\s*\.\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))""")


class Place(NamedTuple):
    """A line and perhaps a column, counted from 1; None where it was not found."""

    line: int | None = None
    column: int | None = None


class Places:
    """The lines of a text, by role."""

    def __init__(self, text: str) -> None:
        """Go once through the text."""
        self._lines = text.splitlines()
        self._of_role: dict[str | None, list[int]] = {None: []}
        role = None
        for number, line in enumerate(self._lines):
            header = _HEADER.match(line)
            if header is not None:
                role = next(filter(None, header.groups()), "")
            self._of_role.setdefault(role, []).append(number)

    def find(self, role: str | None, value: str | None = None, *, nth: int = 1) -> Place:
        """Where a role begins, or where it names a value for the `nth` time."""
        numbers = self._of_role.get(role, [])
        if value is not None:
            quoted = quote(value)
            for number in numbers:
                line = self._lines[number]
                for written in (quoted, f"'{value}'"):
                    column = line.find(written)
                    if column >= 0:
                        nth -= 1
                        if nth == 0:
                            return Place(number + 1, column + 2)
                        break
        first = numbers[0] if numbers and role is not None else None
        return Place(None if first is None else first + 1)

    def problem(
        self,
        problem: str,
        role: str | None,
        value: str | None = None,
        *,
        offset: int = 0,
        nth: int = 1,
    ) -> PolicyFileError:
        """An error that names the place, `offset` characters into the value."""
        line, column = self.find(role, value, nth=nth)
        return PolicyFileError(problem, line, None if column is None else column + offset)
