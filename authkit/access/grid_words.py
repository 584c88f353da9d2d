"""The rows of the matrix: which words about actions one has, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from authkit.kernel.patterns import GROUPS, has_action
from authkit.kernel.policy import EndpointDecl

Fixed = Literal["public", "locked", ""]
Words = tuple[str, ...]

#: They only accompany the others, and have rows only where a rule names them.
_SIDE_QUESTIONS = frozenset({"HEAD", "OPTIONS", "metadata"})


def kinds_of(actions: Iterable[str]) -> Words:
    """The groups of actions that stand for any of these."""
    actions = tuple(actions)
    return tuple(word for word in GROUPS if any(has_action((word,), a) for a in actions))


def named_by(actions: Words, words: Words) -> Words:
    """Which of an endpoint's actions a row is about; side questions only if nothing else."""
    named = tuple(action for action in actions if has_action(words, action))
    return tuple(action for action in named if action not in _SIDE_QUESTIONS) or named


def fixed_at(endpoint: EndpointDecl, named: Words) -> Fixed:
    """Why nobody edits the cells of a row: code makes all its actions public, or fixes them."""
    if named and all(has_action(endpoint.public, action) for action in named):
        return "public"
    words = (*endpoint.public, *endpoint.locked)
    return "locked" if named and all(has_action(words, action) for action in named) else ""


def single(actions: Words) -> Iterator[str]:
    """The actions that have a row of their own, beside the groups."""
    for action in actions:
        if action in GROUPS or action in _SIDE_QUESTIONS:
            continue
        kind = next((word for word in GROUPS if has_action((word,), action)), None)
        if kind is None or len(named_by(actions, (kind,))) > 1:
            yield action


def without_kind(actions: Words) -> Words:
    """The actions that are of no group."""
    return tuple(a for a in actions if not any(has_action((word,), a) for word in GROUPS))
