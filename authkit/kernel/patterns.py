"""The one small language of access: ``api.article:create``.

An access is the key of an endpoint and an action. Either half may be a pattern:

    api.article:create         one endpoint, one action
    api.*:read                 every endpoint below ``api``, its reading actions
    *.article:update,delete    ``article`` in any one namespace, two groups of actions
    *:*                        everything

Rules, scopes of personal access tokens, commands and policy files all use it. `language`
reads it; here is what it means.

A key is one or more segments joined by dots. In a pattern, `*` stands for exactly one
segment; as the last segment it stands for one or more (``api.*`` matches ``api.article``
and ``api.v2.article``, not ``api``). A segment is matched whole and with its case, never
in part, so matching is linear in the length of the key and cannot be made to run away.

An action is a viewset's action or an HTTP method. The words in `GROUPS` stand for
several. ``GET`` includes HEAD, which is the same question without the body (RFC 9110
§9.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

ANY = "*"

GROUPS: Mapping[str, frozenset[str]] = {
    "read": frozenset({"read", "list", "retrieve", "metadata", "GET", "HEAD", "OPTIONS"}),
    "create": frozenset({"create", "POST"}),
    "update": frozenset({"update", "partial_update", "PUT", "PATCH"}),
    "delete": frozenset({"delete", "destroy", "DELETE"}),
}
_MEANS = {**GROUPS, "GET": frozenset({"GET", "HEAD"})}


class Access(NamedTuple):
    """One question: may this be done at that endpoint? The action may name a group."""

    key: str
    action: str

    def __str__(self) -> str:
        """Write it in the language."""
        return f"{self.key}:{self.action}"


@dataclass(frozen=True, slots=True)
class EndpointPattern:
    """The first half of a pattern; two are equal when their texts are.

    Attributes:
        text: as it is written, which is also its only way of being written.
        segments: what the first segments of a key must be, `*` for any.
        is_open: whether it ends in `*`: one or more segments must follow.
    """

    text: str
    segments: tuple[str, ...] = field(compare=False, repr=False)
    is_open: bool = field(compare=False, repr=False)

    @property
    def is_exact(self) -> bool:
        """Whether it names one key and nothing else."""
        return not self.is_open and ANY not in self.segments

    def matches(self, key: str) -> bool:
        """Whether a key falls under this pattern."""
        theirs = key.split(".")
        ours = self.segments
        if not _is_length_covered(len(ours), self.is_open, len(theirs)):
            return False
        return all(one in (ANY, other) for one, other in zip(ours, theirs, strict=False))

    def covers(self, other: EndpointPattern) -> bool:
        """Whether every key that `other` can match, now or later, falls under this one."""
        if other.is_open and not self.is_open:
            return False
        shortest = len(other.segments) + other.is_open
        if not _is_length_covered(len(self.segments), self.is_open, shortest):
            return False
        return all(
            one in (ANY, two) for one, two in zip(self.segments, other.segments, strict=False)
        )

    def meets(self, other: EndpointPattern) -> bool:
        """Whether there can be a key that falls under both."""
        mine, theirs = len(self.segments), len(other.segments)
        if not self.is_open and not other.is_open and mine != theirs:
            return False
        if self.is_open and not other.is_open and theirs <= mine:
            return False
        if other.is_open and not self.is_open and mine <= theirs:
            return False
        return all(
            one == two or ANY in (one, two)
            for one, two in zip(self.segments, other.segments, strict=False)
        )

    def __str__(self) -> str:
        """Write it in the language."""
        return self.text


@dataclass(frozen=True, slots=True)
class AccessPattern:
    """A set of accesses: the endpoints under a pattern, and words for their actions."""

    endpoint: EndpointPattern
    actions: tuple[str, ...]

    def matches(self, key: str, action: str) -> bool:
        """Whether this one action of this one endpoint belongs to the set."""
        return has_action(self.actions, action) and self.endpoint.matches(key)

    def covers(self, other: AccessPattern) -> bool:
        """Whether the set holds all of the other's accesses, now and later."""
        return covers_actions(self.actions, other.actions) and self.endpoint.covers(other.endpoint)

    def meets(self, other: AccessPattern) -> bool:
        """Whether there can be an access that belongs to both."""
        return self.endpoint.meets(other.endpoint) and _do_actions_meet(self.actions, other.actions)

    def __str__(self) -> str:
        """Write it in the language."""
        return f"{self.endpoint.text}:{','.join(self.actions)}"


def has_action(words: Iterable[str], action: str) -> bool:
    """Whether an action is among these words, by name or by group."""
    return any(word in (ANY, action) or action in _MEANS.get(word, ()) for word in words)


def covers_actions(words: Iterable[str], others: Iterable[str]) -> bool:
    """Whether `words` stand for every action that `others` stand for."""
    words = frozenset(words)
    if ANY in words:
        return True
    wide = words_in(words)
    return all(other != ANY and _meaning(other) <= wide for other in others)


def words_in(words: Iterable[str]) -> frozenset[str]:
    """The single actions for which these words stand; `*` is left as it is."""
    return frozenset().union(*map(_meaning, words))


def _do_actions_meet(words: Iterable[str], others: Iterable[str]) -> bool:
    ours, theirs = words_in(words), words_in(others)
    return ANY in ours or ANY in theirs or bool(ours & theirs)


def _meaning(word: str) -> frozenset[str]:
    return _MEANS.get(word) or frozenset({word})


def _is_length_covered(length: int, is_open: bool, other: int) -> bool:
    return other > length if is_open else other == length
