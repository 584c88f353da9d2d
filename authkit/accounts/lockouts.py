"""Lock-outs: told once when they begin and when they end, found, and lifted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet

from authkit import audit, signals
from authkit.accounts import cached_counts, current
from authkit.kernel.client import NOBODY, Client
from authkit.models import Throttle

#: What a name leads to is counted with the account too, so these would say it twice.
UNSEEN = (Throttle.Scope.NAME, Throttle.Scope.NAME_FROM_ADDRESS)

_OF_PEOPLE = (Throttle.Scope.PERSON, Throttle.Scope.PERSON_FROM_ADDRESS)


def live(*, now: datetime) -> QuerySet[Throttle]:
    """People and addresses that are locked out now.

    Not the names that nobody has: there is no one whom that keeps out.
    """
    is_somebody = ~Q(scope__in=_OF_PEOPLE) | Q(user__isnull=False)
    locked = Throttle.objects.filter(is_somebody, locked_at__isnull=False, ends_at__gt=now)
    return locked.exclude(scope__in=UNSEEN)


def lift(
    which: Q, *, now: datetime, actor: AbstractBaseUser | None = None, client: Client = NOBODY
) -> int:
    """End lock-outs, and forget what has been counted; returns how many lock-outs there were."""
    with transaction.atomic():
        locked = list(Throttle.objects.filter(which).order_by("pk").select_for_update())
        keys = [row.pk for row in locked]
        ended = list(live(now=now).filter(pk__in=keys))
        Throttle.objects.filter(pk__in=keys).delete()
        cached_counts.forget(locked, now=now)  # while the rows still keep everybody out
        for row in ended:
            tell_ended(row, reason="unlocked", actor=actor, client=client)
    return len(ended)


def of_person(user_id: object) -> Q:
    """All that is counted of a person, under whatever name."""
    return Q(user_id=user_id)


def of_address(address: str) -> Q:
    """All that is counted of an address or network, but for what belongs to an account."""
    return Q(address=address, user__isnull=True)


def end_expired(*, now: datetime) -> None:
    """Tell of lock-outs that are over; once, whoever notices."""
    expired = Throttle.objects.filter(locked_at__isnull=False, ends_at__lte=now)
    for row in _in_steps(expired):
        with transaction.atomic():
            same = Throttle.objects.filter(pk=row.pk, locked_at=row.locked_at)
            if same.update(locked_at=None):
                tell_ended(row, reason="expired")


def tell_began(row: Throttle, *, client: Client, name: str = "") -> None:
    """Record that a lock-out has begun, and tell the project when that is certain."""
    if row.scope in UNSEEN:
        return
    audit.record(
        "lockout.began",
        actor_name=name,
        subject=_subject(row),
        client=client,
        data={"scope": row.scope, "failed": row.failed, "until": row.ends_at.isoformat()},
    )
    request = current.request()
    told: dict[str, Any] = {
        "user_id": row.user_id,
        "address": row.address,
        "until": row.ends_at,
        "request": request,
    }
    transaction.on_commit(lambda: _tell(told))


def tell_ended(
    row: Throttle,
    *,
    reason: str,
    actor: AbstractBaseUser | None = None,
    client: Client = NOBODY,
) -> None:
    """Record that a lock-out has ended: it has expired, or somebody has lifted it."""
    if row.scope in UNSEEN:
        return
    data = {"scope": row.scope, "reason": reason, "address": row.address}
    subject = _subject(row)
    audit.record("lockout.ended", actor=actor, subject=subject, client=client, data=data)


def _tell(told: dict[str, Any]) -> None:
    signals.locked_out.send_robust(sender=Throttle, **told)


def _subject(row: Throttle) -> str:
    is_of_people = row.scope in _OF_PEOPLE
    return str(row.user_id or "") if is_of_people else row.address


def _in_steps(rows: QuerySet[Throttle], size: int = 500) -> Iterable[Throttle]:
    """Row by row, without holding all of them; those that were dealt with are not asked again."""
    last = ""
    while some := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield from some
        last = some[-1].pk
