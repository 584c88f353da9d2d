"""What happens around a password: equal time for strangers, renewed hashes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.db import transaction

from authkit.models import BearerToken, UserSession
from authkit.sessions import credential_digest


def spend_time_on(password: str) -> None:
    """Take the time that checking a real person's password would take (CVE-2016-2513)."""
    make_password(password)


def renew_hash(user: AbstractBaseUser, password: str) -> None:
    """Store the same password under the hasher now preferred; its sign-ins go on."""
    before, old_digest = user.password, credential_digest(user)
    user.password = make_password(password)
    model: Any = get_user_model()
    with transaction.atomic():
        same = model._base_manager.filter(pk=user.pk, password=before)
        if not same.update(password=user.password):
            user.password = before
            return
        digest = credential_digest(user)
        for held in (UserSession, BearerToken):
            manager: Any = held._default_manager
            manager.filter(user_id=user.pk, credential_digest=old_digest).update(
                credential_digest=digest
            )
