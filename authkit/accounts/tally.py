"""The rows that count attempts, and who may look at them.

Whoever looks at a row keeps it from everybody else until they are done, so that no two
attempts take the last one that is left.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db import DatabaseError, OperationalError, connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.utils.crypto import salted_hmac

from authkit.accounts import lockouts
from authkit.exceptions import TooManyAttempts
from authkit.kernel.limits import Limit
from authkit.models import Throttle

_CLEAN_UP_ONCE_IN = 50
_TRIES = 4
_COUNTS = ("failed", "pending")
_WRITTEN = (*_COUNTS, "since", "locked_at", "ends_at", "user_id")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing that is counted: `text` tells it apart from others of its scope."""

    scope: Throttle.Scope
    text: str
    limit: Limit
    user_id: Any = None
    address: str = ""

    @property
    def digest(self) -> str:
        """Its key in the table, which tells nobody what was typed."""
        text = f"{self.scope}:{self.text}".encode(errors="backslashreplace").decode()
        return salted_hmac("authkit.throttle", text, algorithm="sha256").hexdigest()


class Busy(TooManyAttempts):
    """As many attempts as are left are being judged just now."""


def refusal_of(row: Throttle, limit: Limit, now: datetime) -> TooManyAttempts | None:
    """Why nothing more may be tried of what this row counts, if that is so."""
    if row.is_over(now=now):
        return None
    if row.failed >= limit.count:
        return too_many(row, now)
    return Busy(1, row.scope) if row.failed + row.pending >= limit.count else None


def too_many(row: Throttle, now: datetime) -> TooManyAttempts:
    """The refusal that holds until this row is over."""
    return TooManyAttempts(math.ceil((row.ends_at - now).total_seconds()), row.scope)


def stored(counted: Counted) -> Throttle | None:
    """The row, without a lock on it."""
    return Throttle.objects.using(database()).filter(pk=counted.digest).first()


def _let_in(rows: Mapping[str, Throttle]) -> None:
    """Refuse nobody."""


@contextmanager
def locked(
    counted: Sequence[Counted],
    now: datetime,
    refuse: Callable[[Mapping[str, Throttle]], None] = _let_in,
) -> Iterator[dict[str, Throttle]]:
    """Around a look at these rows, and what is done to them: nobody else sees them meanwhile.

    Whoever is refused, which `refuse` does by raising, adds no row to the table. A row that
    is over begins again. Only what has changed is written.
    """
    alias = database()
    with transaction.atomic(using=alias):
        rows = _lock(counted, alias)
        refuse(rows)
        missing = [entry for entry in counted if entry.digest not in rows]
        new = sorted((_new_row(entry, now) for entry in missing), key=lambda row: row.digest)
        if new and locks_rows(alias):
            raise _Missing(new)
        rows |= {row.digest: row for row in new}
        before = {digest: _state(row) for digest, row in rows.items()}
        for entry in counted:
            row = rows[entry.digest]
            row.user_id = row.user_id or entry.user_id  # whose name a stranger has tried before
            if row.is_over(now=now):
                _begin_again(row, entry.limit, now)
        yield rows
        if new:
            Throttle.objects.using(alias).bulk_create(new)
        _write({digest: row for digest, row in rows.items() if row not in new}, before, alias)


def _write(rows: Mapping[str, Throttle], before: Mapping[str, dict[str, Any]], alias: str) -> None:
    """Write what has changed: in one statement for all rows that change alike.

    Mostly all of an attempt do. `bulk_update` would spell out each value of each row, which
    takes longer than all statements that are saved.
    """
    alike: dict[tuple[tuple[str, Any], ...], list[str]] = defaultdict(list)
    for digest, row in rows.items():
        alike[_difference(before[digest], _state(row))].append(digest)
    for difference, digests in alike.items():
        if difference:
            values = {
                name: F(name) + value if name in _COUNTS else value for name, value in difference
            }
            Throttle.objects.using(alias).filter(pk__in=digests).update(**values)


def _difference(before: dict[str, Any], now: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What is written of a row that nobody else changes: of a count, by how much it is more."""
    return tuple(
        (name, value - before[name] if name in _COUNTS else value)
        for name, value in now.items()
        if value != before[name]
    )


def _lock(counted: Iterable[Counted], alias: str) -> dict[str, Throttle]:
    """Lock rows in the order of their keys, so that nobody waits in a circle."""
    rows = Throttle.objects.using(alias).filter(pk__in=[entry.digest for entry in counted])
    if not locks_rows(alias):
        rows.update(pending=F("pending"))  # all of it: SQLite has one writer
    return {row.digest: row for row in rows.order_by("pk").select_for_update()}


def locks_rows(alias: str) -> bool:
    """Whether rows can be locked here; where not, there is one writer at a time."""
    return bool(connections[alias].features.has_select_for_update)


def give_back(taken: Mapping[str, datetime]) -> None:
    """Take one pending attempt off these rows, if each is in the window that began then.

    In one statement, where nobody can wait in a circle for rows.
    """
    same = [Q(pk=digest, since=since) for digest, since in taken.items()]
    rows = Throttle.objects.using(database()).filter(reduce(or_, same), pending__gt=0)
    rows.update(pending=F("pending") - 1)


def _new_row(entry: Counted, now: datetime) -> Throttle:
    return Throttle(
        digest=entry.digest,
        scope=entry.scope,
        user_id=entry.user_id,
        address=entry.address,
        since=now,
        ends_at=now + entry.limit.window,
    )


def _begin_again(row: Throttle, limit: Limit, now: datetime) -> None:
    if row.locked_at is not None:
        lockouts.tell_ended(row, reason="expired")
    row.failed, row.pending, row.locked_at = 0, 0, None
    row.since, row.ends_at = now, now + limit.window


def _state(row: Throttle) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _WRITTEN}


def again(work: Callable[[], _T]) -> _T:
    """Do it again once rows that were missing are there, or if the database let others go first.

    The latter not in a transaction, which is lost.
    """
    alias = database()
    for attempt in range(1, _TRIES):
        try:
            return work()
        except _Missing as missing:
            with transaction.atomic(using=alias):
                Throttle.objects.using(alias).bulk_create(missing.rows, ignore_conflicts=True)
        except OperationalError:
            if connections[alias].in_atomic_block:
                raise
            time.sleep(0.01 * attempt * random.random())  # noqa: S311 - not a secret
    return work()


class _Missing(OperationalError):
    """Rows have to be made first, while no other is locked: others lock in the order of keys."""

    def __init__(self, rows: list[Throttle]) -> None:
        super().__init__("rows are missing that count attempts")
        self.rows = rows


def over(*, now: datetime) -> QuerySet[Throttle]:
    """Rows that mean nothing any more."""
    return Throttle.objects.filter(ends_at__lt=now)


def clean_up_sometimes(now: datetime) -> None:
    """Delete some of what is over. By its keys: a range would wait for rows next to it."""
    if random.random() * _CLEAN_UP_ONCE_IN >= 1:  # noqa: S311 - not a secret
        return
    with suppress(DatabaseError), transaction.atomic(using=database()):
        rows = over(now=now).filter(locked_at=None).using(database())
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:500])
        rows.filter(pk__in=keys).delete()


def database() -> str:
    """The alias of the database in which the rows are."""
    return router.db_for_write(Throttle)
