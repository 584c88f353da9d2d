"""Sign-ins and refusals, day by day."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from django.db.models import Count, IntegerField, Value

from authkit.admin.audit.finding import Events, Narrowing
from authkit.admin.audit.forms import midnight
from authkit.models import AuditEvent

Counts: TypeAlias = Counter[tuple[int, str]]

SIGN_IN, REFUSAL = "login.succeeded", "login.failed"
#: So many are rather read than counted.
_FEW = 5_000


@dataclass(frozen=True, slots=True)
class Day:
    """How often somebody signed in on a day, and how often a sign-in was refused."""

    date: date
    sign_ins: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a row, the earliest first."""

    all: Sequence[Day]

    @property
    def sign_ins(self) -> int:
        """Of all days."""
        return sum(day.sign_ins for day in self.all)

    @property
    def refusals(self) -> int:
        """Of all days."""
        return sum(day.refusals for day in self.all)


def days_of(
    first: date, last: date, *, events: Events | None = None, narrowing: Narrowing | None = None
) -> Days:
    """Count from the first to the last day.

    Days are those of the current time zone, whose lengths differ; so each is a range of its
    own in an index, and no database has to work out the day of each event.
    """
    branches = _branches_of(events, narrowing or Narrowing())
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    edges = [midnight(day) for day in [*days, last + timedelta(days=1)]]
    is_narrow = narrowing is not None and bool(
        narrowing.person or narrowing.ip or narrowing.session
    )
    counts = _one_by_one(branches, edges) if is_narrow else None
    if counts is None:
        counts = _range_by_range(branches, edges)
    return Days([Day(day, counts[n, SIGN_IN], counts[n, REFUSAL]) for n, day in enumerate(days)])


def _branches_of(events: Events | None, narrowing: Narrowing) -> list[Events]:
    """The sign-ins and refusals looked at. To sign in is one's own deed: no two overlap."""
    found = AuditEvent.objects.all() if events is None else events
    asked = replace(narrowing, part="self", kinds=None, since=None, until=None)
    kinds = (SIGN_IN, REFUSAL)
    return [branch.filter(kind__in=kinds).order_by() for branch in asked.branches_of(found)]


def _one_by_one(branches: Sequence[Events], edges: Sequence[datetime]) -> Counts | None:
    """Read each event; None if there are too many of them."""
    counts: Counts = Counter()
    for branch in branches:
        found = branch.filter(at__gte=edges[0], at__lt=edges[-1]).values_list("at", "kind")
        rows = list(found[: _FEW + 1])
        if len(rows) > _FEW:
            return None
        counts.update((bisect_right(edges, at) - 1, kind) for at, kind in rows)
    return counts


def _range_by_range(branches: Sequence[Events], edges: Sequence[datetime]) -> Counts:
    """Let the database count each day, all in one query."""
    parts: list[Any] = [
        branch.filter(at__gte=since, at__lt=until)
        .values("kind")
        .annotate(number=Value(number, IntegerField()), count=Count("*"))
        .values_list("number", "kind", "count")
        for number, (since, until) in enumerate(pairwise(edges))
        for branch in branches
    ]
    counts: Counts = Counter()
    # From Django 6.0 on a union is ordered as its model is, by columns that none here selects.
    for number, kind, count in parts[0].union(*parts[1:], all=True).order_by():
        counts[number, kind] += count
    return counts
