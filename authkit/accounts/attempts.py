"""Failed sign-ins have a limit, whatever the door.

Counted are the account and address, the account, and the address. The account counts
twice: by the name that was typed, which is answered with "too many attempts" whether or
not anybody has it, and by whom that name turns out to mean. The second is silent. An
account that has several names (a user name and an address, or what a database takes for
the same) is guessed at no more often for that, and nobody learns which names are one's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, connections, router
from django.http import HttpRequest
from django.utils import timezone

from authkit import conf
from authkit.accounts import current, throttle
from authkit.accounts.client import client_of, network_of
from authkit.accounts.tally import Busy, Counted
from authkit.accounts.throttle import Reservation, Scope
from authkit.exceptions import StoreUnavailable, TooManyAttempts
from authkit.kernel.client import Client
from authkit.kernel.limits import Limit
from authkit.kernel.names import canonical
from authkit.models import Throttle

#: How long an attempt waits, in seconds, while as many as are left are being judged.
PATIENCE = 2.0

_NOTE = "_authkit_too_many_attempts"


def judged(
    check: Callable[[], bool],
    *,
    name: str,
    person: AbstractBaseUser | None,
    request: HttpRequest | None,
    pretend: Callable[[], object],
) -> bool:
    """Whether `check` says yes. It is asked only while attempts are left.

    Args:
        check: verifies a password, or whatever else can be guessed.
        name: as it was typed.
        person: whom it means, if anybody.
        request: tells the address.
        pretend: takes the time that `check` would take.

    Raises:
        TooManyAttempts: none is left; noted on the request (see `refusal_of`).
        django.db.Error: it cannot be counted, and so was not tried.
        StoreUnavailable: `check` could not tell; nothing is counted.
    """
    request = request or current.request()
    client = client_of(request)
    _note(request, None)
    try:
        reservation = _reserve(name, person, client)
    except TooManyAttempts as refusal:
        _note(request, refusal)
        raise
    is_right = False
    told: dict[str, Any] = {"client": client, "name": name}
    try:
        if reservation.is_over_quietly:
            pretend()
        else:
            is_right = check()
    except (DatabaseError, StoreUnavailable):  # it was not judged, so nothing was guessed
        throttle.settle(reservation, has_failed=False, now=timezone.now(), **told)
        raise
    throttle.settle(reservation, has_failed=not is_right, now=timezone.now(), **told)
    return is_right


def refusal_of(request: object) -> TooManyAttempts | None:
    """The refusal of the last sign-in of a request, if it was because of a limit."""
    refusal = getattr(request, _NOTE, None)
    return refusal if isinstance(refusal, TooManyAttempts) else None


def _note(request: object, refusal: TooManyAttempts | None) -> None:
    if request is not None:
        setattr(request, _NOTE, refusal)


def _reserve(name: str, person: AbstractBaseUser | None, client: Client) -> Reservation:
    """Take an attempt; wait a moment where those that others have taken may come back."""
    loud, quiet = _counted(name, person, network_of(client.ip))
    deadline = time.monotonic() + PATIENCE
    for pause in range(1, 1000):
        try:
            return throttle.reserve(loud, quiet, now=timezone.now())
        except Busy:
            holds_locks = connections[router.db_for_write(Throttle)].in_atomic_block
            if holds_locks or time.monotonic() >= deadline:
                raise
            time.sleep(min(0.01 * pause, 0.1))
    raise Busy(1)


def _counted(
    name: str, person: AbstractBaseUser | None, address: str
) -> tuple[list[Counted], list[Counted]]:
    """What is counted aloud, and what silently; as much for strangers as for people."""
    settings = conf.get()
    narrow = Limit(settings.login_failure_limit, settings.login_failure_window)
    wide = settings.limits.sign_in_to_account
    user_id = None if person is None else person.pk
    typed = canonical(name)
    meant = f"stranger {typed}" if person is None else f"person {user_id}"
    loud = [
        Counted(Scope.NAME_FROM_ADDRESS, f"{address} {typed}", narrow, user_id, address),
        Counted(Scope.NAME, typed, wide, user_id),
    ]
    quiet = [
        Counted(Scope.PERSON_FROM_ADDRESS, f"{address} {meant}", narrow, user_id, address),
        Counted(Scope.PERSON, meant, wide, user_id),
    ]
    if address:
        limit = settings.limits.sign_in_from_address
        loud.append(Counted(Scope.ADDRESS, address, limit, None, address))
    return loud, quiet
