"""Keys in links: made for one purpose, person, address and password, and used up once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.views.decorators.debug import sensitive_variables

from authkit import conf, sessions
from authkit.accounts import names
from authkit.exceptions import KeyNotValid
from authkit.kernel.names import canonical
from authkit.models import LinkKey

Purpose = LinkKey.Purpose

#: The longest text that is looked at; a key of ours has 43 characters.
LONGEST = 64


@dataclass(frozen=True, slots=True)
class ProvedKey:
    """A key that is valid, and what it proves: this person reads the mail of this address."""

    digest: str
    purpose: str
    user: AbstractBaseUser
    address: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; its text goes into one mail and is kept nowhere."""

    text: str = field(repr=False)


@sensitive_variables("text")
def issue(purpose: str, user: AbstractBaseUser | None, address: str, *, now: datetime) -> NewKey:
    """Make a key. For nobody, it is one that opens nothing and takes as long to make."""
    text = secrets.token_urlsafe(32)
    LinkKey.objects.create(
        digest=digest_of(text),
        purpose=purpose,
        user_id=None if user is None else user.pk,
        address=address if user is not None else "",
        credential_digest="" if user is None else sessions.credential_digest(user),
        created_at=now,
        expires_at=now + _lifetime_of(purpose),
    )
    return NewKey(text)


def outdate(purpose: str, user: AbstractBaseUser, *, now: datetime) -> None:
    """End what was made before for the same; the newest counts."""
    LinkKey.objects.filter(user_id=user.pk, purpose=purpose, used_at=None).update(used_at=now)


@sensitive_variables("text")
def look_up(text: str, *purposes: str, now: datetime) -> ProvedKey:
    """What a key proves; it is not used up by this.

    Raises:
        KeyNotValid: unknown, used, over, for something else, or made before the password
            or the address of its person changed.
    """
    if not 0 < len(text) <= LONGEST or not text.isascii():
        raise KeyNotValid("malformed")
    people = get_user_model()._default_manager.all()  # a project may hide some there
    found = LinkKey.objects.select_related("user").filter(
        digest=digest_of(text), purpose__in=purposes, user__in=people
    )
    key = found.first()
    if key is None or key.user is None:
        raise KeyNotValid("unknown, or for something else")
    if key.used_at is not None or now >= key.expires_at:
        raise KeyNotValid("used, or over")
    if not key.user.is_active or key.credential_digest != sessions.credential_digest(key.user):
        raise KeyNotValid("the account has changed")
    is_for_current = key.purpose != Purpose.CHANGE_EMAIL
    if is_for_current and canonical(names.address_of(key.user)) != canonical(key.address):
        raise KeyNotValid("the address has changed")
    return ProvedKey(key.digest, key.purpose, key.user, key.address)


def use_up(key: ProvedKey, *, now: datetime) -> None:
    """Use a key up; of all who do so at once, one goes on.

    Call it in the transaction in which the key has its effect; the person is locked first,
    as everywhere.

    Raises:
        KeyNotValid: somebody else was faster, or the account has changed in the meantime.
    """
    if not sessions.lock_person(key.user.pk, password=key.user.password):
        raise KeyNotValid("the password has changed in the meantime")
    unused = LinkKey.objects.filter(digest=key.digest, used_at=None, expires_at__gt=now)
    if unused.update(used_at=now) != 1:
        raise KeyNotValid("used in the meantime")


def digest_of(text: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def _lifetime_of(purpose: str) -> timedelta:
    settings = conf.get()
    is_reset = purpose == Purpose.RESET_PASSWORD
    return settings.password_reset_lifetime if is_reset else settings.email_key_lifetime
