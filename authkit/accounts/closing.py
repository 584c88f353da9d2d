"""Closing one's own account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit import audit, sessions, signals
from authkit.accounts import leaving, mails, names, recent
from authkit.accounts.client import client_of
from authkit.exceptions import LastSuperuser, NotPermitted, RecentSignInRequired
from authkit.kernel.grant import Grant
from authkit.models.prepared import has_field


@sensitive_variables("password")
def deactivate(
    user: AbstractBaseUser, grant: Grant, password: str | None, request: HttpRequest
) -> None:
    """Deactivate one's own account. All that it has ends; an administrator can open it again.

    It takes the password, however recent the sign-in is, from everybody who has one.

    Raises:
        WrongPassword, RecentSignInRequired: see `recent.require_proof`.
        LastSuperuser: nobody else could run the house.
        NotPermitted: the user model knows no deactivated accounts.
    """
    if password is None and user.has_usable_password():
        raise RecentSignInRequired("so grave a thing takes the password")
    recent.require_proof(user, grant, password, request)
    if not has_field(get_user_model(), "is_active"):
        raise NotPermitted("the user model has no is_active")
    with transaction.atomic():
        _require_other_superuser(user)
        sessions.lock_unchanged(user)
        leaving.end_what_lasts(user, request, actor=user)
        person: Any = user
        person.is_active = False
        person.save(update_fields=["is_active"])
        audit.record("account.closed", actor=user, subject=user.pk, client=client_of(request))
        mails.send("account_closed", names.address_of(user), request=request, user=user)
        transaction.on_commit(
            lambda: signals.deactivated.send_robust(sender=type(user), user=user, request=request)
        )
    leaving.say_goodbye(user, grant, request)


def _require_other_superuser(user: AbstractBaseUser) -> None:
    """Refuse to let the last one go; all are locked, so that two do not go at once."""
    model: Any = get_user_model()
    if not has_field(model, "is_superuser") or not getattr(user, "is_superuser", False):
        return
    superusers = model._base_manager.filter(is_superuser=True, is_active=True).order_by("pk")
    locked = list(superusers.select_for_update().values_list("pk", flat=True))
    if not set(locked) - {user.pk}:
        raise LastSuperuser
