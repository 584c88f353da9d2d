"""Rules from code as defaults: put in force, edited by administrators, reset.

A default is known by its text, which its row keeps in `Rule.default` whatever an
administrator makes of the row. So an upgrade puts new defaults in force and takes back
withdrawn ones, but leaves alone what an administrator has edited or switched off: for a
role and a key where that has happened, nothing new of code comes into force either. It is
shown as drift, and can be reset.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import router, transaction
from django.db.models import QuerySet

from authkit.access import discovery
from authkit.access.discovery import Registry
from authkit.models import Role, Rule
from authkit.models.access_revision import changed


class Default(NamedTuple):
    """One rule that code declares for one role and the key of one endpoint."""

    role: str
    key: str
    actions: str
    condition: str

    @property
    def text(self) -> str:
        """How it is known: ``api.article:update when own``."""
        when = f" when {self.condition}" if self.condition else ""
        return f"{self.key}:{self.actions}{when}"

    def __str__(self) -> str:
        return f"allow {self.role} {self.text}"


@dataclass(frozen=True, slots=True)
class Drift:
    """Where code and administrators differ, for a role and the key of an endpoint.

    Attributes:
        role: its short name.
        key: of the endpoint.
        edited: the rules that an administrator has made of code's defaults.
        declared: all that code declares there now.
    """

    role: str
    key: str
    edited: tuple[Rule, ...]
    declared: tuple[Default, ...]


@dataclass(slots=True)
class DefaultsPlan:
    """What would have to change for the defaults of code to be in force."""

    create: list[Default] = field(default_factory=list)
    adopt: list[tuple[Rule, Default]] = field(default_factory=list)
    withdraw: list[Rule] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.create or self.adopt or self.withdraw)


def declared_in(registry: Registry) -> list[Default]:
    """The defaults that code declares, in alphabetical order."""
    return sorted(
        {
            Default(role, endpoint.key, ",".join(actions), allow.condition or "")
            for endpoint in registry.governed()
            for allow, actions in endpoint.allows()
            for role in allow.roles
        }
    )


def plan(declared: Iterable[Default], rules: Iterable[Rule]) -> DefaultsPlan:
    """Compare what code declares with the rules that there are.

    A rule in force that says just what a default says is the default, whoever wrote it,
    unless it is what an administrator has made of another default that still stands.
    """
    declared, found = list(declared), DefaultsPlan()
    texts = {(default.role, default.text) for default in declared}
    rules = list(rules)
    by_values = {_values_of(rule): rule for rule in rules if rule.effect == Rule.Effect.ALLOW}
    stored = {(rule.role.slug, rule.default) for rule in rules if rule.default}
    adopted = set()
    for default in declared:
        equal = by_values.get(default)
        if equal is not None and _is_adoptable(equal, default, texts):
            adopted.add(equal.pk)
            if (equal.source, equal.default) != (Rule.Source.CODE, default.text):
                found.adopt.append((equal, default))
    left = [rule for rule in rules if rule.pk not in adopted]
    edited = {(rule.role.slug, key_of(rule)) for rule in left if is_edited(rule)}
    for default in declared:
        is_there = (default.role, default.text) in stored or default in by_values
        if not is_there and (default.role, default.key) not in edited:
            found.create.append(default)
    found.withdraw = [
        rule
        for rule in left
        if rule.default and not is_edited(rule) and (rule.role.slug, rule.default) not in texts
    ]
    return found


def carry_out(found: DefaultsPlan) -> None:
    """Put a plan into force, inside a transaction; the roles must be there."""
    if found.withdraw:
        Rule.objects.filter(pk__in=[rule.pk for rule in found.withdraw]).delete()
    for rule, default in found.adopt:
        rule.source, rule.default = Rule.Source.CODE, default.text
        rule.save(update_fields=["source", "default"])
    if found.create:
        roles = Role.objects.in_bulk({default.role for default in found.create}, field_name="slug")
        Rule.objects.bulk_create(_rule_of(default, roles[default.role]) for default in found.create)


def drift(registry: Registry | None = None) -> list[Drift]:
    """Where administrators have edited or switched off what code declares, or declared."""
    declared = declared_in(registry or discovery.registry())
    places: dict[tuple[str, str], list[Rule]] = {}
    defaults = set(declared)
    for rule in stored_rules():
        is_own_but_off = not rule.default and not rule.is_enabled and _values_of(rule) in defaults
        if is_edited(rule) or is_own_but_off:
            places.setdefault((rule.role.slug, key_of(rule)), []).append(rule)
    return [
        Drift(role, key, tuple(rules), tuple(d for d in declared if (d.role, d.key) == (role, key)))
        for (role, key), rules in sorted(places.items())
    ]


def take_over(rule: Rule) -> None:
    """Make a default of code an administrator's; before an edited one is saved."""
    if rule.source == Rule.Source.CODE:
        rule.source = Rule.Source.ADMIN


def remove(rule: Rule) -> None:
    """Delete a rule for an administrator; a default of code is switched off instead.

    Its row stays, so that the next upgrade does not put it in force again.
    """
    if not rule.default:
        rule.delete()
        return
    take_over(rule)
    rule.is_enabled = False
    rule.save(update_fields=["source", "is_enabled"])


def reset(role: str, key: str) -> None:
    """Give up what administrators have made of code's defaults for a role and a key.

    An administrator's own rules stay; one that is equal to a default becomes it.
    """
    declared = [d for d in declared_in(discovery.registry()) if (d.role, d.key) == (role, key)]
    with transaction.atomic(using=router.db_for_write(Rule)):
        changed("policy")  # holds its row until the end, so nobody else syncs meanwhile
        for rule in stored_rules().filter(role__slug=role):
            if is_edited(rule) and key_of(rule) == key:
                rule.delete()
            elif _values_of(rule) in declared and not rule.is_enabled:
                rule.is_enabled = True
                rule.save(update_fields=["is_enabled"])
        rules = [rule for rule in stored_rules().filter(role__slug=role) if key_of(rule) == key]
        carry_out(plan(declared, rules))


def stored_rules() -> QuerySet[Rule]:
    """Every rule, with its role."""
    return Rule.objects.select_related("role").order_by("pk")


def is_edited(rule: Rule) -> bool:
    """Whether it is a default of code that an administrator has changed or switched off."""
    is_as_declared = (
        rule.source == Rule.Source.CODE
        and rule.is_enabled
        and rule.effect == Rule.Effect.ALLOW
        and _values_of(rule).text == rule.default
    )
    return bool(rule.default) and not is_as_declared


def key_of(rule: Rule) -> str:
    """Which endpoint code declared it for; for any other rule, what it is about."""
    return rule.default.partition(":")[0] if rule.default else rule.endpoints


def _is_adoptable(rule: Rule, default: Default, texts: set[tuple[str, str]]) -> bool:
    is_of_another = rule.default not in ("", default.text)
    return rule.is_enabled and not (is_of_another and (default.role, rule.default) in texts)


def _values_of(rule: Rule) -> Default:
    return Default(rule.role.slug, rule.endpoints, rule.actions, rule.condition)


def _rule_of(default: Default, role: Role) -> Rule:
    return Rule(
        role=role,
        effect=Rule.Effect.ALLOW,
        endpoints=default.key,
        actions=default.actions,
        condition=default.condition,
        source=Rule.Source.CODE,
        default=default.text,
    )
