"""The policy that is stored, as a policy file would say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from authkit.access.policy_file.document import (
    AS_IN_CODE,
    OFF,
    PolicyDocument,
    RoleEntry,
    Span,
)
from authkit.kernel.language import PatternError
from authkit.kernel.policy import BUILT_IN
from authkit.kernel.rule_line import parse_rule
from authkit.models import Assignment, Endpoint, Role, Rule


class Spot(NamedTuple):
    """Where in its role's entry a rule stands.

    Attributes:
        key: "rules", "switched_off" or "defaults".
        line: the rule, or of a default of code, what code declares.
        value: of a default of code, what has become of it.
    """

    key: str
    line: str
    value: str = ""

    @property
    def effective(self) -> str:
        """The rule that is stored for it."""
        return self.line if self.value in ("", AS_IN_CODE, OFF) else self.value


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """What is stored, and which rows say so.

    Attributes:
        document: what a file would say.
        rows: by slug of the role and spot in its entry, primary keys of rules. There are
            several where the same was stored twice in different words.
    """

    document: PolicyDocument
    rows: Mapping[str, Mapping[Spot, tuple[int, ...]]]


def read_stored(alias: str, *, with_groups: bool = False) -> StoredPolicy:
    """Read it, in a few queries; nothing is judged, also not whether it is valid.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    rows = _rules(alias)
    includes = _pairs(alias, Role.includes.through, "from_role__slug", "to_role__slug")
    permissions = _permissions(alias)
    groups = _groups(alias) if with_groups else {}
    roles = {}
    for slug, name, description in Role._base_manager.using(alias).values_list(
        "slug", "name", "description"
    ):
        spots = rows.get(slug, {})
        roles[slug] = RoleEntry(
            slug=slug,
            name=name,
            description=description,
            includes=tuple(sorted(includes.get(slug, ()))),
            permissions=tuple(sorted(permissions.get(slug, ()))),
            rules=_lines("rules", spots),
            switched_off=_lines("switched_off", spots),
            defaults={spot.line: spot.value for spot in spots if spot.key == "defaults"},
            groups=groups.get(slug, {}) if with_groups and slug not in BUILT_IN else None,
        )
    looked_at = Endpoint._base_manager.using(alias).filter(state=Endpoint.State.ACTIVE)
    keys = looked_at.order_by("key").values_list("key", flat=True)
    return StoredPolicy(PolicyDocument(roles, tuple(keys)), rows)


def canonical(line: str) -> str:
    """A rule in its one form; as it stands where it is none."""
    try:
        return str(parse_rule(line))
    except PatternError:
        return line


def _lines(key: str, spots: Mapping[Spot, Any]) -> tuple[str, ...]:
    return tuple(sorted(spot.line for spot in spots if spot.key == key))


def _rules(alias: str) -> dict[str, dict[Spot, tuple[int, ...]]]:
    found: dict[str, dict[Spot, tuple[int, ...]]] = defaultdict(dict)
    rules = Rule._base_manager.using(alias).select_related(None).order_by("id")
    declared: dict[str, set[str]] = defaultdict(set)
    columns = ("role__slug", "source", "default", "is_enabled", "id")
    line_columns = ("effect", "endpoints", "actions", "condition")
    for slug, source, default, is_enabled, number, *parts in rules.values_list(
        *columns, *line_columns
    ).iterator(chunk_size=5000):
        line = canonical(str(Rule(**dict(zip(line_columns, parts, strict=True)))))
        is_code = source == Rule.Source.CODE
        of_code = canonical(f"allow {default}") if default else line if is_code else ""
        if of_code in declared[slug]:
            of_code = ""  # a second row that stems from the same default is a rule of its own
        spot = _spot(line, of_code, is_code=is_code, is_enabled=is_enabled)
        declared[slug].add(of_code)
        found[slug][spot] = (*found[slug].get(spot, ()), number)
    return found


def _spot(line: str, of_code: str, *, is_code: bool, is_enabled: bool) -> Spot:
    if not of_code:
        return Spot("rules" if is_enabled else "switched_off", line)
    if not is_enabled:
        return Spot("defaults", of_code, OFF)
    return Spot("defaults", of_code, AS_IN_CODE if is_code and line == of_code else line)


def _pairs(alias: str, through: Any, role: str, other: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for slug, value in through._base_manager.using(alias).values_list(role, other):
        found[slug].append(value)
    return found


def _permissions(alias: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    rows = Role.permissions.through._base_manager.using(alias).values_list(
        "role__slug", "permission__content_type__app_label", "permission__codename"
    )
    for slug, app_label, codename in rows:
        found[slug].add(f"{app_label}.{codename}")
    return found


def _groups(alias: str) -> dict[str, dict[str, Span]]:
    found: dict[str, dict[str, Span]] = defaultdict(dict)
    rows = Assignment._base_manager.using(alias).filter(group__isnull=False)
    for slug, name, starts_at, ends_at in rows.values_list(
        "role__slug", "group__name", "starts_at", "ends_at"
    ):
        found[slug][name] = Span(_in_utc(starts_at), _in_utc(ends_at))
    return found


def _in_utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)


def spots_of(entry: RoleEntry) -> Iterator[Spot]:
    """Where in an entry each of its rules stands."""
    for key in ("rules", "switched_off"):
        for line in getattr(entry, key):
            yield Spot(key, line)
    for line, value in entry.defaults.items():
        yield Spot("defaults", line, value)
