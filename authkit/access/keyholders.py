"""The last superuser, and the last who can reach the access pages, are not removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connections, router
from django.db.models import Q, QuerySet

from authkit.access import guards, holders, policies
from authkit.access.acting import Actor
from authkit.access.refusals import LastKeyholder
from authkit.models import Role
from authkit.models.prepared import has_field

#: What it takes, besides being staff, to bring access back in order.
PERMISSIONS = ("authkit.change_role", "authkit.change_rule", "authkit.change_assignment")
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def holds_a_key(person: Any) -> bool:
    """Whether this is an active superuser."""
    return bool(person.is_active) and bool(getattr(person, "is_superuser", False))


def require_others(actor: Actor, person: Any) -> None:
    """Refuse if no superuser is left besides this one, or none who enters the admin site.

    Where this one could sign in with a password, so must one of the others; elsewhere
    people may come by other ways, of which nothing is known here. The rows that it finds
    stay locked until the transaction is over, so that two people who remove each other at
    once do not both succeed.

    Raises:
        LastKeyholder: nobody would be left.
    """
    others = _superusers(with_password=_has_password(person)).exclude(pk=person.pk)
    rows = list(_locked(others))
    is_reached = any(getattr(row, "is_staff", True) for row in rows)
    if not rows or not (is_reached or who_reach_the_pages(without=person.pk)):
        raise guards.refuse(actor, LastKeyholder())


def require_reachable(actor: Actor, before: set[Any] | None) -> None:
    """Refuse if nobody of those who could reach the access pages still can.

    Raises:
        LastKeyholder: there were such people, and there are none.
    """
    if before and not who_reach_the_pages():
        raise guards.refuse(actor, LastKeyholder())


def at_stake() -> set[Any] | None:
    """Who can reach the access pages by permissions; None while a superuser can anyway."""
    superusers = _superusers()
    if has_field(get_user_model(), "is_staff"):
        superusers = superusers.filter(is_staff=True)
    return None if superusers.exists() else who_reach_the_pages()


def who_reach_the_pages(*, without: Any = None) -> set[Any]:
    """Keys of the people who can, and not only for some time."""
    model: Any = get_user_model()
    policy = policies.current()
    people = model._base_manager.using(_alias()).filter(_is_active(model))
    if has_field(model, "is_staff"):
        people = people.filter(is_staff=True)
    if without is not None:
        people = people.exclude(pk=without)
    for name in PERMISSIONS:
        people = people.filter(holders.having_permission(policy, name, _FOR_EVER))
    return set(people.values_list("pk", flat=True)[:1000])


def _superusers(*, with_password: bool = False) -> QuerySet[Any]:
    model: Any = get_user_model()
    rows = model._base_manager.using(_alias())
    if not has_field(model, "is_superuser"):
        return rows.none()  # type: ignore[no-any-return]
    if with_password:
        rows = rows.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return rows.filter(_is_active(model), is_superuser=True)  # type: ignore[no-any-return]


def _has_password(person: Any) -> bool:
    return not str(person.password).startswith(UNUSABLE_PASSWORD_PREFIX)


def _is_active(model: Any) -> Q:
    return Q(is_active=True) if has_field(model, "is_active") else Q()


def _locked(rows: QuerySet[Any]) -> QuerySet[Any]:
    is_open = connections[_alias()].in_atomic_block
    return rows.order_by("pk").select_for_update() if is_open else rows


def _alias() -> str:
    return router.db_for_write(Role)
