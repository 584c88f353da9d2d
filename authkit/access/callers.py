"""Who asks, as the kernel needs to know them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authkit.access import holdings
from authkit.access.loading import Policy
from authkit.kernel.decision import STRANGER, Caller
from authkit.kernel.grant import Grant
from authkit.models.unloaded import is_unloaded

_BOUND = "_authkit_grant"


def bind(user: Any, grant: Grant | None) -> None:
    """Remember with what credential this person came.

    Whoever asks about `request.user` later, in a view or a template, is then answered
    for this credential: its scopes, and when the person last proved who they are.
    """
    held = getattr(user, "__dict__", None)
    if held is not None:
        held[_BOUND] = grant


def grant_of(user: Any) -> Grant | None:
    """The credential with which this person came, if they came with a request."""
    grant = getattr(user, "__dict__", {}).get(_BOUND)
    return grant if isinstance(grant, Grant) else None


def caller_of(user: Any, grant: Grant | None, policy: Policy, *, now: datetime) -> Caller:
    """All that a decision needs to know.

    Raises:
        django.db.Error: their roles are not known, and the database cannot be asked.
    """
    if user is None or not user.is_authenticated or user.pk is None:
        return STRANGER
    holding = holdings.of(user, people=policy.revision.people, is_private=policy.is_private)
    flags = holding.flags
    if flags is None or not is_unloaded(user):
        is_active = bool(user.is_active)
        is_staff = bool(getattr(user, "is_staff", False))
        is_superuser = bool(getattr(user, "is_superuser", False))
    else:
        is_active, is_staff = flags["is_active"], flags["is_staff"]
        is_superuser = flags["is_superuser"]
    return Caller(
        roles=holding.roles(now=now),
        is_active=is_active,
        is_staff=is_staff,
        is_superuser=is_superuser,
        scopes=None if grant is None else grant.scopes,
        authenticated_at=None if grant is None else grant.authenticated_at,
        has_permission=getattr(user, "has_perm", _has_none),
    )


def _has_none(permission: str) -> bool:
    """What a user model without permissions answers."""
    return False
