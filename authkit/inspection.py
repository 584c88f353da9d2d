"""What a token of any kind is worth, for those who hold it without presenting it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import router

from authkit import conf, lookups, sessions, tokens
from authkit.exceptions import AuthkitError, CredentialRejected
from authkit.jwt.resolve import resolve_live
from authkit.jwt.verify import verify_access, verify_refresh
from authkit.kernel.client import NOBODY, Client
from authkit.kernel.grant import Grant
from authkit.models import UserSession


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that works now."""

    user_id: str
    username: str
    token_type: str
    grant: Grant | None = None
    expires_at: datetime | None = None

    def as_answer(self) -> dict[str, Any]:
        """The members of RFC 7662 §2.2."""
        answer: dict[str, Any] = {
            "active": True,
            "sub": self.user_id,
            "username": self.username,
            "token_type": self.token_type,
            "iss": conf.get().jwt_issuer,
        }
        if self.expires_at is not None:
            answer["exp"] = int(self.expires_at.timestamp())
        if self.grant is not None and self.grant.token_id is not None:
            answer["jti"] = self.grant.token_id
        if self.grant is not None and self.grant.scopes is not None:
            answer["scope"] = " ".join(self.grant.scopes)
        return answer


def look_into(text: str, *, now: datetime) -> LiveToken | None:
    """What this token is; None for one that does not work, whatever the reason."""
    for read in (_opaque, _access, _refresh):
        try:
            return read(text, now)
        except AuthkitError:
            continue
    return None


def revoke(text: str, *, now: datetime, client: Client = NOBODY, request: object = None) -> None:
    """End this token and the sign-in from which it hangs; nothing if it is not one of ours.

    A refresh token of any generation will do: who signs out with one that another tab of
    the browser has just used up means it.
    """
    told: dict[str, Any] = {"now": now, "client": client, "request": request}
    token_id = tokens.id_of(text)
    session_id = _session_of(text, now) if token_id is None else None
    if token_id is not None:
        tokens.revoke(token_id, **told)
    elif session_id is not None:
        sessions.end([session_id], reason="token_revoked", **told)


def _session_of(text: str, now: datetime) -> UUID | None:
    for verify in (verify_access, verify_refresh):
        with suppress(CredentialRejected):
            return verify(text, now=now.timestamp()).sid
    return None


def _opaque(text: str, now: datetime) -> LiveToken:
    user, grant = tokens.resolve(text, now=now, is_use=False)
    return _live(user, "Bearer", grant, grant.expires_at)


def _access(text: str, now: datetime) -> LiveToken:
    user, grant = resolve_live(text, now=now.timestamp())
    return _live(user, "Bearer", grant, grant.expires_at)


def _refresh(text: str, now: datetime) -> LiveToken | None:
    claims = verify_refresh(text, now=now.timestamp())
    found = lookups.find_by_id(router.db_for_write(UserSession), claims.sid)
    if found is None or str(found[1].pk) != claims.sub:
        return None
    session, user = found
    session.check(user, now=now)
    is_current = UserSession.objects.filter(pk=claims.sid, generation=claims.generation).exists()
    return _live(user, "refresh_token", None, session.expires_at) if is_current else None


def _live(
    user: AbstractBaseUser, token_type: str, grant: Grant | None, expires_at: datetime | None
) -> LiveToken:
    return LiveToken(str(user.pk), user.get_username(), token_type, grant, expires_at)
