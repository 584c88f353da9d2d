"""Read a policy file, and say exactly where it is not one.

Nothing is known here of what is stored; `importing` holds it against that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from authkit import wording
from authkit.access.policy_file.document import (
    AS_IN_CODE,
    OFF,
    PolicyDocument,
    PolicyFileError,
    RoleEntry,
    Span,
)
from authkit.access.policy_file.places import Places
from authkit.access.policy_file.writing import FORMAT
from authkit.kernel.language import PatternError, parse_key
from authkit.kernel.policy import BUILT_IN
from authkit.kernel.rule_line import parse_rule
from authkit.models.role import MAX_SLUG_LENGTH

#: In bytes; a hundred thousand rules take less than half of it.
MAX_SIZE = 16 * 1024 * 1024

_MAX_NAME_LENGTH = 100
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LISTS = ("includes", "permissions", "rules", "switched_off")
_KEYS = frozenset({"name", "description", "defaults", "groups", *_LISTS})
_ERROR_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def read(content: bytes) -> tuple[PolicyDocument, Places]:
    """What a file says, and where in it.

    Raises:
        PolicyFileError: it is no policy file.
    """
    if len(content) > MAX_SIZE:
        raise PolicyFileError(_("The file is longer than %d MiB.") % (MAX_SIZE // 1024**2))
    text = _decoded(content)
    found = _parsed(text)
    places = Places(text)
    _require_keys(found, {"format", "looked_at", "roles"}, None, places)
    if found.get("format") != FORMAT or isinstance(found["format"], bool):
        raise PolicyFileError(_("It must say `format = %d`: this is no policy file.") % FORMAT, 1)
    roles = _table(found.get("roles", {}), "roles", None, places)
    reader = _Reader(places)
    return (
        PolicyDocument(
            roles={slug: reader.role(slug, entry) for slug, entry in roles.items()},
            looked_at=reader.keys(found.get("looked_at", [])),
        ),
        places,
    )


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyFileError(_("This is not UTF-8."), line) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise PolicyFileError(_("It is nested too deeply.")) from None
    except ValueError as error:  # tomllib's own, and numbers that Python does not read
        message = str(error)
        place = _ERROR_PLACE.search(message)
        problem = _("This is not TOML: %s") % _ERROR_PLACE.sub("", message).strip()
        line = text.count("\n") + 1 if place else None
        if place and place[1]:
            raise PolicyFileError(problem, int(place[1]), int(place[2])) from None
        raise PolicyFileError(problem, line) from None


class _Reader:
    """Reads the parts."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def keys(self, values: Any) -> tuple[str, ...]:
        """Keys of endpoints."""
        for value in self._texts(values, "looked_at", None):
            try:
                parse_key(value)
            except PatternError as error:
                raise self._refused(error, None, value) from None
        return tuple(sorted(values))

    def role(self, slug: str, given: Any) -> RoleEntry:
        """One role."""
        if len(slug) > MAX_SLUG_LENGTH or not _SLUG.fullmatch(slug):
            problem = _("%r is not the short name of a role.") % slug
            raise self._places.problem(problem, slug)
        entry = _table(given, f"roles.{slug}", slug, self._places)
        _require_keys(entry, _KEYS, slug, self._places)
        lists = {key: self._texts(entry.get(key, []), key, slug) for key in _LISTS}
        seen: set[str] = set()
        rules = self._rules(slug, lists["rules"], seen)
        switched_off = self._rules(slug, lists["switched_off"], seen)
        return RoleEntry(
            slug=slug,
            name=self._name(slug, entry.get("name")),
            description=self._text(entry.get("description", ""), "description", slug),
            includes=tuple(sorted(lists["includes"])),
            permissions=tuple(sorted(lists["permissions"])),
            rules=rules,
            switched_off=switched_off,
            defaults=self._defaults(slug, entry.get("defaults", {}), seen),
            groups=self._groups(slug, entry["groups"]) if "groups" in entry else None,
        )

    def _name(self, slug: str, given: Any) -> str:
        name = self._text(given, "name", slug)
        if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME_LENGTH:
            problem = _("A role needs a name, of one line and at most %d characters.")
            raise self._places.problem(problem % _MAX_NAME_LENGTH, slug, name)
        return name

    def _text(self, given: Any, key: str, slug: str) -> str:
        if not isinstance(given, str) or "\0" in given:
            raise self._places.problem(_("`%s` must be a text.") % key, slug)
        return given

    def _texts(self, given: Any, key: str, slug: str | None) -> list[str]:
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise self._places.problem(_("`%s` must be a list of texts.") % key, slug)
        seen: set[str] = set()
        for value in given:
            if value in seen:
                problem = _("%r is here twice.") % value
                raise self._places.problem(problem, slug, value, nth=2)
            seen.add(value)
        return given

    def _rules(self, slug: str, lines: Iterable[str], seen: set[str]) -> tuple[str, ...]:
        return tuple(sorted(self._rule(slug, line, seen) for line in lines))

    def _rule(self, slug: str, line: str, seen: set[str] | None = None) -> str:
        try:
            rule = str(parse_rule(line))
        except PatternError as error:
            raise self._refused(error, slug, line) from None
        if seen is not None:
            if rule in seen:
                problem = _("The role has the rule %r twice.") % rule
                raise self._places.problem(problem, slug, line, nth=2)
            seen.add(rule)
        return rule

    def _defaults(self, slug: str, given: Any, seen: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for line, value in _table(given, "defaults", slug, self._places).items():
            default = self._rule(slug, line)
            if default in found:
                raise self._places.problem(_("%r is here twice.") % default, slug, line, nth=2)
            text = self._text(value, line, slug)
            if text in (AS_IN_CODE, OFF):
                self._rule(slug, line, seen)
                found[default] = text
            else:
                found[default] = self._rule(slug, text, seen)
        return found

    def _groups(self, slug: str, given: Any) -> dict[str, Span]:
        if slug in BUILT_IN:
            raise self._places.problem(_("This role is nobody's to give."), slug)
        found = {}
        for name, span in _table(given, "groups", slug, self._places).items():
            times = _table(span, name, slug, self._places)
            _require_keys(times, {"from", "until"}, slug, self._places)
            for at in times.values():
                if not isinstance(at, datetime) or at.tzinfo is None:
                    problem = _("A time must be written like 2030-12-31T12:00:00Z.")
                    raise self._places.problem(problem, slug, name)
            starts_at, ends_at = times.get("from"), times.get("until")
            if starts_at and ends_at and ends_at <= starts_at:
                problem = _("It would end before it begins.")
                raise self._places.problem(problem, slug, name)
            found[name] = Span(starts_at, ends_at)
        return found

    def _refused(self, error: PatternError, slug: str | None, value: str) -> PolicyFileError:
        return self._places.problem(wording.problem_text(error), slug, value, offset=error.position)


def _table(given: Any, key: str, slug: str | None, places: Places) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise places.problem(_("`%s` must be a table.") % key, slug)
    return given


def _require_keys(
    given: Mapping[str, Any], known: Iterable[str], slug: str | None, places: Places
) -> None:
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise places.problem(_("There is no such key: %r.") % unknown[0], slug, unknown[0])
