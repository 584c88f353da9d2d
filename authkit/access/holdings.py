"""What a person holds: roles, given to them or to a group of theirs, and flags.

Kept in the process, so that a request asks the database only after something has changed.
Times are judged when a decision is made, never when they are read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Q

from authkit import snapshots
from authkit.models import AccessRevision, Assignment
from authkit.models.access_revision import database, pending_in
from authkit.models.prepared import has_field
from authkit.models.unloaded import is_unloaded

#: What was changed past the models (`update()` of a user, SQL) is noticed after so many seconds.
KEPT_FOR = 60.0
_MOST_KEPT = 50_000
_FLAGS = ("is_active", "is_staff", "is_superuser")


@dataclass(frozen=True, slots=True)
class Span:
    """One assignment: a role, from when and until when."""

    role: str
    starts_at: datetime | None
    ends_at: datetime | None


class Holding:
    """The roles of one person, and the flags where they were not at hand."""

    __slots__ = ("_from", "_roles", "_spans", "_until", "flags", "read_at")

    def __init__(self, spans: list[Span], flags: Mapping[str, bool] | None) -> None:
        """Keep them; nothing is judged yet."""
        self._spans = spans
        self.flags = flags
        self.read_at = time.monotonic()
        self._roles: frozenset[str] = frozenset()
        self._from: datetime | None = None
        self._until: datetime | None = None

    def roles(self, *, now: datetime) -> frozenset[str]:
        """Slugs of the roles in force at this moment."""
        if self._from is None or now < self._from or (self._until and now >= self._until):
            self._judge(now)
        return self._roles

    def _judge(self, now: datetime) -> None:
        in_force, edges = set(), []
        for span in self._spans:
            has_begun = span.starts_at is None or span.starts_at <= now
            if has_begun and (span.ends_at is None or now < span.ends_at):
                in_force.add(span.role)
            edges += [edge for edge in (span.starts_at, span.ends_at) if edge and edge > now]
        self._roles = frozenset(in_force)
        self._until = min(edges, default=None)
        self._from = now


def of(user: Any, *, people: int, is_private: bool = False) -> Holding:
    """What this person holds.

    `people` is the number of the last change of anybody's roles; `is_private` tells that
    the transaction which is open here may have changed them.

    Raises:
        django.db.Error: it is not known, and the database cannot be asked.
    """
    alias = database()
    needs_flags = is_unloaded(user)
    if is_private:
        pending = pending_in(alias, "people")
        if pending is not None:
            its_own = pending.remembered.setdefault("people", {})
            return _kept(its_own, user, needs_flags, alias, people=None)
    if _known.people != people or len(_known.holdings) > _MOST_KEPT:
        _known.start_anew(people)
    return _kept(_known.holdings, user, needs_flags, alias, people=people)


class _Known:
    """By primary key, what was read since the last change."""

    def __init__(self) -> None:
        self.people: int | None = None
        self.holdings: dict[Any, Holding] = {}

    def start_anew(self, people: int) -> None:
        """Forget; a request that is being answered keeps what it has."""
        self.holdings = {}
        self.people = people


def _kept(
    holdings: dict[Any, Holding], user: Any, needs_flags: bool, alias: str, *, people: int | None
) -> Holding:
    """What is known, or else read. `people` is None where an old state does no harm."""
    found = holdings.get(user.pk)
    if (
        found is None
        or (needs_flags and found.flags is None)
        or time.monotonic() - found.read_at > KEPT_FOR
    ):
        may_be_old = people is not None and snapshots.may_be_old(connections[alias])
        found = _read(user.pk, needs_flags, alias)
        if not may_be_old or _number_in(alias) == people:
            holdings[user.pk] = found
    return found


def _number_in(alias: str) -> int:
    """The last change of anybody's roles that is seen in the transaction open here."""
    rows = AccessRevision._base_manager.using(alias).filter(pk=1)
    return rows.values_list("people", flat=True).first() or 0


def _read(user_pk: Any, needs_flags: bool, alias: str) -> Holding:
    given = Q(user=user_pk)
    groups = groups_of(user_pk, alias)
    if groups is not None:
        given |= Q(group__in=groups)
    rows = Assignment._base_manager.using(alias).filter(given)
    spans = [Span(*row) for row in rows.values_list("role__slug", "starts_at", "ends_at")]
    return Holding(spans, _flags_of(user_pk, alias) if needs_flags else None)


def groups_of(user_pk: Any, alias: str) -> Any:
    """Primary keys of a person's groups; None where the user model has no groups."""
    model: Any = get_user_model()
    field = next((f for f in model._meta.many_to_many if f.name == "groups"), None)
    if field is None:
        return None
    through = field.remote_field.through
    which = {field.m2m_field_name(): user_pk}
    return through._base_manager.using(alias).filter(**which).values(field.m2m_reverse_field_name())


def _flags_of(user_pk: Any, alias: str) -> dict[str, bool]:
    model: Any = get_user_model()
    names = [name for name in _FLAGS if has_field(model, name)]
    row = model._base_manager.using(alias).filter(pk=user_pk).values(*names).first()
    if row is None:
        return dict.fromkeys(_FLAGS, False)
    return {"is_active": True, **dict.fromkeys(("is_staff", "is_superuser"), False), **row}


def forget() -> None:
    """Know nothing, as a new process does."""
    _known.__init__()  # type: ignore[misc]


_known = _Known()
