"""Invitations: made by an administrator, good for one account.

One for an address has two keys. The one in the mail proves that its holder reads the mail of
that address. The other is shown to who invites, follows from the first and not the other way
round, and proves nothing: else whoever may invite could have any address for confirmed.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone, translation
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf
from authkit.accounts import link_keys, links, mails
from authkit.accounts.client import client_of
from authkit.exceptions import KeyNotValid
from authkit.kernel.client import Client
from authkit.kernel.names import canonical
from authkit.models import Invitation


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that is open, and whether its key came out of the mail to its address."""

    invitation: Invitation
    is_proved: bool


@sensitive_variables("mailed", "shown")
def invite(
    address: str, *, actor: AbstractBaseUser | None, request: HttpRequest | None
) -> tuple[Invitation, str]:
    """Make an invitation; with an address it is mailed there, and good for it alone.

    Returns the invitation and a link to hand on, or its key where no host can be believed;
    neither is kept.
    """
    mailed, now = secrets.token_urlsafe(32), timezone.now()
    shown = _shown_for(mailed)
    bound = canonical(address)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            digest=link_keys.digest_of(shown),
            address=bound,
            created_by_id=None if actor is None else actor.pk,
            created_at=now,
            expires_at=now + conf.get().invitation_lifetime,
        )
        if bound:
            with translation.override(settings.LANGUAGE_CODE):  # nobody knows the reader's
                mails.send("invitation", bound, request=request, page="sign_up", key=mailed)
        audit.record(
            "invitation.created",
            actor=actor,
            subject=bound,
            client=client_of(request),
            data={"invitation": invitation.pk},
        )
    return invitation, links.link_to("sign_up", request, shown) or shown


@sensitive_variables("text", "key")
def look_up(text: str, address: str, *, now: datetime) -> Invited:
    """The invitation behind a key.

    Raises:
        KeyNotValid: there is none, it is used or over, or it is for another address.
    """
    key = text[: link_keys.LONGEST + 1]
    as_mailed, as_shown = link_keys.digest_of(_shown_for(key)), link_keys.digest_of(key)
    open_ones = Invitation.objects.filter(used_at=None, expires_at__gt=now)
    invitation = open_ones.filter(digest__in=(as_mailed, as_shown)).first()
    if invitation is None:
        raise KeyNotValid("no such invitation")
    if invitation.address and invitation.address != canonical(address):
        raise KeyNotValid("for another address")
    return Invited(invitation, bool(invitation.address) and invitation.digest == as_mailed)


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


@sensitive_variables("mailed")
def _shown_for(mailed: str) -> str:
    digest = hashlib.sha256(f"authkit.invitation:{mailed}".encode(errors="backslashreplace"))
    return urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
