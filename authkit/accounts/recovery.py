"""A forgotten password, and one that is changed."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import audit, cookies, sessions, signals
from authkit.accounts import (
    addresses,
    hashing,
    link_keys,
    mails,
    names,
    new_password,
    pace,
    passwords,
    recent,
    throttle,
)
from authkit.accounts.client import client_of
from authkit.accounts.identify import people_with_address
from authkit.kernel.grant import Grant
from authkit.models import LinkKey, UserSession

_RESET = LinkKey.Purpose.RESET_PASSWORD


@sensitive_variables("key")
def ask_for_reset(address: str, request: HttpRequest) -> None:
    """Mail a link to a new password, to whoever has this address.

    Only to where the account says, never to what was typed (CVE-2019-19844). Nothing tells
    whether there is such an account, the time neither.

    Raises:
        TooManyAttempts: from this network address, or about this mail address.
    """
    throttle.spend_of(throttle.Scope.PASSWORD_RESET, request)
    throttle.spend_mail(address, request)
    with pace.steady_mail(), transaction.atomic():
        for user in _forgetful_at(address):
            stored = "" if user is None else names.address_of(user)
            key = link_keys.issue(_RESET, user, stored, now=timezone.now())
            mails.send(
                "reset_password", stored, request=request, user=user, page="reset", key=key.text
            )
            subject = "" if user is None else user.pk
            audit.record("password.reset_asked", subject=subject, client=client_of(request))


def _forgetful_at(address: str) -> list[AbstractBaseUser | None]:
    """Who has this address and a password; nobody is somebody too."""
    found: list[AbstractBaseUser | None] = [
        user for user in people_with_address(address) if may_reset(user)
    ]
    return found or [None]


def may_reset(user: AbstractBaseUser) -> bool:
    """Whether an account signs in with a password of its own, and not through others only."""
    return bool(user.is_active) and user.has_usable_password()


@sensitive_variables("text", "password", "key", "hashed")
def reset(text: str, password: str, request: HttpRequest) -> AbstractBaseUser:
    """Set a new password by the key that was mailed. Every sign-in ends; none begins.

    Raises:
        KeyNotValid: see `link_keys`.
        ValidationError: the password is not taken; the key can be tried again.
        TooManyAttempts: too many keys from this address.
    """
    throttle.spend_of(throttle.Scope.VERIFICATION, request)
    now = timezone.now()
    key = link_keys.look_up(text, _RESET, now=now)
    user = key.user
    new_password.check(password, user=user, request=request)
    hashed = hashing.hash_of(password)
    with transaction.atomic():
        link_keys.use_up(key, now=now)
        passwords.replace(user, password, hashed)
        sessions.end_all_of(
            user.pk,
            reason="password_reset",
            now=now,
            client=client_of(request),
            request=request,
        )
        addresses.confirm(user, key.address, request)
        mails.send("password_changed", key.address, request=request, user=user, page="forgot")
        audit.record("password.reset", actor=user, subject=user.pk, client=client_of(request))
        _tell(signals.password_reset, user, request)
    return user


@sensitive_variables("old", "new", "hashed")
def change(
    user: AbstractBaseUser, grant: Grant, old: str | None, new: str, request: HttpRequest
) -> None:
    """Change one's own password. Every other sign-in ends, this one goes on.

    Raises:
        WrongPassword, RecentSignInRequired: see `recent.require_proof`.
        ValidationError: the new password is not taken.
    """
    recent.require_proof(user, grant, old, request)
    new_password.check(new, user=user, request=request)
    hashed = hashing.hash_of(new)
    with transaction.atomic():
        sessions.lock_unchanged(user)
        passwords.replace(user, new, hashed)
        if grant.kind == "session":
            _turn_key(user, grant, request)
        address = names.address_of(user)
        mails.send("password_changed", address, request=request, user=user, page="forgot")
        audit.record(
            "password.changed",
            actor=user,
            subject=user.pk,
            session_id=grant.session_id,
            client=client_of(request),
        )
        _tell(signals.password_changed, user, request)


def _turn_key(user: AbstractBaseUser, grant: Grant, request: HttpRequest) -> None:
    """Give the cookie that goes on a new key, and Django's session its hash of the password."""
    store = request.session
    store.cycle_key()
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    here = UserSession.objects.filter(pk=cast(UUID, grant.session_id))
    here.update(cookie_digest=cookies.digest_for(store))


def _tell(signal: Any, user: AbstractBaseUser, request: HttpRequest) -> None:
    transaction.on_commit(lambda: signal.send_robust(sender=type(user), user=user, request=request))
