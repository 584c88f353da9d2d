"""Linking takes a person who has just proved who they are."""

from __future__ import annotations

from django.utils import timezone

from authkit import conf
from authkit.kernel.grant import Grant
from authkit.social.refusals import RecentSignInNeeded


def require(grant: Grant | None) -> None:
    """Refuse a sign-in that is older than RECENT_SIGN_IN.

    Raises:
        RecentSignInNeeded: whoever sits here now may be somebody else.
    """
    at = None if grant is None else grant.authenticated_at
    if at is None or timezone.now() - at > conf.get().recent_sign_in:
        raise RecentSignInNeeded
