"""Doing one thing to one account, with words for whatever comes of it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from authkit.access.guards import holds_at_least
from authkit.access.refusals import GuardRefusal
from authkit.accounts.refusals import text_of
from authkit.admin.base import ModelAdmin
from authkit.admin.people.acts import Act, Told
from authkit.exceptions import NotPermitted, StoreUnavailable, TooManyAttempts


def perform(admin: ModelAdmin, request: HttpRequest, person: Any, act: Act) -> Told | HttpResponse:
    """Do it, all or nothing. What cannot be done is told.

    Raises:
        GuardRefusal: it is not for this visitor to do.
    """
    actor = cast(AbstractBaseUser, request.user)
    try:
        with transaction.atomic():
            told = act.do(person, actor, request)
            if isinstance(told, Told):
                admin.log_change(request, person, str(act.text))
    except GuardRefusal:
        raise
    except TooManyAttempts as refusal:
        return Told(text_of(refusal), messages.ERROR)
    except StoreUnavailable as refusal:
        return Told(_(refusal.public_message), messages.ERROR)
    except NotPermitted:
        return Told(_("That cannot be done with this account any more."), messages.ERROR)
    return told


def has_power(request: HttpRequest, person: Any) -> bool:
    """Whether the visitor holds all that this person holds.

    A page asks dozens of times; while it only shows something, once is enough.
    """
    if request.method not in {"GET", "HEAD"}:
        return holds_at_least(request.user, person)
    known: dict[Any, bool] = request.__dict__.setdefault("_authkit_power", {})
    if person.pk not in known:
        known[person.pk] = holds_at_least(request.user, person)
    return known[person.pk]
