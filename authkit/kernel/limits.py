"""How often something may be tried: the limits that a project may set, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_MINUTES, _HOUR = timedelta(minutes=15), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a window; whoever reaches it waits until it is over."""

    count: int
    window: timedelta


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
