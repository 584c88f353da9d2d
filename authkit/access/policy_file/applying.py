"""Change the rows so that they say what a file says; rows that say it already are not touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from authkit.access.policy_file.demands import Surroundings
from authkit.access.policy_file.document import (
    AS_IN_CODE,
    OFF,
    PolicyDocument,
    RoleEntry,
    Span,
)
from authkit.access.policy_file.stored import Spot, StoredPolicy, spots_of
from authkit.kernel.policy import BUILT_IN
from authkit.kernel.rule_line import parse_rule
from authkit.models import Assignment, Endpoint, Role, Rule

_BATCH = 1000


class Applier:
    """Applies one document.

    Attributes:
        notes: what whoever imports should know besides the difference.
    """

    def __init__(
        self, alias: str, stored: StoredPolicy, around: Surroundings, *, actor: Any = None
    ) -> None:
        """`stored` is what the rows say before."""
        self._alias = alias
        self._stored = stored
        self._around = around
        self._actor = actor
        self.notes: list[str] = []

    def apply(self, document: PolicyDocument, *, prune: bool) -> None:
        """Change what is different."""
        if prune:
            self._prune(document)
        roles = {role.slug: role for role in self._rows(Role)}
        for slug, entry in document.roles.items():
            roles[slug] = self._named(roles.get(slug), entry)
        for slug, entry in document.roles.items():
            self._relate(roles, roles[slug], entry)
        gone, new = self._rules(document, roles)
        for start in range(0, len(gone), _BATCH):
            self._rows(Rule).filter(pk__in=gone[start : start + _BATCH]).delete()
        if new:
            self._rows(Rule).bulk_create(new, batch_size=_BATCH)
        self._look_at(document.looked_at)

    def _rows(self, model: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = model.objects.using(self._alias)
        return rows

    def _prune(self, document: PolicyDocument) -> None:
        kept = {*document.roles, *BUILT_IN}
        for role in self._rows(Role).exclude(slug__in=kept):
            given = role.assignments.count()
            if given:
                self.notes.append(
                    ngettext(
                        "The role %(role)s goes from %(count)d person or group that has it.",
                        "The role %(role)s goes from %(count)d people and groups that have it.",
                        given,
                    )
                    % {"role": role.slug, "count": given}
                )
            role.delete(using=self._alias)

    def _named(self, role: Role | None, entry: RoleEntry) -> Role:
        if role is None:
            role = Role(slug=entry.slug)
        elif (role.name, role.description) == (entry.name, entry.description):
            return role
        role.name, role.description = entry.name, entry.description
        role.save(using=self._alias)
        return role

    def _relate(self, roles: Mapping[str, Role], role: Role, entry: RoleEntry) -> None:
        known = self._stored.document.roles.get(entry.slug, RoleEntry(entry.slug, entry.name))
        if known.includes != entry.includes:
            role.includes.set([roles[slug] for slug in entry.includes])
        if known.permissions != entry.permissions:
            self._permit(role, known.permissions, entry.permissions)
        if entry.groups is not None and (known.groups or {}) != entry.groups:
            self._assign(role, known.groups or {}, entry.groups)

    def _permit(self, role: Role, known: Collection[str], wanted: Collection[str]) -> None:
        """Names, not rows: two models of an app may have a permission of the same name."""
        held = {
            permission.pk: f"{permission.content_type.app_label}.{permission.codename}"
            for permission in role.permissions.select_related("content_type")
        }
        role.permissions.remove(*(pk for pk, name in held.items() if name not in wanted))
        role.permissions.add(
            *(self._around.permissions[name] for name in wanted if name not in known)
        )

    def _assign(self, role: Role, known: Mapping[str, Span], wanted: Mapping[str, Span]) -> None:
        gone = known.keys() - wanted.keys()
        if gone:
            self._rows(Assignment).filter(role=role, group__name__in=gone).delete()
        for name, span in wanted.items():
            if known.get(name) == span:
                continue
            found = self._rows(Assignment).filter(role=role, group__name=name).first()
            given = found or Assignment(
                role=role, group_id=self._around.groups[name], created_by=self._actor
            )
            given.starts_at, given.ends_at = span.starts_at, span.ends_at
            given.save(using=self._alias)

    def _rules(
        self, document: PolicyDocument, roles: Mapping[str, Role]
    ) -> tuple[list[int], list[Rule]]:
        gone: list[int] = []
        new: list[Rule] = []
        for slug, entry in document.roles.items():
            rows = self._stored.rows.get(slug, {})
            wanted = self._wanted(entry, rows)
            gone += [pk for spot, its in rows.items() if spot not in wanted for pk in its]
            new += [_row(roles[slug], spot) for spot in wanted if spot not in rows]
        return gone, new

    def _wanted(self, entry: RoleEntry, rows: Mapping[Spot, Any]) -> set[Spot]:
        """What is to be stored: what the file says, and defaults of which it says nothing.

        Where it has one of those among the rules of administrators, it speaks of that.
        """
        wanted = set(spots_of(entry))
        declared = self._around.declared.get(entry.slug, frozenset())
        for spot in rows:
            if spot.key != "defaults" or spot.line in entry.defaults or spot.line not in declared:
                continue
            said = {s for s in wanted if s.key != "defaults" and s.line == spot.effective}
            for rule in said:
                value = rule.line if rule.line != spot.line else AS_IN_CODE
                value = OFF if rule.key == "switched_off" else value
                wanted.add(Spot("defaults", spot.line, value))
            wanted -= said
            if not said:
                wanted.add(spot)
        return wanted

    def _look_at(self, keys: Collection[str]) -> None:
        unknown = [key for key in keys if key not in self._around.reached]
        if unknown:
            self.notes.append(_("Not reached here, and left out: %s") % ", ".join(unknown))
        new = [key for key in keys if key not in self._stored.document.looked_at]
        now = timezone.now()
        found = {each.key: each for each in self._rows(Endpoint).filter(key__in=new)}
        for key in new:
            if key not in self._around.reached:
                continue
            endpoint = found.get(key) or Endpoint(key=key, found_at=now)
            endpoint.state = Endpoint.State.ACTIVE
            endpoint.missing_since = None
            endpoint.reviewed_at, endpoint.reviewed_by = now, self._actor
            endpoint.save(using=self._alias)


def _row(role: Role, spot: Spot) -> Rule:
    line = parse_rule(spot.effective)
    is_default = spot.key == "defaults"
    is_code = is_default and spot.value == AS_IN_CODE
    return Rule(
        role=role,
        effect=line.effect,
        endpoints=line.access.endpoint.text,
        actions=",".join(line.access.actions),
        condition=line.condition or "",
        is_enabled=spot.key != "switched_off" and spot.value != OFF,
        source=Rule.Source.CODE if is_code else Rule.Source.ADMIN,
        default=spot.line.removeprefix("allow ") if is_default else "",
    )
