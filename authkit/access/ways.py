"""How somebody came by a role: given to them, or to a group of theirs, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q

from authkit.models import Assignment


@dataclass(frozen=True, slots=True)
class Way:
    """One assignment.

    Attributes:
        group: the name of the group that has the role; empty for the person.
        starts_at, ends_at: when it is in force; None for no such bound.
    """

    group: str
    starts_at: datetime | None
    ends_at: datetime | None


def ways_to_roles(user: Any, *, now: datetime) -> dict[str, list[Way]]:
    """By slug of each role that was given and is in force now, every way to it.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    if not user.is_authenticated:
        return {}
    groups = getattr(user, "groups", None)
    theirs = Q(user=user.pk)
    if groups is not None and groups.model is Group:
        theirs |= Q(group__in=groups.values("pk"))
    rows = Assignment.objects.filter(theirs).select_related("role", "group")
    found: dict[str, list[Way]] = {}
    for row in rows:
        if row.is_in_force(now=now):
            name = row.group.name if row.group is not None else ""
            found.setdefault(row.role.slug, []).append(Way(name, row.starts_at, row.ends_at))
    return found
