"""Read the language of access, and say exactly where a text is not of it.

What it means is told in `patterns`. Every text is bounded before it is read, and read
once from left to right.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from functools import lru_cache

from authkit.exceptions import gettext_noop
from authkit.kernel.patterns import (
    ANY,
    GROUPS,
    Access,
    AccessPattern,
    EndpointPattern,
    covers_actions,
)
from authkit.kernel.problem import NONE, Problem

MAX_KEY_LENGTH = 200
MAX_ACTION_LENGTH = 64
MAX_ACTIONS_LENGTH = 500

NOT_TEXT = gettext_noop("this is not text")
TOO_LONG = gettext_noop("longer than %(limit)d characters")

#: What a word of the language is called: nothing is there, and a star that is not all of it.
_NO_WORD = {
    "segment": gettext_noop("an empty segment"),
    "action": gettext_noop("an empty action"),
}
_PART_OF_WORD = {
    "segment": gettext_noop("'*' stands for a whole segment of a pattern"),
    "action": gettext_noop("'*' stands for a whole action of a pattern"),
}

_ORDER = {word: place for place, word in enumerate(GROUPS)}
_WORD_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")


class PatternError(Problem):
    """A text is not of the language.

    Attributes:
        text: what was read, at most a little longer than the language allows.
        position: where it goes wrong, counted from 0.
    """

    def __init__(
        self, text: str, position: int, template: str, values: Mapping[str, object] = NONE
    ) -> None:
        """Say where and why `text` was refused."""
        self.text = text[: MAX_KEY_LENGTH + MAX_ACTIONS_LENGTH + 1]
        self.position = position
        super().__init__(template, values)

    def __str__(self) -> str:
        """In English, for logs and the command line."""
        return f"{self.text!r}, position {self.position}: {self.problem}"

    def within(self, text: str, start: int) -> PatternError:
        """The same, of the longer `text` in which what was read begins at `start`."""
        return PatternError(text, start + self.position, self.template, self.values)


def parse_key(text: str) -> str:
    """Read the key of an endpoint; raise PatternError for anything else."""
    _require_text(text, MAX_KEY_LENGTH)
    _split(text, ".", noun="segment", allow_any=False)
    return text


def parse_endpoint_pattern(text: str) -> EndpointPattern:
    """Read the half before the colon; raise PatternError for anything else."""
    _require_text(text, MAX_KEY_LENGTH)
    return _endpoint_pattern(text)


def parse_actions(words: str | Iterable[str]) -> tuple[str, ...]:
    """Read actions and groups, from ``"update,delete"`` or from a list of words.

    Returns them in their one canonical form: without repetitions, without words that
    another one includes, groups first.

    Raises:
        PatternError: no word at all, or one that cannot be the name of an action.
    """
    if not isinstance(words, str):
        words = ",".join(_require_text(word, MAX_ACTION_LENGTH) for word in words)
    _require_text(words, MAX_ACTIONS_LENGTH)
    return _actions(words)


def parse_pattern(text: str) -> AccessPattern:
    """Read a whole pattern; raise PatternError for anything else."""
    key, actions = _halves(text)
    try:
        pattern = parse_endpoint_pattern(key)
    except PatternError as error:
        raise error.within(text, 0) from None
    try:
        return AccessPattern(pattern, parse_actions(actions))
    except PatternError as error:
        raise error.within(text, len(key) + 1) from None


def parse_access(text: str) -> Access:
    """Read a question: the key of one endpoint and one action or group.

    Raises:
        PatternError: not of the language, an endpoint pattern, or several actions.
    """
    _require_text(text, MAX_KEY_LENGTH + 1 + MAX_ACTIONS_LENGTH)
    return _access(text)


@lru_cache(maxsize=4096)
def _access(text: str) -> Access:
    pattern = parse_pattern(text)
    key = pattern.endpoint.text
    if not pattern.endpoint.is_exact:
        problem = gettext_noop("one endpoint is asked about, not a pattern")
        raise PatternError(text, key.index(ANY), problem)
    if "," in text:
        problem = gettext_noop("one action is asked about at a time")
        raise PatternError(text, text.index(","), problem)
    return Access(key, pattern.actions[0])


@lru_cache(maxsize=2048)
def reaches(scopes: tuple[str, ...], key: str, action: str) -> bool:
    """Whether any of a credential's scopes holds this access.

    A scope that cannot be read reaches nothing: it was stored by an older version or by
    another hand, and narrowing is the safe side.
    """
    return any(scope.matches(key, action) for scope in _readable(scopes))


@lru_cache(maxsize=512)
def _readable(scopes: tuple[str, ...]) -> tuple[AccessPattern, ...]:
    readable = []
    for scope in scopes:
        try:
            readable.append(parse_pattern(scope))
        except PatternError:
            continue
    return tuple(readable)


@lru_cache(maxsize=16384)
def _endpoint_pattern(text: str) -> EndpointPattern:
    segments = _split(text, ".", noun="segment", allow_any=True)
    is_open = segments[-1] == ANY
    return EndpointPattern(text, segments[:-1] if is_open else segments, is_open)


@lru_cache(maxsize=16384)
def _actions(text: str) -> tuple[str, ...]:
    words = set(_split(text, ",", noun="action", allow_any=True))
    kept = [word for word in words if not covers_actions(words - {word}, [word])]
    return tuple(sorted(kept, key=lambda word: (_ORDER.get(word, len(_ORDER)), word)))


def _halves(text: str) -> tuple[str, str]:
    _require_text(text, MAX_KEY_LENGTH + 1 + MAX_ACTIONS_LENGTH)
    key, colon, actions = text.partition(":")
    if not colon:
        problem = gettext_noop("a colon and an action must follow")
        raise PatternError(text, len(text), problem)
    if ":" in actions and "." not in text:
        _refuse_colons(text)
    return key, actions


def _refuse_colons(text: str) -> None:
    """Say what was meant by ``api:order:read``, for Django joins names of URLs by colons."""
    key, _, actions = text.rpartition(":")
    instead = f"{key.replace(':', '.')}:{actions}"
    try:
        parse_pattern(instead)
    except PatternError:
        return
    problem = gettext_noop("the parts of a key are joined by dots: write %(instead)s")
    raise PatternError(text, text.index(":"), problem, {"instead": instead})


def _require_text(text: object, limit: int) -> str:
    if not isinstance(text, str):
        raise PatternError(repr(text), 0, NOT_TEXT)
    if len(text) > limit:
        raise PatternError(text, limit, TOO_LONG, {"limit": limit})
    return text


def _split(text: str, separator: str, *, noun: str, allow_any: bool) -> tuple[str, ...]:
    words = tuple(text.split(separator))
    position = 0
    for word in words:
        if word != ANY or not allow_any:
            _check_word(text, position, word, noun)
        position += len(word) + 1
    return words


def _check_word(text: str, position: int, word: str, noun: str) -> None:
    if not word:
        raise PatternError(text, position, _NO_WORD[noun])
    for place, character in enumerate(word, position):
        if character == ANY:
            raise PatternError(text, place, _PART_OF_WORD[noun])
        if character == ":" and noun == "segment":
            problem = gettext_noop(
                "the parts of a key are joined by dots, and no action is asked for"
            )
            raise PatternError(text, place, problem)
        if character not in _WORD_CHARACTERS:
            problem = gettext_noop("%(sign)r is no letter of a to z, no digit, no '-' and no '_'")
            raise PatternError(text, place, problem, {"sign": character})
    if noun == "action" and len(word) > MAX_ACTION_LENGTH:
        problem = gettext_noop("an action longer than %(limit)d characters")
        place = position + MAX_ACTION_LENGTH
        raise PatternError(text, place, problem, {"limit": MAX_ACTION_LENGTH})
