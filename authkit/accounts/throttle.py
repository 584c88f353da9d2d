"""Count what may be tried only so often, in the database, exactly.

The rows of an attempt are locked in one order, judged and written in one short
transaction, before anything is tried: two hundred at once in as many processes get
through no more often than the limit says. A cache is not asked. None that Django knows
can count several keys at once or be relied on to keep them, so a cache that is down, or
was flushed, opens nothing.

What is counted stays counted if the caller's transaction is rolled back (see `audit`).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db import DatabaseError, OperationalError, connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from authkit import audit, conf
from authkit.accounts import lockouts
from authkit.accounts.client import client_of, network_of
from authkit.exceptions import TooManyAttempts
from authkit.kernel.client import Client
from authkit.kernel.limits import Limit
from authkit.kernel.names import canonical
from authkit.models import Throttle

_CLEAN_UP_ONCE_IN = 50
_TRIES = 4
_WRITTEN = ("failed", "pending", "since", "locked_at", "ends_at", "user_id")
_T = TypeVar("_T")

Scope = Throttle.Scope


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


@dataclass(frozen=True, slots=True)
class Reservation:
    """One attempt that was let through and is being judged.

    `rows` are counted for it, each with the start of the window in which it was.
    """

    rows: dict[str, tuple[Counted, datetime]]
    is_over_quietly: bool = False


class Busy(TooManyAttempts):
    """As many attempts as are left are being judged just now."""


def spend(scope: Throttle.Scope, text: str, *, client: Client, cost: int = 1) -> None:
    """Count something that costs each time, whether it succeeds or not.

    Raises:
        TooManyAttempts: the limit (LIMITS) was reached; nothing more is counted.
        django.db.Error: it cannot be counted, so the caller must refuse.
    """
    limit: Limit = getattr(conf.get().limits, scope.value)
    counted = Counted(scope, text, limit, address=network_of(client.ip))
    now = timezone.now()

    def count() -> TooManyAttempts | None:
        with _locked([counted], now) as rows:
            row = rows[counted.digest]
            refusal = _refusal(row, limit, now)
            if refusal is None:
                row.failed += cost
            elif row.locked_at is None:
                row.locked_at = now
                lockouts.tell_began(row, client=client)
        return refusal

    refusal = _again(count)
    if refusal is not None:
        raise refusal
    _Counted(lambda: _again(count)).keep()
    _clean_up_sometimes(now)


def spend_of(scope: Throttle.Scope, request: Any) -> None:
    """Count something by the address from which a request comes. See `spend`."""
    client = client_of(request)
    spend(scope, network_of(client.ip), client=client)


def spend_mail(address: str, request: Any) -> None:
    """Count a mail that somebody asks for, by its recipient. See `spend`."""
    spend(Scope.MAIL, canonical(address), client=client_of(request))


def reserve(loud: Sequence[Counted], quiet: Sequence[Counted], *, now: datetime) -> Reservation:
    """Take one attempt from each of these, before it is made.

    One of `quiet` that is used up is only noted in what is returned: the caller then
    makes no attempt, and answers as if it had failed.

    Raises:
        TooManyAttempts: one of `loud` is used up.
        Busy: what is left of it is being judged just now.
    """

    def refuse(rows: Mapping[str, Throttle]) -> None:
        for counted in loud:
            row = rows.get(counted.digest)
            refusal = None if row is None else _refusal(row, counted.limit, now)
            if refusal is not None:
                raise refusal

    def take() -> Reservation:
        with _locked([*loud, *quiet], now, refuse=refuse) as rows:
            over = {c for c in quiet if _refusal(rows[c.digest], c.limit, now)}
            free = [c for c in (*loud, *quiet) if c not in over]
            for counted in free:
                rows[counted.digest].pending += 1
            since = {c.digest: (c, rows[c.digest].since) for c in free}
            return Reservation(since, is_over_quietly=bool(over))

    found = _again(take)
    _clean_up_sometimes(now)
    return found


def settle(
    reservation: Reservation, *, has_failed: bool, now: datetime, client: Client, name: str = ""
) -> None:
    """Count the attempt if it has failed; give back what was taken, and no more, if not."""
    counted = [entry for entry, _ in reservation.rows.values()]
    if not has_failed and not _locks_rows(_alias()):
        _again(lambda: _give_back(reservation))
        return

    def count() -> None:
        with _locked(counted, now) as rows:
            for digest, (entry, since) in reservation.rows.items():
                row = rows[digest]
                if row.since == since and row.pending:
                    row.pending -= 1
                if has_failed and _count_failure(row, entry.limit, now):
                    lockouts.tell_began(row, client=client, name=name)

    _again(count)
    if has_failed:
        _Counted(lambda: _again(count)).keep()


def _give_back(reservation: Reservation) -> None:
    """In one statement, where nobody can wait in a circle for rows."""
    same = [Q(pk=digest, since=since) for digest, (_, since) in reservation.rows.items()]
    rows = Throttle.objects.using(_alias()).filter(reduce(or_, same), pending__gt=0)
    rows.update(pending=F("pending") - 1)


def over(*, now: datetime) -> QuerySet[Throttle]:
    """Rows that mean nothing any more."""
    return Throttle.objects.filter(ends_at__lt=now)


def _count_failure(row: Throttle, limit: Limit, now: datetime) -> bool:
    """Whether this failure is the one with which a lock-out begins."""
    if not row.failed:
        row.ends_at = now + limit.window
    row.failed += 1
    if row.failed < limit.count or row.locked_at is not None:
        return False
    row.locked_at, row.ends_at = now, now + limit.window
    return True


def _refusal(row: Throttle, limit: Limit, now: datetime) -> TooManyAttempts | None:
    if row.is_over(now=now):
        return None
    if row.failed >= limit.count:
        return TooManyAttempts(math.ceil((row.ends_at - now).total_seconds()), row.scope)
    return Busy(1, row.scope) if row.failed + row.pending >= limit.count else None


def _let_in(rows: Mapping[str, Throttle]) -> None:
    """Refuse nobody."""


@contextmanager
def _locked(
    counted: Sequence[Counted],
    now: datetime,
    refuse: Callable[[Mapping[str, Throttle]], None] = _let_in,
) -> Iterator[dict[str, Throttle]]:
    """Around a look at these rows, and what is done to them: nobody else sees them meanwhile.

    Whoever is refused, which `refuse` does by raising, adds no row to the table. A row that
    is over begins again. Only what has changed is written.
    """
    alias = _alias()
    with transaction.atomic(using=alias):
        rows = _lock(counted, alias)
        refuse(rows)
        missing = [entry for entry in counted if entry.digest not in rows]
        new = sorted((_new_row(entry, now) for entry in missing), key=lambda row: row.digest)
        if new and _locks_rows(alias):
            raise _Missing(new)
        rows |= {row.digest: row for row in new}
        before = {digest: _state(row) for digest, row in rows.items()}
        for entry in counted:
            row = rows[entry.digest]
            row.user_id = row.user_id or entry.user_id  # whose name a stranger has tried before
            if row.is_over(now=now):
                _begin_again(row, entry.limit, now)
        yield rows
        changed = [
            row for digest, row in rows.items() if _state(row) != before[digest] and row not in new
        ]
        if new:
            Throttle.objects.using(alias).bulk_create(new)
        if changed:
            Throttle.objects.using(alias).bulk_update(changed, [*_WRITTEN[:-1], "user"])


def _lock(counted: Iterable[Counted], alias: str) -> dict[str, Throttle]:
    """Lock rows in the order of their keys, so that nobody waits in a circle."""
    rows = Throttle.objects.using(alias).filter(pk__in=[entry.digest for entry in counted])
    if not _locks_rows(alias):
        rows.update(pending=F("pending"))  # all of it: SQLite has one writer
    return {row.digest: row for row in rows.order_by("pk").select_for_update()}


def _locks_rows(alias: str) -> bool:
    return bool(connections[alias].features.has_select_for_update)


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


def _state(row: Throttle) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _WRITTEN)


def _again(work: Callable[[], _T]) -> _T:
    """Do it again once rows that were missing are there, or if the database let others go first.

    The latter not in a transaction, which is lost.
    """
    alias = _alias()
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


class _Counted(audit.Written):
    """What was counted in a transaction that may yet be rolled back; it is then counted again."""

    def __init__(self, count: Callable[[], object]) -> None:
        self._count = count
        self._is_committed = False

    def keep(self) -> None:
        """Watch the end of the transaction, if there is one."""
        audit.watch(self, _alias())
        self.hear(_alias())

    def tell(self) -> None:
        """There is nothing to tell."""

    def rescue(self) -> None:
        """Count it again if its transaction was rolled back."""
        if not self._is_committed and not audit.is_open(self, _alias()):
            self._count()


def _clean_up_sometimes(now: datetime) -> None:
    """Delete some of what is over. By its keys: a range would wait for rows next to it."""
    if random.random() * _CLEAN_UP_ONCE_IN >= 1:  # noqa: S311 - not a secret
        return
    with suppress(DatabaseError), transaction.atomic(using=_alias()):
        rows = over(now=now).filter(locked_at=None).using(_alias())
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:500])
        rows.filter(pk__in=keys).delete()


def _alias() -> str:
    return router.db_for_write(Throttle)
