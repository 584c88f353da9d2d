"""The values that settings take, and how they are read.

Each reader takes what a project wrote and returns it in one form, or says what it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from authkit.kernel.limits import Limit, Limits

Parse = Callable[[object], Any]

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
NONE = timedelta(0)


class Wrong(ValueError):
    """A value that a setting does not take; the text says what it takes."""


def duration(at_least: timedelta, at_most: timedelta) -> Parse:
    """A timedelta, or a number of seconds, between these two."""

    def parse(value: object) -> timedelta:
        if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
            raise Wrong("a timedelta, or a number of seconds")
        length = value if isinstance(value, timedelta) else _seconds(value)
        if not at_least <= length <= at_most:
            raise Wrong(f"a duration from {at_least} to {at_most}")
        return length

    return parse


def _seconds(value: float) -> timedelta:
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise Wrong("a number of seconds that is not so large") from None


def whole_number(at_least: int, at_most: int) -> Parse:
    """A whole number between these two."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("a whole number")
        if not at_least <= value <= at_most:
            raise Wrong(f"a whole number from {at_least} to {at_most}")
        return value

    return parse


def yes_or_no(value: object) -> bool:
    """True or False, and nothing that is like it."""
    if not isinstance(value, bool):
        raise Wrong("True or False")
    return value


def one_of(*choices: str) -> Parse:
    """One of these words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Wrong("one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    return parse


def text(at_most: int, characters: str = "") -> Parse:
    """A text that is not empty, no longer than this, perhaps of these characters alone."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= at_most:
            raise Wrong(f"a text of 1 to {at_most} characters")
        if characters and not set(value) <= set(characters):
            raise Wrong(f"a text made of {characters}")
        return value

    return parse


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not is_list or not all(isinstance(item, str) and item for item in value):  # type: ignore[attr-defined]
        raise Wrong("a list of texts")
    return tuple(value)  # type: ignore[arg-type]


def networks(value: object) -> tuple[Any, ...]:
    """A list of IP addresses or networks."""
    try:
        return tuple(ip_network(text) for text in texts(value))
    except ValueError:
        raise Wrong('a list of addresses or networks, such as "10.0.0.0/8"') from None


def mappings(value: object) -> tuple[Mapping[str, object], ...]:
    """A list of mappings, each of which describes a key."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not is_list or not all(isinstance(item, Mapping) for item in value):  # type: ignore[attr-defined]
        raise Wrong('a list of mappings, each with "alg", "key" and perhaps "kid"')
    return tuple(value)  # type: ignore[arg-type]


def limits(value: object) -> Limits:
    """The limits that a mapping names, the defaults for the rest."""
    known = {entry.name for entry in fields(Limits)}
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise Wrong("a mapping of some of " + ", ".join(f'"{name}"' for name in sorted(known)))
    return Limits(**{name: _limit(pair) for name, pair in value.items()})


def _limit(value: object) -> Limit:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Wrong("for each name a pair: how many, and in how long a time")
    count, window = value
    return Limit(whole_number(1, 1_000_000)(count), duration(SECOND, DAY)(window))


def hosts(value: object) -> tuple[tuple[str, str], ...]:
    """A mapping of hosts to base URLs, as pairs."""
    is_mapping = isinstance(value, Mapping)
    if not is_mapping or not all(isinstance(t, str) for pair in value.items() for t in pair):  # type: ignore[attr-defined]
        raise Wrong('a mapping of hosts to base URLs, {"api.github.com": "http://127.0.0.1:9000"}')
    return tuple(value.items())  # type: ignore[attr-defined]


def optional(parse: Parse) -> Parse:
    """What `parse` reads, or None."""
    return lambda value: None if value is None else parse(value)
