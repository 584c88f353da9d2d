"""Where every sign-in ends, however it started.

Whoever has proved who they are (by password, by a provider's word, in a form of the
admin site, through another package's call of `django.contrib.auth.login`) gets one
UserSession, one audit event, one signal, and the carrier that the client asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.auth import SESSION_KEY, authenticate, login, user_logged_in
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import cookies, impersonations, saving, sessions, signals, tokens
from authkit.accounts import attempts, current
from authkit.accounts.client import client_of
from authkit.exceptions import SignInRefused
from authkit.jwt import tokens as jwt_tokens
from authkit.kernel.opaque import OpaqueToken
from authkit.models import UserSession


@sensitive_variables("password")
def check_password(request: HttpRequest, name: str, password: str) -> AbstractBaseUser:
    """The person who has this name and this password.

    Asks `django.contrib.auth.authenticate`, so every configured backend has its say.

    Raises:
        SignInRefused: whatever the reason; it is not told apart.
        TooManyAttempts: a limit is reached, and the password was not looked at.
    """
    user = authenticate(request, username=name, password=password)
    if user is None:
        raise attempts.refusal_of(request) or SignInRefused
    return user


def with_cookie(request: HttpRequest, user: AbstractBaseUser) -> UserSession:
    """Sign in with Django's session; the cookie goes out with the response.

    Raises:
        SignInRefused: the account changed while it signed in.
    """
    with transaction.atomic():
        login(request, cast(Any, user))
        session_id = cookies.session_id_of(request.session)
        session = session_id and UserSession.objects.filter(pk=session_id).first()
    if not session:
        raise SignInRefused("the account changed while signing in")
    return session


def with_token(request: HttpRequest, user: AbstractBaseUser) -> tuple[UserSession, OpaqueToken]:
    """Sign in with an opaque token, whose text is in the answer, once."""
    now = timezone.now()
    with transaction.atomic():
        session = sessions.start(user, "token", now=now, client=client_of(request))
        token = tokens.issue_for(session, now=now)
        _tell(request, user, session)
    return session, token


def with_jwt(request: HttpRequest, user: AbstractBaseUser) -> tuple[UserSession, jwt_tokens.Pair]:
    """Sign in with an access and a refresh token."""
    with transaction.atomic():
        session = sessions.start(user, "jwt", now=timezone.now(), client=client_of(request))
        pair = jwt_tokens.mint_pair(session, user)
        _tell(request, user, session)
    return session, pair


def on_django_login(
    sender: object, request: HttpRequest | None, user: AbstractBaseUser, **_: object
) -> None:
    """Give the sign-in that `django.contrib.auth.login` has just made its UserSession.

    The session gets a new key even where Django keeps it (the same person signing in
    again), and the sign-in that it replaces ends.
    """
    store: Any = getattr(request, "session", None)
    if store is None or current.is_without_cookie(request) or SESSION_KEY not in store:
        return
    now = timezone.now()
    replaced = impersonations.with_own(
        (
            cookies.session_id_of(store),
            cookies.session_id_presented(request),
            _id_of_grant(request),
        )
    )
    if replaced or store.session_key is None:
        store.cycle_key()
    client = client_of(request)
    with _nobody_unless_stored(store), transaction.atomic():
        try:
            session = sessions.start(
                user,
                "session",
                now=now,
                client=client,
                cookie_digest=cookies.digest_for(store),
            )
        except SignInRefused:
            session = None
        sessions.end(
            replaced,
            reason="replaced",
            now=now,
            actor=user,
            client=client,
            request=request,
        )
        if session is not None:
            store[cookies.USER_SESSION_KEY] = str(session.id)
            if saving.is_in_database(store):
                saving.save(store)  # both are there, or none
    if session is None:
        store.flush()
        return
    transaction.on_commit(lambda: _announce(user, session, request))


def on_django_logout(
    sender: object, request: HttpRequest | None, user: AbstractBaseUser | None, **_: object
) -> None:
    """End the sign-in that `django.contrib.auth.logout` is about to drop.

    That of the cookie, and where the request came with a bearer credential, its sign-in.
    """
    if current.is_without_cookie(request):
        return
    grant = current.grant_of(request)
    named = [
        cookies.session_id_of(getattr(request, "session", None)),
        None if grant is None else grant.session_id,
    ]
    sessions.end(
        impersonations.with_own(named),
        reason="signed_out",
        now=timezone.now(),
        actor=user,
        client=client_of(request),
        request=request,
    )


@contextmanager
def _nobody_unless_stored(store: SessionBase) -> Iterator[None]:
    """Nobody is left in the session of the request when the sign-in was rolled back.

    A view that takes no notice of the failure may still have this session saved.
    """
    try:
        yield
    except BaseException:
        store.clear()
        raise


def _tell(request: HttpRequest, user: AbstractBaseUser, session: UserSession) -> None:
    """Tell Django, whose receivers keep `last_login`, and the project."""
    with current.without_cookie(request):
        user_logged_in.send(sender=type(user), request=request, user=user)
    transaction.on_commit(lambda: _announce(user, session, request))


def _announce(user: AbstractBaseUser, session: UserSession, request: HttpRequest | None) -> None:
    signals.signed_in.send_robust(sender=type(user), user=user, session=session, request=request)


def _id_of_grant(request: HttpRequest | None) -> Any:
    grant = current.grant_of(request)
    return grant.session_id if grant is not None and grant.kind == "session" else None
