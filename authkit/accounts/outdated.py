"""What the accounts leave behind that nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from authkit.models import Invitation, LinkKey, SignInName

#: So long a key is still known, and refused as what it was.
_KEPT = timedelta(days=30)


def over(*, now: datetime) -> tuple[QuerySet[Any], ...]:
    """Keys and invitations long over, and names reserved long ago for nobody."""
    long_ago = now - _KEPT
    ended = Q(expires_at__lt=long_ago) | Q(used_at__lt=long_ago)
    return (
        LinkKey.objects.filter(ended),
        Invitation.objects.filter(ended),
        SignInName.objects.filter(user=None, created_at__lt=long_ago),
    )
