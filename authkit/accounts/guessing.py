"""Whoever presents made-up tokens is told to slow down.

Asked only when a credential was refused, so a good one pays nothing for it. Nobody
guesses 128 random bits: this is against the load. So only what made work is counted, a
token that had to be looked up or whose signature had to be checked. One with a wrong
checksum, or that is no token at all, is refused for less than the counting would cost.

Each process counts for itself and tells the database of every `STEP` of them, so that the
first few, and all that come from an address that is known to be over the limit, cost no
query. The refusal comes after the look-up, which a good token needs as well; it spares
the database no query, but tells honest programs to stop, and shows the others to whoever
watches the lock-outs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from authkit.accounts import throttle
from authkit.accounts.client import client_of, network_of
from authkit.exceptions import AuthkitError, TokenMadeUp, TokenNotValid, TooManyAttempts

#: So many are counted in memory before the database is told.
STEP = 20

_MANY_ADDRESSES = 10_000


def answer_to(request: HttpRequest, refusal: AuthkitError) -> AuthkitError:
    """The refusal itself, or, for a made-up token of one too many, `TooManyAttempts`.

    A token that has expired or was revoked was real once: its holder has to hear that.
    Where the database cannot count, the refusal stands.
    """
    if type(refusal) not in (TokenNotValid, TokenMadeUp):
        return refusal
    client = client_of(request)
    address, now = network_of(client.ip), timezone.now()
    blocked_for = _known.blocked_for(address, now)
    if blocked_for is not None:
        return TooManyAttempts(blocked_for)
    if not isinstance(refusal, TokenMadeUp) or not _known.is_step(address):
        return refusal
    try:
        throttle.spend(throttle.Scope.TOKEN, address, client=client, cost=STEP)
    except TooManyAttempts as too_many:
        _known.block(address, now + timedelta(seconds=too_many.retry_after))
        return too_many
    except DatabaseError:
        return refusal
    return refusal


def forget() -> None:
    """Know nothing, like a process that has just started."""
    _known.forget()


class _Addresses:
    """What one process has seen; the addresses not seen for longest are forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._blocked: dict[str, datetime] = {}

    def is_step(self, address: str) -> bool:
        """Count one more; whether it is time to tell the database."""
        with self._lock:
            count = self._counts.pop(address, 0) + 1
            self._counts[address] = count % STEP
            if len(self._counts) > _MANY_ADDRESSES:
                oldest, _ = self._counts.popitem(last=False)
                self._blocked.pop(oldest, None)
            return count >= STEP

    def blocked_for(self, address: str, now: datetime) -> int | None:
        """For how many seconds more this address is known to be over the limit."""
        until = self._blocked.get(address)
        if until is None:
            return None
        if until <= now:
            self._blocked.pop(address, None)
            return None
        return int((until - now).total_seconds()) + 1

    def block(self, address: str, until: datetime) -> None:
        """Ask the database no more about this address until then."""
        self._blocked[address] = until

    def forget(self) -> None:
        """Start again."""
        with self._lock:
            self._counts.clear()
            self._blocked.clear()


_known = _Addresses()
