"""Finds events among millions: each look-up walks an index in the order of the list.

No database can walk an index in order for "did it *or* had it done to them", nor for "one
of these kinds". So such a question is taken apart into branches, each with an index of its
own; of each the first few events are read, and merged here. Pages begin at an event, not at
a number, so the thousandth costs what the first does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import Q, QuerySet

from authkit import event_kinds
from authkit.models import AuditEvent

Events = QuerySet[AuditEvent]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEWEST_FIRST = ("-at", "-id")
_MANY_KINDS = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose events are looked for: by primary key, by what they are called, or both."""

    key: Any = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which events are looked for. What is None narrows nothing.

    Attributes:
        person: who did it, or to whom it was done; `part` says which ("actor", "subject",
            or "self" for what nobody else did in their name).
        kinds: one of these.
        since, until: from, and up to but not including.
        ip: from this address.
        session: by or about this sign-in.
    """

    person: Person | None = None
    part: str = ""
    kinds: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    ip: str | None = None
    session: UUID | None = None

    def branches_of(self, events: Events) -> list[Events]:
        """What is looked for, as querysets each of which has an index; together, all of it."""
        events = events.filter(self._common())
        if self.person is not None:
            return [self._of_kinds(events.filter(q)) for q in _about(self.person, self.part)]
        is_narrow = self.ip is not None or self.session is not None
        if self.kinds is None or is_narrow or len(self.kinds) <= 1:
            return [self._of_kinds(events)]
        return [events.filter(kind=kind) for kind in self.kinds]

    def _common(self) -> Q:
        bounds: dict[str, Any] = {
            "at__gte": self.since,
            "at__lt": self.until,
            "ip": self.ip,
            "session_id": self.session,
        }
        return Q(**{name: value for name, value in bounds.items() if value is not None})

    def _of_kinds(self, events: Events) -> Events:
        if self.kinds is None:
            return events
        if len(self.kinds) == 1:
            return events.filter(kind=self.kinds[0])
        return events.filter(kind__in=self.kinds)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list: at an event, of which only time and key are known."""

    at: datetime
    id: int

    @classmethod
    def of(cls, event: AuditEvent) -> Place:
        """The place of an event."""
        return cls(event.at, event.pk)

    @classmethod
    def read(cls, text: str) -> Place | None:
        """The place that an address names; None for what names none."""
        first, _, second = text.partition("-")
        if not all(part.isascii() and part.isdigit() for part in (first, second)):
            return None
        try:
            place = cls(_EPOCH + int(first[:20]) * _MICROSECOND, int(second[:20]))
        except OverflowError:
            return None
        return place if place.id < 2**63 else None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id}"

    def older(self) -> Q:
        """What stands below; the first half is what an index understands."""
        return Q(at__lte=self.at) & (Q(at__lt=self.at) | Q(id__lt=self.id))

    def newer(self) -> Q:
        """What stands above."""
        return Q(at__gte=self.at) & (Q(at__gt=self.at) | Q(id__gt=self.id))


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, the newest first, and whether there are others on either side."""

    events: list[AuditEvent]
    has_newer: bool
    has_older: bool


def page(
    branches: Sequence[Events], size: int, *, below: Place | None = None, above: Place | None = None
) -> Page:
    """The events below a place, or just above one, or the newest."""
    if above is not None:
        found = _first(branches, size + 1, above.newer(), is_newest_first=False)
        return Page(found[:size][::-1], len(found) > size, has_older=True)
    found = _first(branches, size + 1, below.older() if below else Q(), is_newest_first=True)
    return Page(found[:size], below is not None, len(found) > size)


def number_of(branches: Sequence[Events], at_most: int) -> int:
    """How many there are, counted no further than one more than `at_most`."""
    keys: set[int] = set()
    for branch in branches:
        keys.update(branch.order_by().values_list("pk", flat=True)[: at_most + 1])
        if len(keys) > at_most:
            break
    return min(len(keys), at_most + 1)


def all_of(branches: Sequence[Events], *, step: int) -> Iterator[AuditEvent]:
    """Every event, the newest first, read step by step: never more than some at a time."""
    walks = [_walk(branch, step) for branch in branches]
    return _once(heapq.merge(*walks, key=_PLACE, reverse=True))


def recorded_kinds() -> list[str]:
    """The kinds that there are, by jumping from each to the next along the index."""
    alias = router.db_for_read(AuditEvent)
    connection = connections[alias]
    table = connection.ops.quote_name(AuditEvent._meta.db_table)
    kind = connection.ops.quote_name("kind")
    least = f"SELECT MIN({kind}) FROM {table}"  # noqa: S608 - names of our own
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE kinds(name) AS ({least} UNION ALL"  # noqa: S608
            f" SELECT ({least} WHERE {kind} > kinds.name) FROM kinds WHERE kinds.name IS NOT NULL)"
            f" SELECT name FROM kinds WHERE name IS NOT NULL LIMIT {_MANY_KINDS}"
        )
        return [row[0] for row in cursor.fetchall()]


_PLACE = attrgetter("at", "id")


def _about(person: Person, part: str) -> Iterator[Q]:
    """By what an event may be somebody's; names are of those whom nobody could identify."""
    if person.key is not None and part != "subject":
        yield Q(actor=person.key)
    if person.key is not None and part in {"", "actor"}:
        yield Q(impersonator=person.key) & ~Q(actor=person.key)
    if person.key is not None and part != "actor":
        yield Q(subject=str(person.key)) & event_kinds.about_people()
    if part != "subject":
        for name in person.names:
            yield Q(actor_name=name, actor=None)


def _first(
    branches: Sequence[Events], size: int, where: Q, *, is_newest_first: bool
) -> list[AuditEvent]:
    order = _NEWEST_FIRST if is_newest_first else ("at", "id")
    found = [list(branch.filter(where).order_by(*order)[:size]) for branch in branches]
    merged = heapq.merge(*found, key=_PLACE, reverse=is_newest_first)
    return list(islice(_once(merged), size))


def _walk(branch: Events, step: int) -> Iterator[AuditEvent]:
    last: Place | None = None
    while True:
        where = Q() if last is None else last.older()
        some = list(branch.filter(where).order_by(*_NEWEST_FIRST)[:step])
        yield from some
        if len(some) < step:
            return
        last = Place.of(some[-1])


def _once(events: Iterator[AuditEvent]) -> Iterator[AuditEvent]:
    """Leave out what several branches have found; in order, so the same are neighbours."""
    last: int | None = None
    for event in events:
        if event.pk != last:
            yield event
        last = event.pk
