"""What an administrator wants to know of a person at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from authkit import sessions
from authkit.accounts import addresses, names, retired
from authkit.admin.people.acts import is_locked_out
from authkit.admin.people.panels import View, moment
from authkit.models import Throttle, UserSession

_MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about an account; `is_odd` if it keeps somebody from getting in, or may."""

    text: str
    is_odd: bool = False


def of(view: View) -> Iterator[Fact]:
    """The facts, each of them a few words, as far as the visitor may see what they are about."""
    person = view.person
    yield Fact(_("active")) if person.is_active else Fact(_("deactivated"), is_odd=True)
    if view.may_look(Throttle) and is_locked_out(person):
        yield Fact(_("locked out"), is_odd=True)
    if not names.address_of(person):
        yield Fact(_("no e-mail address"), is_odd=True)
    elif addresses.is_verified(person):
        yield Fact(_("e-mail address confirmed"))
    else:
        yield Fact(_("e-mail address not confirmed"), is_odd=True)
    if not person.has_usable_password():
        yield Fact(_("no password"))
    elif retired.is_retired(person):
        yield Fact(_("has to set a new password"), is_odd=True)
    yield _last_sign_in(person)
    if view.may_look(UserSession):
        yield Fact(_("live sessions: %(count)s") % {"count": _live_sessions(person)})


def _last_sign_in(person: Any) -> Fact:
    at = getattr(person, "last_login", None)
    if at is None:
        return Fact(_("never signed in"))
    return Fact(_("last sign-in: %(time)s") % {"time": moment(at)})


def _live_sessions(person: Any) -> str:
    live = sessions.live_of(person, now=timezone.now()) if person.is_active else None
    count = 0 if live is None else live.order_by()[: _MOST_COUNTED + 1].count()
    return f"{_MOST_COUNTED}+" if count > _MOST_COUNTED else str(count)
