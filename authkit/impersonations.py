"""Sign-ins by which an administrator sees what somebody else sees: their rows, and their end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from authkit import audit, conf, signals
from authkit.kernel.client import Client
from authkit.models import UserSession


def begun_by(session_ids: Sequence[UUID]) -> list[UUID]:
    """Those that were begun from these sign-ins and go on; none where it is switched off.

    Switched off, none of them counts, so nobody has to look.
    """
    if not session_ids or not conf.get().impersonation:
        return []
    live = UserSession.objects.filter(
        impersonator_session_id__in=session_ids, revoked_at__isnull=True
    )
    return list(live.values_list("pk", flat=True))


def with_own(session_ids: Iterable[UUID | None]) -> set[UUID]:
    """These sign-ins, and the administrators' own that wait behind them.

    Whoever signs out, or signs in as somebody else, leaves nothing behind in the browser.
    """
    ids = {session_id for session_id in session_ids if session_id is not None}
    if not ids or not conf.get().impersonation:
        return ids
    rows = UserSession.objects.filter(pk__in=ids, impersonator_session_id__isnull=False)
    own = set(rows.values_list("impersonator_session_id", flat=True))
    if own:
        rows.update(parked="")
    return ids | {session_id for session_id in own if session_id is not None}


def note_end(
    session_id: UUID, user_id: object, by_session: UUID, reason: str, client: Client
) -> None:
    """Write down that one has ended, whoever ended it and why."""
    own = UserSession.objects.filter(pk=by_session).select_related("user").first()
    administrator = None if own is None else own.user
    record("ended", administrator, user_id, session_id, client, reason=reason)
    transaction.on_commit(
        lambda: signals.impersonation_ended.send_robust(
            sender=UserSession, user_id=user_id, administrator=administrator, reason=reason
        )
    )


def record(
    what: str,
    administrator: AbstractBaseUser | None,
    user_id: object,
    session_id: UUID,
    client: Client,
    **data: str,
) -> None:
    """Write down that an administrator began or ended to act as somebody else."""
    found = None if administrator is None else (administrator.pk, str(administrator))
    with audit.by_impersonator(lambda: found):
        audit.record(
            f"impersonation.{what}",
            actor=administrator,
            subject=user_id,
            session_id=session_id,
            client=client,
            data=data,
        )
