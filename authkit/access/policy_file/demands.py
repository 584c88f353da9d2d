"""Hold a file against what there is here: permissions, conditions, roles, groups, code.

What is stored already is not demanded again: a file that was exported here can always be
imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext as _

from authkit import wording
from authkit.access import conditions, defaults, discovery
from authkit.access.policy_file.document import AS_IN_CODE, PolicyDocument, RoleEntry
from authkit.access.policy_file.places import Places
from authkit.access.policy_file.stored import Spot, StoredPolicy, canonical, spots_of
from authkit.kernel.policy import BUILT_IN, InclusionCycle, Role, inclusion_order
from authkit.kernel.rule_line import parse_rule


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file may refer to.

    Attributes:
        permissions: ``app.codename``, each with the primary key of its row.
        groups: by name, likewise.
        declared: by slug of a role, the rules that code declares for it.
        reached: keys of the endpoints that the URLconf reaches.
    """

    permissions: Mapping[str, int]
    groups: Mapping[str, int]
    declared: Mapping[str, frozenset[str]]
    reached: frozenset[str]


def look_around(alias: str, document: PolicyDocument) -> Surroundings:
    """Find what this file refers to."""
    named = {name for entry in document.roles.values() for name in entry.permissions}
    groups = {name for entry in document.roles.values() for name in entry.groups or ()}
    return Surroundings(
        permissions=_permissions(alias, named),
        groups=_groups(alias, groups),
        declared=_declared(),
        reached=frozenset(each.key for each in discovery.registry().governed()),
    )


def _declared() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for default in defaults.declared_in(discovery.registry()):
        found.setdefault(default.role, set()).add(canonical(f"allow {default.text}"))
    return {slug: frozenset(lines) for slug, lines in found.items()}


def require_all(
    document: PolicyDocument,
    stored: StoredPolicy,
    around: Surroundings,
    places: Places,
    *,
    prune: bool,
) -> None:
    """Refuse a file that cannot be had here.

    Raises:
        PolicyFileError: the first thing that is wrong, and where.
    """
    for slug, entry in document.roles.items():
        known = stored.document.roles.get(slug, RoleEntry(slug, slug))
        for name in entry.permissions:
            if name not in around.permissions and name not in known.permissions:
                raise places.problem(_("There is no permission %r.") % name, slug, name)
        for name in entry.groups or ():
            if name not in around.groups:
                raise places.problem(_("There is no group %r.") % name, slug, name)
        for spot in spots_of(entry):
            if spot not in stored.rows.get(slug, ()):
                _require_rule(slug, spot, around, places)
    _require_roles(document, stored, places, prune=prune)


def _require_rule(slug: str, spot: Spot, around: Surroundings, places: Places) -> None:
    condition = parse_rule(spot.effective).condition
    if condition is not None and condition not in conditions.names():
        raise places.problem(
            _("There is no condition %r.") % condition,
            slug,
            spot.effective,
            offset=len(spot.effective) - len(condition),
        )
    if spot.value == AS_IN_CODE and spot.line not in around.declared.get(slug, ()):
        problem = _("Code declares no such default: write it as a rule, or take it out.")
        raise places.problem(problem, slug, spot.line)


def _require_roles(
    document: PolicyDocument, stored: StoredPolicy, places: Places, *, prune: bool
) -> None:
    of_old = stored.document.roles.items()
    kept = {slug: each for slug, each in of_old if not prune or slug in BUILT_IN}
    roles = {**kept, **document.roles}
    for slug, entry in document.roles.items():
        for included in entry.includes:
            if included not in roles:
                raise places.problem(_("There is no role %r.") % included, slug, included)
    try:
        inclusion_order(Role(s, s, tuple(each.includes)) for s, each in roles.items())
    except InclusionCycle as error:
        slug, included = error.roles[0], error.roles[1]
        raise places.problem(wording.problem_text(error), slug, included) from None


def _permissions(alias: str, names: Iterable[str]) -> dict[str, int]:
    codenames = {name.partition(".")[2] for name in names}
    if not codenames:
        return {}
    rows = Permission._base_manager.using(alias).filter(codename__in=codenames)
    columns = ("content_type__app_label", "codename", "pk")
    return {f"{label}.{codename}": pk for label, codename, pk in rows.values_list(*columns)}


def _groups(alias: str, names: Iterable[str]) -> dict[str, int]:
    if not names:
        return {}
    rows = Group._base_manager.using(alias).filter(name__in=names)
    return dict(rows.values_list("name", "pk"))
