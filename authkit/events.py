"""A project's own audit events, beside those of authkit.

Read in the same list, kept as long, sent on by the same signal and logger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from authkit import audit, event_kinds
from authkit.access import acting
from authkit.accounts import current
from authkit.accounts.client import client_of
from authkit.event_kinds import declare

__all__ = ["declare", "record"]


def record(
    kind: str,
    *,
    actor: AbstractBaseUser | None = None,
    subject: object = "",
    before: Any = None,
    after: Any = None,
    data: Mapping[str, Any] | None = None,
    is_attempt: bool = False,
) -> None:
    """Write what happened in the project; from where and by whom, the request says.

    Args:
        kind: dotted, under a namespace of the project's own: ``shop.order_refunded``.
        actor: the person who did it; left out, it is whoever makes the request.
        subject: to whom or what it was done; kept as text.
        before: what was changed, as it was: JSON's types, shown beside `after`.
        after: what was changed, as it is now.
        data: further details, of JSON's types; never a secret.
        is_attempt: whether it is worth telling even if its transaction is rolled back.

    Raises:
        ValueError: `kind` is not dotted, or is in a namespace of authkit's.
    """
    here = acting.current() or acting.Actor(None, client_of(current.request()))
    facts = dict(data or {})
    if before is not None or after is not None:
        facts |= {"before": before, "after": after}
    audit.record(
        event_kinds.check(kind),
        actor=actor or here.person,
        subject=subject,
        session_id=here.session_id,
        client=here.client,
        data=facts,
        is_attempt=is_attempt,
    )
