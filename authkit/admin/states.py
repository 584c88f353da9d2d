"""Whether a session or token works now, and if not, why: in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from authkit import sessions
from authkit.admin.base import Text
from authkit.models import BearerToken, UserSession

#: Why authkit says that a session ended (`revoked_reason`), for people.
REASONS: dict[str, Text] = {
    "signed_out": _("signed out"),
    "signed_out_everywhere": _("signed out everywhere"),
    "replaced": _("replaced by a new sign-in"),
    "token_revoked": _("its token was revoked"),
    "token_reused": _("a refresh token was used twice"),
    "password_changed": _("the password was changed"),
    "unlinked": _("an account that it may have come by was unlinked"),
    "cookie_not_sent": _("its cookie could not be sent"),
    "deactivated": _("the account was deactivated"),
    "deleted": _("the account was deleted"),
    "impersonation_finished": _("the administrator went back"),
    "impersonation_over": _("the administrator may not be this person any more"),
    "ended_by_administrator": _("ended by an administrator"),
}


@dataclass(frozen=True, slots=True)
class State:
    """Whether something works now, and in words what is with it."""

    is_live: bool
    text: Text


LIVE = State(True, _("live"))
EXPIRED = State(False, _("expired"))
REVOKED = State(False, _("revoked"))
INACTIVE = State(False, _("the account is deactivated"))
OLD_PASSWORD = State(False, REASONS["password_changed"])


def state_of_session(session: UserSession, *, now: datetime) -> State:
    """Judge a session as a request that comes with it would be judged."""
    if session.revoked_at is not None:
        return State(False, REASONS.get(session.revoked_reason, session.revoked_reason))
    if not session.is_live(now=now):
        return EXPIRED
    return _state_under(session.user, session.credential_digest)


def state_of_token(token: BearerToken, *, now: datetime) -> State:
    """Judge a token as a request that comes with it would be judged."""
    if token.revoked_at is not None:
        return REVOKED
    if token.session is not None:
        of_session = state_of_session(token.session, now=now)
        if not of_session.is_live:
            return of_session
    if not token.is_live(now=now):
        return EXPIRED
    return _state_under(token.user, token.credential_digest)


def _state_under(user: Any, credential_digest: str) -> State:
    if not user.is_active:
        return INACTIVE
    if credential_digest != sessions.credential_digest(user):
        return OLD_PASSWORD
    return LIVE
