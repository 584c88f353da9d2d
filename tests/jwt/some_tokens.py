"""A sign-in and its tokens, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import UUIDField

from authkit.jwt import keys
from authkit.kernel import jws
from authkit.models import UserSession

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

NOW = 1_800_000_000
AT = datetime.fromtimestamp(NOW, UTC)
SID = UUID("6f1f1a6e-7f1c-4a66-9d7b-0d6c6f5c9c11")
PK: Any = UUID(int=17) if isinstance(get_user_model()._meta.pk, UUIDField) else 17

ACCESS = {
    "iss": "authkit",
    "aud": "authkit",
    "token_type": "access",
    "sub": str(PK),
    "sid": str(SID),
    "jti": "an-id",
    "iat": NOW,
    "exp": NOW + 300,
    "auth_time": NOW,
}
REFRESH = {**ACCESS, "token_type": "refresh", "gen": 1, "exp": NOW + 86_400}


def ada(**more: Any) -> AbstractUser:
    """A person who is not stored."""
    model: Any = get_user_model()
    person: AbstractUser = model(pk=PK, email="ada@example.com", password="!", **more)
    return person


def session(**changed: Any) -> UserSession:
    """A sign-in that is not stored, begun at AT."""
    times = dict.fromkeys(("created_at", "authenticated_at", "last_seen_at", "rotated_at"), AT)
    expires_at = AT + timedelta(days=14)
    facts = {"id": SID, "kind": "jwt", **times, "expires_at": expires_at, "user_id": PK}
    return UserSession(**{**facts, **changed})


def access(**changed: Any) -> str:
    """An access token of ours that says what we want."""
    return jws.sign({**ACCESS, **changed}, keys.ring().access_signing, typ="at+jwt")


def refresh(**changed: Any) -> str:
    """A refresh token of ours that says what we want."""
    return jws.sign({**REFRESH, **changed}, keys.ring().refresh_signing, typ="rt+jwt")
