"""Who gave their password a moment ago, and giving it again."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf, signals
from authkit.accounts import sign_in
from authkit.accounts.client import client_of
from authkit.exceptions import (
    RecentSignInRequired,
    SessionEnded,
    SignInRefused,
    WrongPassword,
)
from authkit.jwt import rotation
from authkit.jwt.tokens import Pair
from authkit.kernel.grant import Grant
from authkit.models import UserSession


def is_recent(grant: Grant, *, now: datetime) -> bool:
    """Whether the person behind a credential proved who they are within RECENT_SIGN_IN."""
    at = grant.authenticated_at
    return at is not None and now - at < conf.get().recent_sign_in


@sensitive_variables("password")
def require_proof(
    user: AbstractBaseUser, grant: Grant, password: str | None, request: HttpRequest
) -> None:
    """Refuse who neither gives their password now nor gave it a moment ago.

    Raises:
        RecentSignInRequired: no password, and the last is too long ago.
        WrongPassword: it is not theirs.
    """
    if password is not None:
        check_own_password(user, password, request)
    elif not is_recent(grant, now=timezone.now()):
        raise RecentSignInRequired


@sensitive_variables("password")
def check_own_password(user: AbstractBaseUser, password: str, request: HttpRequest) -> None:
    """Refuse what is not this person's password, through the same door as every sign-in.

    Raises:
        WrongPassword: it is not.
    """
    try:
        found = sign_in.check_password(request, user.get_username(), password)
    except SignInRefused:
        raise WrongPassword from None
    if found.pk != user.pk:
        raise WrongPassword("somebody else's")


@sensitive_variables("password", "pair")
def reauthenticate(
    user: AbstractBaseUser, grant: Grant, password: str, request: HttpRequest
) -> Pair | None:
    """Note with the sign-in that its person has just proved who they are.

    What a JWT says of that does not change any more, so its holder gets a new pair, as
    from a refresh.

    Raises:
        WrongPassword: it is not theirs.
        SessionEnded: the sign-in is over.
    """
    check_own_password(user, password, request)
    if grant.session_id is None:
        raise RecentSignInRequired("a personal access token proves only itself")
    now, client = timezone.now(), client_of(request)
    pair = None
    with transaction.atomic():
        live = UserSession.objects.filter(pk=grant.session_id, revoked_at=None)
        if not live.update(authenticated_at=now):
            raise SessionEnded("ended in the meantime")
        if grant.kind == "jwt":
            pair = rotation.renew(grant.session_id, client=client)
        audit.record("login.renewed", actor=user, session_id=grant.session_id, client=client)
        transaction.on_commit(lambda: _tell(user, grant, request))
    return pair


def _tell(user: AbstractBaseUser, grant: Grant, request: HttpRequest) -> None:
    signals.reauthenticated.send_robust(
        sender=type(user), user=user, session_id=grant.session_id, request=request
    )
