"""The session cookie as a credential: Django's session, and the UserSession behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.db import router
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit import lookups, sessions
from authkit.access import impersonation
from authkit.exceptions import SessionEnded
from authkit.kernel.digest import sha256
from authkit.kernel.grant import Grant
from authkit.models import UserSession

#: Where Django's session keeps the id of its UserSession.
USER_SESSION_KEY = "_authkit_session"

Found = tuple[lookups.SessionFacts, AbstractBaseUser]


def digest_of(session_key: str) -> str:
    """What is stored of a session key; the key itself is the cookie's secret."""
    return sha256(session_key.encode()).hex()


def digest_for(store: SessionBase) -> str | None:
    """What is stored with the UserSession of this session to find it by.

    None for sessions that live in the cookie itself: they have no key that stays, and
    name their UserSession in what they hold.
    """
    return None if isinstance(store, SignedCookieStore) else digest_of(str(store.session_key))


def resolve(store: SessionBase, *, now: datetime) -> tuple[AbstractBaseUser, Grant] | None:
    """The person and the Grant behind a session cookie; None if nobody signed in with it.

    With Django's database sessions this is one query, which also leaves the session's
    data loaded.

    Raises:
        SessionEnded, UserInactive: somebody did sign in, and it does not count any more
            (`ImpersonationOver`: as somebody else).
    """
    store.accessed = True  # the answer depends on the cookie: Django tells caches so
    if not store.session_key:
        return None
    found = _find(store, now)
    if found is None:
        return None
    session, user = found
    administrator = None
    if session.impersonator_session_id is None:
        session.check(user, now=now)
    else:
        administrator = impersonation.supervise(session, user, now=now)
    if not _agree(store, user):
        raise SessionEnded("Django's session is somebody else's, or signed out")
    sessions.touch(session.id, now=now, last_seen_at=session.last_seen_at)
    return user, _grant(session, user, administrator)


def _grant(
    session: lookups.SessionFacts, user: AbstractBaseUser, administrator: AbstractBaseUser | None
) -> Grant:
    grant = Grant(
        kind="session",
        user_id=str(user.pk),
        session_id=session.id,
        authenticated_at=session.authenticated_at,
        expires_at=min(session.expires_at, sessions.absolute_end(session.created_at)),
    )
    if administrator is None:
        return grant
    return grant._replace(  # the person themselves has proved nothing
        authenticated_at=None,
        impersonator_id=str(administrator.pk),
        impersonator_name=str(administrator),
    )


def session_id_of(store: SessionBase | None) -> UUID | None:
    """The UserSession that Django's session names, live or not."""
    text = None if store is None else store.get(USER_SESSION_KEY)
    return UUID(text) if text else None


@sensitive_variables("key")
def session_id_presented(request: HttpRequest | None) -> UUID | None:
    """The UserSession of the cookie that came with a request, live or not.

    Asked where `login` may already have put another session in the place of that one.
    """
    key = "" if request is None else request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    kind = type(getattr(request, "session", None))
    if not key:
        return None
    if issubclass(kind, SignedCookieStore):
        return session_id_of(kind(key))
    known = UserSession.objects.filter(cookie_digest=digest_of(key))
    return known.values_list("pk", flat=True).first()


@sensitive_variables("key")
def _find(store: SessionBase, now: datetime) -> Found | None:
    alias = router.db_for_write(UserSession)
    if isinstance(store, SignedCookieStore):
        return _find_by_content(store, alias)
    key = str(store.session_key)
    model = _database_model(store, alias)
    if model is None:
        found = lookups.find_by_cookie(alias, digest_of(key))
        return found or _find_by_content(store, alias)
    joined = lookups.find_by_cookie_and_key(alias, model, digest_of(key), key)
    if joined is None:
        return _find_by_content(store, alias)
    stored, session, user = joined
    if stored.data is None or stored.expires_at is None or stored.expires_at <= now:
        raise SessionEnded("Django's session is gone")
    store._session_cache = store.decode(stored.data)  # type: ignore[attr-defined]
    return session, user


def _find_by_content(store: SessionBase, alias: str) -> Found | None:
    """By what the session says itself: its key has changed since the sign-in."""
    if SESSION_KEY not in store:
        return None
    session_id = session_id_of(store)
    found = None if session_id is None else lookups.find_by_id(alias, session_id)
    if found is None:
        raise SessionEnded("a signed-in session without a UserSession")
    return found


def _agree(store: SessionBase, user: AbstractBaseUser) -> bool:
    """Whether Django's session holds this person, by a backend that is still in use."""
    pk = get_user_model()._meta.pk
    return (
        store.get(SESSION_KEY) == pk.value_to_string(user)
        and store.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
    )


def _database_model(store: SessionBase, alias: str) -> Any:
    """The model of Django's sessions, if they can be read in the same query as ours."""
    kind = type(store)
    if not issubclass(kind, DatabaseSessionStore) or kind.load is not DatabaseSessionStore.load:
        return None
    if hasattr(store, "_session_cache"):
        return None
    model = kind.get_model_class()
    return model if router.db_for_write(model) == alias else None
