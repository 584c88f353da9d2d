"""Count what may be tried only so often, in the database, exactly.

The rows of an attempt are locked in one order, judged and written in one short
transaction, before anything is tried: two hundred at once in as many processes get
through no more often than the limit says. For sign-ins no cache is asked. None that Django
knows can count several keys at once or be relied on to keep them, so one that is down, or
was flushed, opens nothing. What costs each time may be counted in a cache: see `spending`.

What is counted stays counted if the caller's transaction is rolled back (see `audit`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from authkit import conf
from authkit.accounts import lockouts, spending, tally
from authkit.accounts.client import client_of, network_of
from authkit.accounts.kept import Kept
from authkit.accounts.tally import Counted, refusal_of
from authkit.kernel.client import Client
from authkit.kernel.limits import Limit
from authkit.kernel.names import canonical
from authkit.models import Throttle

Scope = Throttle.Scope


@dataclass(frozen=True, slots=True)
class Reservation:
    """One attempt that was let through and is being judged.

    `rows` are counted for it, each with the start of the window in which it was.
    """

    rows: dict[str, tuple[Counted, datetime]]
    is_over_quietly: bool = False


def spend(scope: Throttle.Scope, text: str, *, client: Client, cost: int = 1) -> None:
    """Count something that costs each time, whether it succeeds or not. See `spending`.

    Raises:
        TooManyAttempts: the limit (LIMITS) was reached; nothing more is counted.
        django.db.Error: it cannot be counted, so the caller must refuse.
    """
    limit: Limit = getattr(conf.get().limits, scope.value)
    counted = Counted(scope, text, limit, address=network_of(client.ip))
    spending.spend(counted, cost, client=client, now=timezone.now())


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
            refusal = None if row is None else refusal_of(row, counted.limit, now)
            if refusal is not None:
                raise refusal

    def take() -> Reservation:
        with tally.locked([*loud, *quiet], now, refuse=refuse) as rows:
            over = {c for c in quiet if refusal_of(rows[c.digest], c.limit, now)}
            free = [c for c in (*loud, *quiet) if c not in over]
            for counted in free:
                rows[counted.digest].pending += 1
            since = {c.digest: (c, rows[c.digest].since) for c in free}
            return Reservation(since, is_over_quietly=bool(over))

    found = tally.again(take)
    tally.clean_up_sometimes(now)
    return found


def settle(
    reservation: Reservation, *, has_failed: bool, now: datetime, client: Client, name: str = ""
) -> None:
    """Count the attempt if it has failed; give back what was taken, and no more, if not."""
    counted = [entry for entry, _ in reservation.rows.values()]
    if not has_failed and not tally.locks_rows(tally.database()):
        taken = {digest: since for digest, (_, since) in reservation.rows.items()}
        tally.again(lambda: tally.give_back(taken))
        return

    def count() -> None:
        with tally.locked(counted, now) as rows:
            for digest, (entry, since) in reservation.rows.items():
                row = rows[digest]
                if row.since == since and row.pending:
                    row.pending -= 1
                if has_failed and _count_failure(row, entry.limit, now):
                    lockouts.tell_began(row, client=client, name=name)

    tally.again(count)
    if has_failed:
        Kept(lambda: tally.again(count)).keep()


def _count_failure(row: Throttle, limit: Limit, now: datetime) -> bool:
    """Whether this failure is the one with which a lock-out begins."""
    if not row.failed:
        row.ends_at = now + limit.window
    row.failed += 1
    if row.failed < limit.count or row.locked_at is not None:
        return False
    row.locked_at, row.ends_at = now, now + limit.window
    return True
