"""Django permissions that a person has by their roles."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from authkit.access import holdings, policies
from authkit.kernel.policy import ANYONE, AUTHENTICATED, STAFF


def of(user: Any) -> frozenset[str]:
    """``app.codename`` of every permission that this active person's roles carry.

    None at all where the rules or the database are not available.
    """
    policy = policies.current()
    if not policy.permissions or not policy.snapshot.is_available:
        return frozenset()
    try:
        holding = holdings.of(user, people=policy.revision.people, is_private=policy.is_private)
    except DatabaseError:
        return frozenset()
    built_in = [ANYONE, AUTHENTICATED]
    if getattr(user, "is_staff", False):
        built_in.append(STAFF)
    names = (
        policy.permissions.get(role) for role in (*holding.roles(now=timezone.now()), *built_in)
    )
    return frozenset().union(*filter(None, names))
