"""E-mail addresses: proved to be somebody's, and changed for another."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import audit, signals
from authkit.accounts import link_keys, mails, names, pace, throttle
from authkit.accounts.client import client_of
from authkit.accounts.identify import is_possible, people_with_address
from authkit.exceptions import KeyNotValid
from authkit.kernel.names import canonical
from authkit.models import LinkKey, SignInName

Purpose = LinkKey.Purpose
Scope = throttle.Scope


def canonical_address(text: str) -> str:
    """An address as it is stored.

    Raises:
        ValidationError: it is none.
    """
    address = canonical(text)
    validate_email(address)
    if not is_possible(address):
        raise ValidationError("")
    return address


def is_verified(user: AbstractBaseUser) -> bool:
    """Whether a person has proved that the address of their account is theirs."""
    known = SignInName.objects.filter(user_id=user.pk, kind=names.EMAIL)
    return known.filter(verified_at__isnull=False).exists()


def ask_to_verify(user: AbstractBaseUser, request: HttpRequest | None) -> None:
    """Mail a person the link that confirms their address. In the caller's transaction."""
    address, now = names.address_of(user), timezone.now()
    key = link_keys.issue(Purpose.VERIFY_EMAIL, user, address, now=now)
    mails.send("verify_email", address, request=request, user=user, page="verify", key=key.text)


def resend(address: str, request: HttpRequest) -> None:
    """Mail the link once more, to whoever has this address and has not confirmed it.

    Nothing tells whether there is such a person, the time neither.

    Raises:
        TooManyAttempts: from this network address, or about this mail address.
    """
    throttle.spend_of(throttle.Scope.VERIFICATION, request)
    throttle.spend_mail(address, request)
    with pace.steady_mail(), transaction.atomic():
        for user in _waiting_at(address):
            key = link_keys.issue(Purpose.VERIFY_EMAIL, user, _address_of(user), now=timezone.now())
            mails.send(
                "verify_email",
                _address_of(user),
                request=request,
                user=user,
                page="verify",
                key=key.text,
            )
            _record("email.verification_asked", user, request)


@sensitive_variables("text", "key")
def verify(text: str, request: HttpRequest) -> AbstractBaseUser:
    """Confirm an address, or take a new one, by the key that was mailed to it.

    Raises:
        KeyNotValid: see `link_keys`; or the address is somebody else's by now.
        TooManyAttempts: too many keys from this address.
    """
    throttle.spend_of(throttle.Scope.VERIFICATION, request)
    now = timezone.now()
    key = link_keys.look_up(text, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL, now=now)
    with transaction.atomic():
        link_keys.use_up(key, now=now)
        if key.purpose == Purpose.CHANGE_EMAIL:
            _move(key, request)
        else:
            confirm(key.user, key.address, request)
    return key.user


def confirm(user: AbstractBaseUser, address: str, request: HttpRequest | None) -> None:
    """Note that an address is its person's. In the caller's transaction.

    Raises:
        KeyNotValid: somebody else has proved the same.
    """
    is_news = not is_verified(user)
    if not names.take(user, address):
        raise KeyNotValid("somebody else's address")
    if is_news:
        _record("email.verified", user, request, address=address)
        transaction.on_commit(
            lambda: signals.email_verified.send_robust(
                sender=type(user), user=user, address=address, request=request
            )
        )


@sensitive_variables("key")
def ask_to_change(user: AbstractBaseUser, text: str, request: HttpRequest) -> None:
    """Mail a link to the new address, and tell the old one. Nothing changes until it is used.

    An address that is somebody's already is told so, and the caller is not.

    Raises:
        ValidationError: it is no address.
        TooManyAttempts: about this mail address, or by this person, who else could send
            mails to the whole world.
    """
    address, now, old = canonical_address(text), timezone.now(), names.address_of(user)
    # In capitals, which no address has that anybody could type (see `canonical`).
    throttle.spend(Scope.MAIL, f"PERSON:{user.pk}", client=client_of(request))
    throttle.spend_mail(address, request)
    holders = [one for one in people_with_address(address) if one.pk != user.pk]
    with pace.steady_mail(), transaction.atomic():
        link_keys.outdate(Purpose.CHANGE_EMAIL, user, now=now)
        key = link_keys.issue(Purpose.CHANGE_EMAIL, None if holders else user, address, now=now)
        if holders:
            mails.send("account_exists", address, request=request, user=holders[0], page="forgot")
        else:
            mails.send(
                "change_email", address, request=request, user=user, page="verify", key=key.text
            )
        mails.send("email_change_asked", old, request=request, user=user, new_address=address)
        _record("email.change_asked", user, request, address=address)


def _move(key: link_keys.ProvedKey, request: HttpRequest) -> None:
    user, old = key.user, names.address_of(key.user)
    others = [one for one in people_with_address(key.address) if one.pk != user.pk]
    if others:
        raise KeyNotValid("somebody else's address")
    field = names.fields()[names.EMAIL]
    setattr(user, field, key.address)
    try:
        with transaction.atomic():
            user.save(update_fields=[field])
    except IntegrityError:
        raise KeyNotValid("somebody else's address") from None
    if not names.take(user, key.address):
        raise KeyNotValid("somebody else's address")
    mails.send("email_changed", old, request=request, user=user, new_address=key.address)
    _record("email.changed", user, request, old=old, address=key.address)
    transaction.on_commit(
        lambda: signals.email_changed.send_robust(
            sender=type(user),
            user=user,
            old_address=old,
            address=key.address,
            request=request,
        )
    )


def _waiting_at(address: str) -> list[AbstractBaseUser | None]:
    """Who has this address and has not confirmed it; nobody is somebody too."""
    found: list[AbstractBaseUser | None] = [
        user for user in people_with_address(address) if not is_verified(user) and user.is_active
    ]
    return found or [None]


def _address_of(user: AbstractBaseUser | None) -> str:
    return "" if user is None else names.address_of(user)


def _record(
    kind: str, user: AbstractBaseUser | None, request: HttpRequest | None, **data: str
) -> None:
    subject = "" if user is None else user.pk
    audit.record(kind, actor=user, subject=subject, client=client_of(request), data=data)
