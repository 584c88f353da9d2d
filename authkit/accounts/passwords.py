"""What happens around a password: equal time for strangers, renewed hashes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import password_changed
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from authkit.access import acting
from authkit.accounts import hashing, pace
from authkit.models import BearerToken, LinkKey, UserSession
from authkit.sessions import credential_digest

#: The longest password that is looked at; hashing a longer one would be an attack.
LONGEST = 1024


@sensitive_variables("password")
def is_password_of(user: AbstractBaseUser, password: str) -> bool:
    """Whether this is the person's password; an old hash of it is renewed.

    A no takes the same time for everybody, and so does a yes that helps nobody.

    Raises:
        Busy: too many passwords are being checked at once.
    """
    since = pace.now()
    is_right = len(password) <= LONGEST and _verify(user, password)
    if not (is_right and user.is_active):
        pace.wait(since)
    return is_right


@sensitive_variables("password")
def spend_time_on(password: str) -> None:
    """Take the time that refusing a real person would take (CVE-2016-2513).

    Raises:
        Busy: too many passwords are being checked at once.
    """
    with pace.steady_check():
        hashing.hash_of(password[:LONGEST])


@sensitive_variables("password")
def replace(user: AbstractBaseUser, password: str, password_hash: str) -> None:
    """Give a person a new password, hashed before. Their other sign-ins end with the save."""
    user.password = password_hash
    user.save(update_fields=["password"])
    password_changed(password, cast(Any, user))


@sensitive_variables("password")
def _verify(user: AbstractBaseUser, password: str) -> bool:
    with hashing.turn():
        try:
            return check_password(password, user.password, lambda raw: renew_hash(user, raw))
        except ValueError:  # a hash of a kind that Django once wrote and no longer reads
            make_password(password)
            return False


@sensitive_variables("password", "before", "old_digest", "digest")
def renew_hash(user: AbstractBaseUser, password: str) -> None:
    """Store the same password under the hasher now preferred; its sign-ins go on."""
    before, old_digest = user.password, credential_digest(user)
    user.password = make_password(password)
    model: Any = get_user_model()
    with transaction.atomic(), acting.as_system():  # whoever else is signed in here
        same = model._base_manager.filter(pk=user.pk, password=before)
        if not same.update(password=user.password):
            user.password = _renewed_meanwhile(user, password) or before
            return
        carry_over(user, old_digest)


def carry_over(user: AbstractBaseUser, old_digest: str) -> None:
    """Let what was begun under a hash of this person's password go on under the new one."""
    digest = credential_digest(user)
    for held in (UserSession, BearerToken, LinkKey):
        manager: Any = held._default_manager
        manager.filter(user_id=user.pk, credential_digest=old_digest).update(
            credential_digest=digest
        )


@sensitive_variables("password", "stored")
def _renewed_meanwhile(user: AbstractBaseUser, password: str) -> str | None:
    """The hash that another sign-in has put in place, if it is one of the same password."""
    model: Any = get_user_model()
    stored = model._base_manager.filter(pk=user.pk).values_list("password", flat=True).first()
    return stored if stored and check_password(password, stored) else None
