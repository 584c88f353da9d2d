"""How often something may be tried: the limits that a project may set, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)
_MINUTES, _HOUR = timedelta(minutes=15), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One of the stretches of equal length into which all time is cut."""

    number: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a window; whoever reaches it waits until it is over."""

    count: int
    window: timedelta

    def window_at(self, now: datetime, *, seed: int) -> Window:
        """In which window `now` is, for whoever has no place to write down when it began.

        Each `seed` has its windows begin at other times, so that not all are over at once.
        """
        length = self.window // _MICROSECOND
        passed = (now - datetime(1970, 1, 1, tzinfo=now.tzinfo)) // _MICROSECOND + seed % length
        number, since = divmod(passed, length)
        return Window(number, now + (length - since) * _MICROSECOND)


@dataclass(frozen=True, slots=True)
class Limits:
    """The wider limits. The name of each is its key in the setting LIMITS.

    The narrow one, of failed sign-ins per account and address, has settings of its own.
    """

    #: Failed sign-ins to one account, from wherever.
    sign_in_to_account: Limit = Limit(50, _MINUTES)
    #: Failed sign-ins from one address, to whatever account.
    sign_in_from_address: Limit = Limit(200, _MINUTES)
    #: Registrations from one address.
    registration: Limit = Limit(20, _HOUR)
    #: Requests for a new password from one address.
    password_reset: Limit = Limit(20, _HOUR)
    #: Keys out of mails that are presented from one address.
    verification: Limit = Limit(60, _HOUR)
    #: Mails to one recipient that anybody may ask for: verify, reset, change.
    mail: Limit = Limit(5, _HOUR)
    #: Made-up tokens, refresh tokens included, that are presented from one address.
    token: Limit = Limit(300, _MINUTES)
    #: Social sign-ins begun from one address.
    social: Limit = Limit(60, _MINUTES)
