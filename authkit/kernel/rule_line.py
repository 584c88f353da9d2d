"""One rule, written on one line: ``allow api.article:update,delete when own``.

What it means is told in `policy`; the half in the middle is the language of `patterns`.
Policy files and a project's own tests write rules this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from authkit.exceptions import gettext_noop
from authkit.kernel.language import (
    MAX_ACTIONS_LENGTH,
    MAX_KEY_LENGTH,
    NOT_TEXT,
    TOO_LONG,
    PatternError,
    parse_pattern,
)
from authkit.kernel.patterns import AccessPattern
from authkit.kernel.policy import Effect

MAX_CONDITION_LENGTH = 60
MAX_LINE_LENGTH = MAX_KEY_LENGTH + MAX_ACTIONS_LENGTH + MAX_CONDITION_LENGTH + 20

_WHEN = " when "


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule without its role. Two are equal when they say the same.

    Attributes:
        effect: "allow" or "deny".
        access: which endpoints and actions.
        condition: name of a condition; None when it holds for every object.
    """

    effect: Effect
    access: AccessPattern
    condition: str | None = None

    def __str__(self) -> str:
        """Write it, in its one canonical form."""
        return f"{self.effect} {line_of(self.access, self.condition)}"


def line_of(access: AccessPattern, condition: str | None) -> str:
    """Write what a rule is about, without its effect."""
    return f"{access}{_WHEN}{condition}" if condition else str(access)


def parse_rule(text: str) -> RuleLine:
    """Read a whole rule; raise PatternError, with the place, for anything else."""
    _require_line(text)
    effect, space, rest = text.partition(" ")
    if effect not in ("allow", "deny") or not space:
        raise PatternError(text, 0, gettext_noop("a rule begins with 'allow ' or 'deny '"))
    access, condition = _about(text, rest, len(effect) + 1)
    return RuleLine(cast(Effect, effect), access, condition)


def parse_conditional(text: str) -> tuple[AccessPattern, str | None]:
    """Read what a rule is about, without its effect: ``api.article:update when own``.

    Raises:
        PatternError: it is something else.
    """
    _require_line(text)
    return _about(text, text, 0)


def _about(text: str, rest: str, start: int) -> tuple[AccessPattern, str | None]:
    access, when, condition = rest.partition(_WHEN)
    try:
        pattern = parse_pattern(access)
    except PatternError as error:
        raise error.within(text, start) from None
    if not when:
        return pattern, None
    place = start + len(access) + len(_WHEN)
    if not condition or condition != condition.strip() or not condition.isprintable():
        problem = gettext_noop("the name of a condition must follow")
        raise PatternError(text, place, problem)
    if len(condition) > MAX_CONDITION_LENGTH:
        limit = place + MAX_CONDITION_LENGTH
        raise PatternError(text, limit, TOO_LONG, {"limit": MAX_CONDITION_LENGTH})
    return pattern, condition


def _require_line(text: object) -> None:
    if not isinstance(text, str):
        raise PatternError(repr(text), 0, NOT_TEXT)
    if len(text) > MAX_LINE_LENGTH:
        raise PatternError(text, MAX_LINE_LENGTH, TOO_LONG, {"limit": MAX_LINE_LENGTH})
