"""Invitations: made by an administrator, good for one account."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf
from authkit.accounts import link_keys, links, mails
from authkit.accounts.client import client_of
from authkit.exceptions import KeyNotValid
from authkit.kernel.client import Client
from authkit.kernel.names import canonical
from authkit.models import Invitation


@sensitive_variables("text")
def invite(
    address: str, *, actor: AbstractBaseUser | None, request: HttpRequest | None
) -> tuple[Invitation, str]:
    """Make an invitation; with an address it is mailed there, and good for it alone.

    Returns the invitation and its link, or its key where no host can be believed; neither
    is kept.
    """
    text, now = secrets.token_urlsafe(32), timezone.now()
    bound = canonical(address)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            digest=link_keys.digest_of(text),
            address=bound,
            created_by_id=None if actor is None else actor.pk,
            created_at=now,
            expires_at=now + conf.get().invitation_lifetime,
        )
        if bound:
            mails.send("invitation", bound, request=request, page="sign_up", key=text)
        audit.record(
            "invitation.created",
            actor=actor,
            subject=bound,
            client=client_of(request),
            data={"invitation": invitation.pk},
        )
    return invitation, links.link_to("sign_up", request, text) or text


@sensitive_variables("text")
def look_up(text: str, address: str, *, now: datetime) -> Invitation:
    """The invitation behind a key.

    Raises:
        KeyNotValid: there is none, it is used or over, or it is for another address.
    """
    digest = link_keys.digest_of(text[: link_keys.LONGEST + 1])
    open_ones = Invitation.objects.filter(used_at=None, expires_at__gt=now)
    invitation = open_ones.filter(digest=digest).first()
    if invitation is None:
        raise KeyNotValid("no such invitation")
    if invitation.address and invitation.address != canonical(address):
        raise KeyNotValid("for another address")
    return invitation


def use_up(invitation: Invitation, *, now: datetime) -> None:
    """Use it up, in the transaction that makes the account.

    Raises:
        KeyNotValid: somebody was faster.
    """
    if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=now):
        raise KeyNotValid("used in the meantime")
    audit.record("invitation.used", data={"invitation": invitation.pk})


def take_back(
    which: QuerySet[Invitation], *, actor: AbstractBaseUser | None, client: Client
) -> int:
    """End these, as far as they are open. Returns how many that were."""
    now, count = timezone.now(), 0
    with transaction.atomic():
        for pk in which.values_list("pk", flat=True):
            still_open = Invitation.objects.filter(pk=pk, used_at=None, expires_at__gt=now)
            if still_open.update(expires_at=now):
                count += 1
                audit.record(
                    "invitation.withdrawn", actor=actor, client=client, data={"invitation": pk}
                )
    return count
