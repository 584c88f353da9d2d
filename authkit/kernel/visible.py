"""Text that shows all that is in it, for people, logs and spreadsheets."""

from __future__ import annotations

import re

#: A spreadsheet runs what begins with these (OWASP, "CSV injection"), wide forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001

#: Where a spreadsheet of another locale divides cells at semicolons, which no quotes keep from it
#: in the middle of a line that has commas.
_HIDDEN_FORMULA = re.compile(r"(;\s*)(?=[=+\-@＝＋－＠])")  # noqa: RUF001


def one_line(text: str) -> str:
    """Escape what could forge a line, hide text, turn it around or colour a terminal.

    CVE-2025-48432 is about lines; what turns text around is "Trojan Source" (CVE-2021-42574).
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def lines(text: str) -> str:
    """The same, for text that may have several lines."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def cell(text: str) -> str:
    """The same, for a cell of a spreadsheet, which must not take it for a formula."""
    seen = one_line(text)
    is_formula = text.startswith(_FORMULA) or seen.lstrip().startswith(_FORMULA)
    seen = _HIDDEN_FORMULA.sub(r"\1'", seen)
    return f"'{seen}" if is_formula else seen


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()
