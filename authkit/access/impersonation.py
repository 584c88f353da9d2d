"""Whether an administrator may sign in as somebody else, and still may.

Never upwards: to see what somebody sees is to hold their access for a while. It is asked
when it begins and at every request of it, from the rows as they are then.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, router

from authkit import audit, conf, lookups, sessions
from authkit.access import guards
from authkit.exceptions import (
    AuthkitError,
    CannotImpersonate,
    ImpersonationOver,
    SessionEnded,
)
from authkit.lookups import SessionFacts
from authkit.models import UserSession

PERMISSION = "authkit.impersonate_user"

#: Why it ended, where nobody ended it on purpose.
OVER = "impersonation_over"


def require_may(administrator: Any, person: Any) -> None:
    """Refuse whoever may not sign in as this person.

    Raises:
        CannotImpersonate: switched off; without the permission; oneself; somebody who is
            deactivated, a superuser, or otherwise holds more.
    """
    if not conf.get().impersonation:
        raise CannotImpersonate("switched off")
    if not (administrator.is_active and person.is_active):
        raise CannotImpersonate("deactivated")
    if administrator.pk == person.pk:
        raise CannotImpersonate("oneself")
    if not holds_permission(administrator):
        raise CannotImpersonate("without the permission")
    if not guards.holds_at_least(administrator, person):
        raise CannotImpersonate("somebody who holds more")


def may(administrator: Any, person: Any) -> bool:
    """Whether this administrator may sign in as this person."""
    try:
        require_may(administrator, person)
    except CannotImpersonate:
        return False
    return True


def holds_permission(administrator: Any) -> bool:
    """Whether somebody is staff, and was given the permission to sign in as others."""
    has_perm = getattr(administrator, "has_perm", None)
    is_staff = getattr(administrator, "is_staff", False)
    return bool(is_staff and has_perm is not None and has_perm(PERMISSION))


def supervise(
    session: SessionFacts, person: AbstractBaseUser, *, now: datetime
) -> AbstractBaseUser:
    """The administrator behind a sign-in as `person`, if all of it still holds.

    What does not hold any more ends it for good: it does not come back to life with the
    administrator's power or the person's humility.

    Raises:
        ImpersonationOver: it does not.
        django.db.Error: the database cannot be asked.
    """
    try:
        administrator = _administrator_of(session, now)
        require_may(administrator, person)
        session.check(person, now=now)
    except AuthkitError as refusal:
        _end(session, now)
        raise ImpersonationOver(str(refusal)) from refusal
    return administrator


def _administrator_of(session: SessionFacts, now: datetime) -> AbstractBaseUser:
    if not audit.tells_impersonators():  # without the middleware, it would leave no trace
        raise SessionEnded("nobody writes down who acts")
    own_id = session.impersonator_session_id
    alias = router.db_for_write(UserSession)
    found = None if own_id is None else lookups.find_by_id(alias, own_id)
    if found is None or found[0].impersonator_session_id is not None:
        raise SessionEnded("the administrator's own sign-in is gone")
    own, administrator = found
    own.check(administrator, now=now)
    return administrator  # type: ignore[no-any-return]


def _end(session: SessionFacts, now: datetime) -> None:
    if session.revoked_at is None:
        with suppress(DatabaseError):  # it is refused anyway
            sessions.end([session.id], reason=OVER, now=now)
