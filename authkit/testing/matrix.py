"""A project pins its own matrix, so that a new open endpoint fails its tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from authkit.access import policies
from authkit.access.stances import Row, rows
from authkit.kernel.difference import Stance
from authkit.kernel.language import parse_actions
from authkit.kernel.patterns import has_action
from authkit.kernel.policy import ANYONE
from authkit.kernel.rule_line import parse_conditional

Matrix = Mapping[str, Iterable[str]]

_DENY = "deny "


class _Entry(NamedTuple):
    """One action of one endpoint, as a role allows or denies it."""

    role: str
    key: str
    effect: str
    condition: str
    action: str


def assert_access(matrix: Matrix) -> None:
    """Compare what every role may do with a matrix, exactly.

        def test_access():
            assert_access({
                "anyone": ["api.health:*", "api.article:read when published"],
                "author": ["api.article:create", "api.article:update,delete when own"],
                "guest": ["deny api.article:delete"],
            })

    A role is named by its short name and brings what its rules say, with those of the
    roles that it includes; a role that is not named must bring nothing. What code makes
    public is anyone's. A rule that does not count (nobody has looked at the endpoint, the
    condition is unknown) brings nothing. Each entry must match an action that there is.
    A pattern for endpoints (``api.*:read``) is taken, but lets new ones through.

    Raises:
        AssertionError: it lists what is missing and what is too much.
        PatternError: an entry is not of the language.
    """
    found = list(_rows())
    present = set(_present(found))
    expected: set[_Entry] = set()
    problems: list[tuple[str, str]] = []
    for role, entries in matrix.items():
        if isinstance(entries, str):
            raise TypeError(f"{role}: a list of texts, not one text")
        for text in entries:
            wanted = set(_expanded(role, text, found))
            expected |= wanted
            if not wanted:
                problems.append((role, f"? {text}: there is no such endpoint or action"))
    problems += _lines("+", "is there, and not in the matrix", present - expected, found)
    problems += _lines("-", "is in the matrix, and not there", expected - present, found)
    if problems:
        raise AssertionError("\n".join(_message(problems)))


def current_matrix() -> dict[str, list[str]]:
    """What every role may do now, in the shape of `assert_access`."""
    found = list(_rows())
    matrix: dict[str, list[str]] = {}
    for role, text in _in_language(_present(found), found):
        matrix.setdefault(role, []).append(text)
    return matrix


def write_matrix() -> str:
    """`current_matrix` as Python, to be pasted into a test."""
    lines = ["assert_access({"]
    for role, texts in current_matrix().items():
        lines += [f'    "{role}": [', *(f'        "{text}",' for text in texts), "    ],"]
    return "\n".join([*lines, "})"]) + "\n"


def _rows() -> Iterator[Row]:
    policy = policies.current()
    if not policy.snapshot.is_available:
        raise AssertionError("The access rules cannot be read; the log says why.")
    return (row for row in rows(policy) if row.state != "missing")


def _present(found: Iterable[Row]) -> Iterator[_Entry]:
    for row in found:
        roles = {ANYONE: Stance(allows=True)} if row.is_public else row.roles
        for role, stance in roles.items():
            for effect, condition in _said(stance):
                yield _Entry(role, row.key, effect, condition, row.action)


def _said(stance: Stance) -> Iterator[tuple[str, str]]:
    """An allow beside an allow for all says nothing, and neither does a deny beside a deny."""
    if stance.allows:
        yield "allow", ""
    else:
        yield from (("allow", name) for name in stance.allows_if)
    if stance.denies:
        yield "deny", ""
    else:
        yield from (("deny", name) for name in stance.denies_if)


def _expanded(role: str, text: str, found: Iterable[Row]) -> Iterator[_Entry]:
    effect = "deny" if text.startswith(_DENY) else "allow"
    pattern, condition = parse_conditional(text.removeprefix(_DENY))
    for row in found:
        if pattern.matches(row.key, row.action):
            yield _Entry(role, row.key, effect, condition or "", row.action)


def _lines(
    sign: str, meaning: str, entries: Iterable[_Entry], found: Iterable[Row]
) -> list[tuple[str, str]]:
    return [(role, f"{sign} {text}: {meaning}") for role, text in _in_language(entries, found)]


def _in_language(entries: Iterable[_Entry], found: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """One text for all actions of an endpoint that a role allows or denies alike."""
    groups: dict[tuple[str, ...], set[str]] = {}
    for entry in entries:
        groups.setdefault(entry[:-1], set()).add(entry.action)
    actions: dict[str, list[str]] = {}
    for row in found:
        actions.setdefault(row.key, []).append(row.action)
    for (role, key, effect, condition), named in sorted(groups.items()):
        words = ",".join(_words(named, actions.get(key, [])))
        when = f" when {condition}" if condition else ""
        yield role, f"{_DENY if effect == 'deny' else ''}{key}:{words}{when}"


def _words(named: set[str], actions: Iterable[str]) -> tuple[str, ...]:
    """The shortest words for exactly these actions of an endpoint."""
    actions = set(actions)
    if named == actions:
        return ("*",)
    words, left = [], set(named)
    for group in ("read", "create", "update", "delete"):
        meant = {action for action in actions if has_action((group,), action)}
        if meant and meant <= named:
            words.append(group)
            left -= meant
    return parse_actions([*words, *sorted(left)])


def _message(problems: list[tuple[str, str]]) -> Iterator[str]:
    yield "Access is not what the matrix says."
    role = None
    for named, line in sorted(problems):
        if named != role:
            yield f"{named}:"
            role = named
        yield f"    {line}"
