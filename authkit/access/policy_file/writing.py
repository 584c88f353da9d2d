"""Write a policy file: TOML with one rule on a line, always in the same order.

The same policy is always the same text, so a version control system shows exactly what
has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from authkit.access.policy_file.document import PolicyDocument, RoleEntry, Span

FORMAT = 1

_HEAD = """\
# Roles and their rules, written by `manage.py authkit policy export`.
# `manage.py authkit policy diff` says what a change of it would do, `import` does it.
"""
_BARE = re.compile("[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write(document: PolicyDocument) -> str:
    """The text of a policy file (TOML 1.0)."""
    lines = [_HEAD, f"format = {FORMAT}"]
    lines += _list("looked_at", document.looked_at)
    for _, entry in sorted(document.roles.items()):
        lines += ["", *_role(entry)]
    return "\n".join(lines) + "\n"


def quote(text: str) -> str:
    """A TOML string."""
    return f'"{"".join(map(_escaped, text))}"'


def _role(entry: RoleEntry) -> Iterator[str]:
    slug = entry.slug if _BARE.fullmatch(entry.slug) else quote(entry.slug)
    header = f"roles.{slug}"
    yield f"[{header}]"
    yield f"name = {quote(entry.name)}"
    if entry.description:
        yield f"description = {quote(entry.description)}"
    for key in ("includes", "permissions", "rules", "switched_off"):
        yield from _list(key, getattr(entry, key))
    if entry.defaults:
        yield from ("", f"[{header}.defaults]")
        yield from _pairs(entry.defaults)
    if entry.groups is not None:
        yield from ("", f"[{header}.groups]")
        yield from (f"{quote(name)} = {_span(its)}" for name, its in sorted(entry.groups.items()))


def _list(key: str, values: Iterable[str]) -> Iterator[str]:
    ordered = sorted(values)
    if ordered:
        yield f"{key} = ["
        yield from (f"    {quote(value)}," for value in ordered)
        yield "]"


def _pairs(values: Mapping[str, str]) -> Iterator[str]:
    return (f"{quote(key)} = {quote(value)}" for key, value in sorted(values.items()))


def _span(its: Span) -> str:
    named = (("from", its.starts_at), ("until", its.ends_at))
    pairs = [f"{key} = {at.isoformat()}" for key, at in named if at is not None]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
