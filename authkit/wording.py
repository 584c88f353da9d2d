"""What the kernel says, in the language of who reads it. The kernel itself knows no gettext."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from authkit.kernel.language import PatternError
from authkit.kernel.policy import BUILT_IN, Role
from authkit.kernel.problem import Problem


def role_name(role: Role) -> str:
    """What a role is called: the built-in ones have a name in every language."""
    return _(role.name) if role.id in BUILT_IN else role.name


def problem_text(error: Problem) -> str:
    """What is wrong, without a full stop, and without saying where."""
    return _(error.template) % error.values


def error_text(error: Exception) -> str:
    """What is wrong, for an error that may be of the kernel; of any other, its own words."""
    if isinstance(error, PatternError):
        return f"{error.text!r}: {pattern_text(error)}"
    return problem_text(error) if isinstance(error, Problem) else str(error)


def pattern_text(error: PatternError) -> str:
    """Where a text is not of the language of access, and why, as a sentence.

    Characters are counted from 1.
    """
    where = {"place": error.position + 1, "problem": problem_text(error)}
    return _("Character %(place)d: %(problem)s.") % where


def unknown_scopes_text(scopes: Iterable[str]) -> str:
    """Which scopes reach nothing, as a sentence."""
    words = {"scopes": ", ".join(scopes)}
    return _("No endpoint has what this is about: %(scopes)s.") % words
