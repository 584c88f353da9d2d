"""The look-ups that stand before every request: a credential's row with all it needs.

Each is one indexed query that brings the session, the whole user, the newest id of the
change feed and the number of the last change of access along. They start at the user
model's default manager, so a project that hides people there (soft deletion, other tenants)
hides them here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.signals import setting_changed
from django.db.models import Subquery

from authkit import changes, freshness, sessions
from authkit.exceptions import SessionEnded, UserInactive
from authkit.models import AccessRevision, BearerToken, Change, UserSession
from authkit.models.prepared import ModelColumns, Parameter, PreparedLookup, Row

_SESSION = (
    "pk",
    "revoked_at",
    "expires_at",
    "created_at",
    "authenticated_at",
    "last_seen_at",
    "credential_digest",
    "impersonator_session_id",
)
_TOKEN = ("digest", "revoked_at", "expires_at", "scopes", "last_used_at", "credential_digest")
_SESSION_WIDTH, _TOKEN_WIDTH = len(_SESSION), len(_TOKEN)


class SessionFacts(NamedTuple):
    """What a look-up found of a UserSession."""

    id: UUID
    revoked_at: datetime | None
    expires_at: datetime
    created_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    credential_digest: str
    impersonator_session_id: UUID | None

    def check(self, user: AbstractBaseUser, *, now: datetime) -> None:
        """Whether this sign-in still counts for this user.

        Raises:
            SessionEnded: ended, over, or begun with another password.
            UserInactive: the account is deactivated.
        """
        if self.revoked_at is not None:
            raise SessionEnded("revoked")
        if now >= self.expires_at or now >= sessions.absolute_end(self.created_at):
            raise SessionEnded("over")
        if not user.is_active:
            raise UserInactive
        if self.credential_digest != sessions.credential_digest(user):
            raise SessionEnded("the password has changed")


class TokenFacts(NamedTuple):
    """What a look-up found of a BearerToken."""

    digest: str
    revoked_at: datetime | None
    expires_at: datetime | None
    scopes: Sequence[str] | None
    last_used_at: datetime | None
    credential_digest: str


def find_by_token(alias: str, token_id: str) -> tuple[TokenFacts, SessionFacts | None, Any] | None:
    """A bearer token by its public id, with its session and user."""
    row = _BY_TOKEN.find(alias, token_id)
    if row is None:
        return None
    token = TokenFacts(*row[:_TOKEN_WIDTH])
    session, user = _session_and_user(alias, row[_TOKEN_WIDTH:])
    return token, session, user


def find_by_id(alias: str, session_id: UUID) -> tuple[SessionFacts, Any] | None:
    """A session by its id, with its user."""
    row = _BY_ID.find(alias, session_id)
    if row is None:
        return None
    session, user = _session_and_user(alias, row)
    return (session, user) if session is not None else None


def find_by_cookie(alias: str, digest: str) -> tuple[SessionFacts, Any] | None:
    """A session by the digest of its cookie, with its user."""
    row = _BY_COOKIE.find(alias, digest)
    if row is None:
        return None
    session, user = _session_and_user(alias, row)
    return (session, user) if session is not None else None


class StoredSession(NamedTuple):
    """Django's own row of a session; the data is None where there is no such row."""

    data: str | None
    expires_at: datetime | None


def find_by_cookie_and_key(
    alias: str, model: type[AbstractBaseSession], digest: str, key: str
) -> tuple[StoredSession, SessionFacts, Any] | None:
    """The same, with the row of Django's database session in the same query."""
    row = _by_cookie_and_key(model).find(alias, digest, key, key)
    if row is None:
        return None
    session, user = _session_and_user(alias, row[2:])
    return (StoredSession(*row[:2]), session, user) if session is not None else None


def _session_and_user(alias: str, row: Row) -> tuple[SessionFacts | None, Any]:
    changes.hear_of(row[_SESSION_WIDTH])
    freshness.hear_of(row[_SESSION_WIDTH + 1])
    user = _user_columns().instance(alias, row[_SESSION_WIDTH + 2 :])
    if row[0] is None:
        return None, user
    return SessionFacts(*row[:_SESSION_WIDTH]), user


def _narrowed(people: Any, path: str, **which: object) -> tuple[Any, list[str]]:
    """People with all that a look-up reads; `people` is their manager, or what it finds."""
    columns = [path + name for name in _SESSION]
    annotated = people.filter(**which).annotate(
        authkit_newest_change=Subquery(Change.objects.order_by("-id").values("id")[:1]),
        authkit_access=Subquery(AccessRevision._base_manager.filter(pk=1).values("number")),
    )
    return annotated, [*columns, "authkit_newest_change", "authkit_access", *_user_columns().names]


def _build_by_token(people: Any, token_id: object) -> Any:
    people, columns = _narrowed(people, "authkit_tokens__session__", authkit_tokens__pk=token_id)
    return people.values_list(*(f"authkit_tokens__{name}" for name in _TOKEN), *columns)


def _build_by_id(people: Any, session_id: object) -> Any:
    people, columns = _narrowed(people, "authkit_sessions__", authkit_sessions__pk=session_id)
    return people.values_list(*columns)


def _build_by_cookie(people: Any, digest: object) -> Any:
    people, columns = _narrowed(
        people, "authkit_sessions__", authkit_sessions__cookie_digest=digest
    )
    return people.values_list(*columns)


@lru_cache(maxsize=4)
def _by_cookie_and_key(model: type[AbstractBaseSession]) -> PreparedLookup:
    def build(people: Any, stored: Any, digest: object, key: object, same_key: object) -> Any:
        which = {"authkit_sessions__cookie_digest": digest}
        people, columns = _narrowed(people, "authkit_sessions__", **which)
        joined = people.annotate(
            authkit_data=Subquery(stored.filter(pk=key).values("session_data")[:1]),
            authkit_expiry=Subquery(stored.filter(pk=same_key).values("expire_date")[:1]),
        )
        return joined.values_list("authkit_data", "authkit_expiry", *columns)

    def managers() -> list[Any]:
        return [*_managers(), model._default_manager]

    key = model._meta.pk
    first, second = Parameter(key, "authkit:key:1"), Parameter(key, "authkit:key:2")
    return PreparedLookup(build, _DIGEST, first, second, managers=managers)


def _managers() -> list[Any]:
    return [get_user_model()._default_manager]


@lru_cache(maxsize=1)
def _user_columns() -> ModelColumns[Any]:
    return ModelColumns(get_user_model())


def _forget(*, setting: str, **_: object) -> None:
    if setting == "AUTH_USER_MODEL":
        _user_columns.cache_clear()
        _by_cookie_and_key.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.lookups")

_DIGEST = Parameter(UserSession._meta.get_field("cookie_digest"), "authkit:digest")
_TOKEN_ID = Parameter(BearerToken._meta.pk, "authkit:token")
_SESSION_ID = Parameter(UserSession._meta.pk, uuid4())
_BY_COOKIE = PreparedLookup(_build_by_cookie, _DIGEST, managers=_managers)
_BY_TOKEN = PreparedLookup(_build_by_token, _TOKEN_ID, managers=_managers)
_BY_ID = PreparedLookup(_build_by_id, _SESSION_ID, managers=_managers)
