"""What somebody or something brings, read from the rows: rules, permissions, flags.

Unlike `holdings`, which answers requests, this looks at what would come of a change that
has not been made yet, and at assignments that begin later.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import router
from django.db.models import Q, QuerySet
from django.utils import timezone

from authkit.access import holdings, loading
from authkit.kernel.cover import Bundle
from authkit.kernel.language import PatternError, parse_actions, parse_endpoint_pattern
from authkit.kernel.policy import ANYONE, AUTHENTICATED, BUILT_IN, STAFF, EndpointDecl, Rule
from authkit.models import Assignment, Role
from authkit.models import Rule as RuleRow


@dataclass(frozen=True, slots=True)
class Power:
    """What is held together.

    Attributes:
        is_superuser, is_staff: flags.
        rules: those of all roles, with what they include.
        permissions: ``app.codename``; None where a user model cannot tell.
    """

    is_superuser: bool = False
    is_staff: bool = False
    rules: Bundle = field(default_factory=Bundle)
    permissions: frozenset[str] | None = frozenset()


def of_giver(person: Any, *, until: datetime | None) -> Power:
    """What a person holds now and at least until then (None: without an end).

    Rules that cannot be read are held by nobody.
    """
    if not person.is_active:
        return Power(permissions=None)
    rows = list(assignments_of(person.pk).select_related("role"))
    now = timezone.now()
    lasting = {row.role_id for row in rows if row.is_in_force(now=now) and _lasts(row, until)}
    passing = {row.role_id for row in rows if row.is_in_force(now=now)} - lasting
    is_staff = bool(getattr(person, "is_staff", False))
    roles = including(lasting | built_in(is_staff=is_staff))
    permissions = permissions_in_force(person)
    if passing and permissions is not None:
        permissions &= permissions_of(roles) | permissions_given_to(person)
    try:
        # What is denied for some time only is not held either.
        denies = bundle_of(including(roles | passing)).denies
        rules = Bundle(bundle_of(roles).allows, denies)
    except PatternError:
        rules = Bundle()
    is_superuser = bool(getattr(person, "is_superuser", False))
    return Power(is_superuser, is_staff, rules, permissions)


def of_account(person: Any) -> Power:
    """What an account holds or will hold: roles that begin later, and if it is deactivated.

    Raises:
        PatternError: a rule of it cannot be read.
    """
    is_staff = bool(getattr(person, "is_staff", False))
    rows = assignments_of(person.pk).filter(not_over())
    roles = including({*rows.values_list("role_id", flat=True)} | built_in(is_staff=is_staff))
    permissions = permissions_in_force(person)
    if permissions is not None:
        permissions |= permissions_of(roles)
    is_superuser = bool(getattr(person, "is_superuser", False))
    return Power(is_superuser, is_staff, bundle_of(roles), permissions)


def not_over() -> Q:
    """Assignments that are in force or will be."""
    return Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now())


def assignments_of(person_pk: Any) -> QuerySet[Assignment]:
    """All assignments to a person or to a group of theirs."""
    alias = _alias()
    given = Q(user=person_pk)
    groups = holdings.groups_of(person_pk, alias)
    if groups is not None:
        given |= Q(group__in=groups)
    return Assignment._base_manager.using(alias).filter(given)


def built_in(*, is_staff: bool) -> set[int]:
    """The built-in roles that a person has."""
    slugs = (ANYONE, AUTHENTICATED, STAFF) if is_staff else (ANYONE, AUTHENTICATED)
    rows = Role._base_manager.using(_alias()).filter(slug__in=slugs)
    return set(rows.values_list("pk", flat=True))


def including(roles: Iterable[int]) -> set[int]:
    """These roles and all that they include."""
    return _along(roles, "from_role_id", "to_role_id")


def included_in(roles: Iterable[int]) -> set[int]:
    """These roles and all that include them."""
    return _along(roles, "to_role_id", "from_role_id")


def is_anybodys(role: int) -> bool:
    """Whether somebody may have this role, by itself or by one that includes it."""
    outer = included_in([role])
    given = Assignment._base_manager.using(_alias()).filter(not_over(), role__in=outer)
    names = Role._base_manager.using(_alias()).filter(pk__in=outer, slug__in=BUILT_IN)
    return given.exists() or names.exists()


def bundle_of(roles: Iterable[int], *, without: int | None = None) -> Bundle:
    """The enabled rules of these very roles, without one rule.

    Raises:
        PatternError: one cannot be read.
    """
    rows = RuleRow._base_manager.using(_alias()).filter(role__in=list(roles), is_enabled=True)
    if without is not None:
        rows = rows.exclude(pk=without)
    return Bundle.of(rule_of(row) for row in rows)


def rule_of(row: RuleRow) -> Rule:
    """What a row says.

    Raises:
        PatternError: it cannot be read.
    """
    return Rule(
        "deny" if row.effect == "deny" else "allow",
        str(row.role_id),
        parse_endpoint_pattern(row.endpoints),
        parse_actions(row.actions),
        row.condition or None,
        "code" if row.source == "code" else "admin",
        row.pk,
    )


def permissions_of(roles: Iterable[int]) -> frozenset[str]:
    """The Django permissions of these very roles."""
    return names_of(Permission.objects.using(_alias()).filter(authkit_roles__in=list(roles)))


def names_of(permissions: QuerySet[Permission]) -> frozenset[str]:
    """Write permissions as ``app.codename``."""
    pairs = permissions.values_list("content_type__app_label", "codename")
    return frozenset(f"{app_label}.{codename}" for app_label, codename in pairs)


def permissions_given_to(person: Any) -> frozenset[str]:
    """The permissions that somebody has without any role: their own and their groups'."""
    rows = Permission.objects.using(_alias())
    found: frozenset[str] = frozenset()
    if hasattr(person, "user_permissions"):
        found |= names_of(rows.filter(pk__in=person.user_permissions.values("pk")))
    groups = holdings.groups_of(person.pk, _alias())
    return found if groups is None else found | names_of(rows.filter(group__in=groups))


def permissions_in_force(person: Any) -> frozenset[str] | None:
    """What the configured backends say now, whatever was known when it was loaded."""
    fresh = copy.copy(person)
    fresh.is_active = True
    for name in [name for name in vars(fresh) if name.endswith("_perm_cache")]:
        delattr(fresh, name)
    get_all = getattr(fresh, "get_all_permissions", None)
    return None if get_all is None else frozenset(get_all())


def endpoints() -> list[EndpointDecl]:
    """All endpoints, as code and administrators know them."""
    return loading.endpoints(_alias(), settings.ROOT_URLCONF)


def _lasts(row: Assignment, until: datetime | None) -> bool:
    return row.ends_at is None or (until is not None and until <= row.ends_at)


def _along(roles: Iterable[int], near: str, far: str) -> set[int]:
    pairs = list(Role.includes.through._base_manager.using(_alias()).values_list(near, far))
    found = set(roles)
    while True:
        more = {other for one, other in pairs if one in found} - found
        if not more:
            return found
        found |= more


def _alias() -> str:
    return router.db_for_write(Role)
