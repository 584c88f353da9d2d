"""Who may do something: the same decision, asked about everybody at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, PermissionsMixin
from django.db import router
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from authkit.access import holdings, policies, power
from authkit.access.loading import Policy
from authkit.kernel.language import parse_access
from authkit.kernel.policy import ANYONE, AUTHENTICATED, STAFF, Requirement
from authkit.kernel.snapshot import Cell
from authkit.models import Assignment, Role
from authkit.models.prepared import has_field

NOBODY = Q(pk__in=())
EVERYBODY = ~NOBODY


def who_can(access: str) -> QuerySet[Any]:
    """The active users who may do this, be it for some objects only.

    A group of actions is asked about as a whole: who may do all of it. What code demands
    of a sign-in (that it is recent, a second factor) and the scopes of tokens are about
    credentials and not about people, so they are left out.

    Raises:
        PatternError: `access` is not of the language.
        django.db.Error: the database cannot be asked.
    """
    key, word = parse_access(access)
    policy = policies.current()
    model: Any = get_user_model()
    people: QuerySet[Any] = model._default_manager.filter(_is_active())
    endpoint = policy.snapshot.endpoints.get(key)
    actions = policy.snapshot.actions_of(key, word)
    if endpoint is None or not actions or not policy.snapshot.is_available:
        return people.none()
    now = timezone.now()
    cells = [endpoint.cells[action] for action in actions]
    if endpoint.declaration.state == "missing":
        return people.none()
    return people.filter(reduce(and_, (_may(policy, cell, now) for cell in cells)))


def given_to(user: Any) -> QuerySet[Assignment]:
    """The assignments of a person: to them, and to groups of theirs; whatever their time."""
    given = Q(user=user.pk)
    groups = holdings.groups_of(user.pk, router.db_for_write(Assignment))
    if groups is not None:
        given |= Q(group__in=groups)
    return Assignment._base_manager.filter(given)


def by_role_with_permission(name: str) -> Q:
    """People who hold a Django permission by a role of theirs, now."""
    policy = policies.current()
    roles = [role for role, names in policy.permissions.items() if name in names]
    if not roles or not policy.snapshot.is_available:
        return NOBODY
    return having_any(policy, roles, now=timezone.now())


def having_any(policy: Policy, slugs: Iterable[str], *, now: datetime) -> Q:
    """People who have any of these roles now: given to them, to a group, or built in."""
    slugs = set(slugs)
    if slugs & {ANYONE, AUTHENTICATED}:
        return EVERYBODY
    model: Any = get_user_model()
    given = Assignment._base_manager.filter(
        Q(starts_at__isnull=True) | Q(starts_at__lte=now),
        Q(ends_at__isnull=True) | Q(ends_at__gt=now),
        role__slug__in=slugs,
    )
    found = Q(Exists(given.filter(user=OuterRef("pk"))))
    field = next((f for f in model._meta.many_to_many if f.name == "groups"), None)
    if field is not None:
        groups = given.filter(group__isnull=False).values("group")
        through = field.remote_field.through._base_manager
        mine = {field.m2m_field_name(): OuterRef("pk")}
        theirs = {f"{field.m2m_reverse_field_name()}__in": groups}
        found |= Q(Exists(through.filter(**mine, **theirs)))
    if STAFF in slugs and has_field(model, "is_staff"):
        found |= Q(is_staff=True)
    return found


def having_role(slug: str, *, now: datetime) -> Q:
    """People who have a role now, by itself or by one that includes it, as the rows have it.

    Unlike `having_any` it begins with the assignments and not with the people: for lists,
    of which somebody looks at a page.
    """
    model: Any = get_user_model()
    outer = power.included_in(Role.objects.filter(slug=slug).values_list("pk", flat=True))
    given = Assignment._base_manager.filter(
        Q(starts_at__isnull=True) | Q(starts_at__lte=now),
        Q(ends_at__isnull=True) | Q(ends_at__gt=now),
        role__in=outer,
    ).order_by()
    found = Q(pk__in=given.filter(user__isnull=False).values("user"))
    groups = list(given.filter(group__isnull=False).values_list("group", flat=True))
    field = next((f for f in model._meta.many_to_many if f.name == "groups"), None)
    if groups and field is not None:
        through = field.remote_field.through._base_manager
        members = through.filter(**{f"{field.m2m_reverse_field_name()}__in": groups})
        found |= Q(pk__in=members.values(field.m2m_field_name()))
    if has_field(model, "is_staff") and Role.objects.filter(pk__in=outer, slug=STAFF).exists():
        found |= Q(is_staff=True)
    return found


def _may(policy: Policy, cell: Cell, now: datetime) -> Q:
    if cell.is_public:
        return EVERYBODY
    snapshot = policy.snapshot
    allowing = cell.allow
    for _, roles in cell.allow_if:
        allowing |= roles
    allowed = having_any(policy, snapshot.holders_of(allowing), now=now) if allowing else NOBODY
    denying = cell.deny | cell.unknown_deny
    if denying:
        allowed &= ~having_any(policy, snapshot.holders_of(denying), now=now)
    if has_field(get_user_model(), "is_superuser"):
        allowed |= Q(is_superuser=True)
    return allowed & _meeting(policy, cell.requirement, now)


def _meeting(policy: Policy, requirement: Requirement | None, now: datetime) -> Q:
    if requirement is None or not requirement.permissions:
        return EVERYBODY
    return reduce(and_, (having_permission(policy, name, now) for name in requirement.permissions))


def having_permission(policy: Policy, name: str, now: datetime) -> Q:
    """People who hold a permission: by a role, themselves, by a group, or as superusers."""
    model: Any = get_user_model()
    roles = [role for role, names in policy.permissions.items() if name in names]
    found = [having_any(policy, roles, now=now)] if roles else [NOBODY]
    app_label, _, codename = name.partition(".")
    rows = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
    if issubclass(model, PermissionsMixin):
        found.append(Q(pk__in=rows.values("user")))
        found.append(Q(pk__in=rows.values("group__user")))
    if has_field(model, "is_superuser"):
        found.append(Q(is_superuser=True))
    return reduce(or_, found)


def _is_active() -> Q:
    return Q(is_active=True) if has_field(get_user_model(), "is_active") else EVERYBODY
