"""What an administrator does for somebody else's account, and to it.

Each of these refuses to touch the account of a person who holds more, writes down who did
it, and is whole or not at all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from authkit import audit, sessions
from authkit.access import acting, guards
from authkit.accounts import (
    addresses,
    leaving,
    link_keys,
    lockouts,
    mails,
    names,
    retired,
    throttle,
)
from authkit.accounts.client import client_of
from authkit.exceptions import NotPermitted, TooManyAttempts
from authkit.models import LinkKey
from authkit.models.prepared import has_field

ENDED = "ended_by_administrator"
_RESET = LinkKey.Purpose.RESET_PASSWORD


def require_power(people: list[Any], *, actor: AbstractBaseUser, request: HttpRequest) -> None:
    """Refuse if one of these people holds more than the one who acts.

    Raises:
        AccountHoldsMore: they do.
    """
    who = acting.current() or acting.Actor(actor, client_of(request))
    for person in people:
        guards.require_touch(who, person)


def sign_out(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> int:
    """End every sign-in of a person; personal access tokens go on. Returns how many ended."""
    require_power([person], actor=actor, request=request)
    return _end_sign_ins(person, actor, request)


def deactivate(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> bool:
    """Deactivate an account and end all that it has: sign-ins, tokens, links in mails.

    Who activates it again gives back none of that. False if it was inactive already; what
    was left of it has ended all the same.

    Raises:
        LastKeyholder: nobody else could run the house.
        NotPermitted: it is one's own, or the user model knows no deactivated accounts.
    """
    require_power([person], actor=actor, request=request)
    if person.pk == actor.pk or not may_deactivate(person):
        raise NotPermitted("one's own, or the user model has no is_active")
    with transaction.atomic():
        sessions.lock_person(person.pk)
        was_active = bool(_stored(person, "is_active"))
        leaving.end_what_lasts(person, request, actor=actor)
        _end_sign_ins(person, actor, request)
        if was_active:
            person.is_active = False
            person.save(update_fields=["is_active"])
    return was_active


def send_reset_link(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> None:
    """Mail a person a link to a new password; the old one works until it is used.

    Raises:
        NotPermitted: the account is inactive or has no address.
        TooManyAttempts: about this mail address.
    """
    require_power([person], actor=actor, request=request)
    address = _address_of(person)
    throttle.spend_mail(address, request)
    with transaction.atomic():
        _mail_key("reset_offered", person, address, request)
        _record("password.reset_asked", person, actor, request)


def require_new_password(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> bool:
    """End a person's password; True if they got a link to a new one, which must be another.

    The old one opens no door of any kind, no answer tells whether it would have, and
    all that was begun with it is over. The way back is that of a forgotten password.

    Raises:
        NotPermitted: it is one's own account, or one without a password.
        authkit.exceptions.Busy: see `hashing.turn`.
    """
    require_power([person], actor=actor, request=request)
    _require_password(person, actor)
    address = names.address_of(person) if person.is_active else ""
    is_mailed = False
    if address:
        with suppress(TooManyAttempts):  # no reason to leave the old password in force
            throttle.spend_mail(address, request)
            is_mailed = True
    with transaction.atomic():
        sessions.lock_person(person.pk)
        person.refresh_from_db(fields=["password"])  # they may just have changed it
        _require_password(person, actor)
        _end_sign_ins(person, actor, request)
        person.password = retired.retire(person)
        person.save(update_fields=["password"])
        if is_mailed:
            _mail_key("new_password_required", person, address, request)
        _record("password.new_required", person, actor, request)
    return is_mailed


def resend_verification(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> None:
    """Mail a person the link that confirms their address.

    Raises:
        NotPermitted: the account is inactive, has no address, or has confirmed it.
        TooManyAttempts: about this mail address.
    """
    require_power([person], actor=actor, request=request)
    address = _address_of(person)
    if addresses.is_verified(person):
        raise NotPermitted("the address is confirmed")
    throttle.spend_mail(address, request)
    with transaction.atomic():
        names.keep(person)  # an account written past the model has none to confirm yet
        addresses.ask_to_verify(person, request)
        _record("email.verification_asked", person, actor, request)


def unlock(person: Any, *, actor: AbstractBaseUser, request: HttpRequest) -> int:
    """Let a person try again, under whatever name. Returns how many lock-outs have ended."""
    require_power([person], actor=actor, request=request)
    which = lockouts.of_person(person.pk)
    now, client = timezone.now(), client_of(request)
    return lockouts.lift(which, now=now, actor=actor, client=client)


def may_deactivate(person: Any) -> bool:
    """Whether the user model knows deactivated accounts."""
    return has_field(type(person), "is_active")


def may_be_mailed(person: Any) -> bool:
    """Whether a link can be sent that this account could use."""
    return bool(person.is_active and names.address_of(person))


def _end_sign_ins(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> int:
    ended = sessions.end_all_of(
        person.pk,
        reason=ENDED,
        now=timezone.now(),
        actor=actor,
        client=client_of(request),
        request=request,
    )
    return len(ended)


def _require_password(person: Any, actor: AbstractBaseUser) -> None:
    if person.pk == actor.pk or not person.has_usable_password():
        raise NotPermitted("one's own account, or one without a password")


def _address_of(person: Any) -> str:
    if not may_be_mailed(person):
        raise NotPermitted("inactive, or without an address")
    return names.address_of(person)


def _mail_key(mail: str, person: Any, address: str, request: HttpRequest) -> None:
    key = link_keys.issue(_RESET, person, address, now=timezone.now())
    mails.send(mail, address, request=request, user=person, page="reset", key=key.text)


def _stored(person: Any, column: str) -> object:
    model: Any = get_user_model()
    rows = model._base_manager.filter(pk=person.pk)
    return rows.values_list(column, flat=True).first()


def _record(kind: str, person: Any, actor: AbstractBaseUser, request: HttpRequest) -> None:
    audit.record(kind, actor=actor, subject=person.pk, client=client_of(request))
