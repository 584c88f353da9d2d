"""Start, list and end sign-ins.

Every way to sign in ends in `start`, every way to sign out in `end` or `end_all_of`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, connections, router, transaction
from django.db.models import F, Q, QuerySet

from authkit import audit, changes, conf, impersonations, signals
from authkit.exceptions import SignInRefused
from authkit.kernel.client import NOBODY, Client
from authkit.kernel.digest import sha256
from authkit.models import BearerToken, SignInName, UserSession
from authkit.models.prepared import has_field

#: `last_seen_at` and `last_used_at` are written at most this often.
TOUCH_INTERVAL = timedelta(minutes=1)


def start(
    user: AbstractBaseUser,
    kind: str,
    *,
    now: datetime,
    client: Client = NOBODY,
    cookie_digest: str | None = None,
) -> UserSession:
    """Begin a sign-in of a person who has just proved who they are.

    Raises:
        SignInRefused: in the meantime the account was deactivated or deleted, or its
            password changed; or its address is not confirmed, and has to be. The row stays
            locked until the transaction ends, so that whoever does one of these afterwards
            finds the new session and ends it.
    """
    with transaction.atomic():
        lock_unchanged(user)
        _require_confirmed_address(user)
        session = UserSession.objects.create(
            user_id=user.pk,
            kind=kind,
            cookie_digest=cookie_digest,
            credential_digest=credential_digest(user),
            created_at=now,
            authenticated_at=now,
            last_seen_at=now,
            rotated_at=now,
            expires_at=now + min(_lifetime_of(kind), conf.get().session_lifetime),
            ip=client.ip,
            user_agent=client.user_agent,
        )
        audit.record(
            "login.succeeded",
            actor=user,
            session_id=session.id,
            client=client,
            data={"kind": kind},
        )
    return session


def end(
    session_ids: Iterable[UUID],
    *,
    reason: str,
    now: datetime,
    actor: AbstractBaseUser | None = None,
    client: Client = NOBODY,
    request: object = None,
) -> list[UUID]:
    """End these sign-ins and all that hangs from them; those already ended stay as they are.

    Returns the ids of the sessions that this call ended.
    """
    return _end(Q(pk__in=list(session_ids)), reason, now, actor, client, request)


def end_all_of(
    user_id: object,
    *,
    reason: str,
    now: datetime,
    except_id: UUID | None = None,
    actor: AbstractBaseUser | None = None,
    client: Client = NOBODY,
    request: object = None,
) -> list[UUID]:
    """End every sign-in of a person, but for one if asked. Returns the ids ended."""
    which = Q(user_id=user_id)
    if except_id is not None:
        which &= ~Q(pk=except_id)
    return _end(which, reason, now, actor, client, request)


def live_of(user: AbstractBaseUser, *, now: datetime) -> QuerySet[UserSession]:
    """The sign-ins of a person that still work, the newest first."""
    return UserSession.objects.filter(
        user_id=user.pk,
        revoked_at__isnull=True,
        expires_at__gt=now,
        created_at__gt=now - conf.get().session_lifetime,
        credential_digest=credential_digest(user),
    )


def is_live(user: AbstractBaseUser, session_id: UUID, *, now: datetime) -> bool:
    """Whether this sign-in of this person still works; asked of the database."""
    return live_of(user, now=now).filter(pk=session_id).exists()


def touch(session_id: UUID, *, now: datetime, last_seen_at: datetime) -> None:
    """Note that a sign-in was used, at most once a minute; a failure is nobody's refusal."""
    if now - last_seen_at < TOUCH_INTERVAL:
        return
    before = now - TOUCH_INTERVAL
    with suppress(DatabaseError), transaction.atomic():
        UserSession.objects.filter(pk=session_id, last_seen_at__lte=before).update(last_seen_at=now)


def absolute_end(created_at: datetime) -> datetime:
    """When a sign-in ends whatever is done to keep it."""
    return created_at + conf.get().session_lifetime


def credential_digest(user: AbstractBaseUser) -> str:
    """What changes when a person's password does.

    Kept with each sign-in and compared on each use, so that a password changed by any
    road, an SQL statement included, ends what was begun with the old one. It digests
    what is already a salted hash; a project's own `get_session_auth_hash` counts too.
    """
    text = user.password
    if type(user).get_session_auth_hash is not AbstractBaseUser.get_session_auth_hash:
        text += user.get_session_auth_hash()
    return sha256(text.encode()).hex()[:32]


def _end(
    which: Q,
    reason: str,
    now: datetime,
    actor: AbstractBaseUser | None,
    client: Client,
    request: object,
) -> list[UUID]:
    with transaction.atomic():
        live = UserSession.objects.filter(which, revoked_at__isnull=True)
        if not connections[router.db_for_write(UserSession)].features.has_select_for_update:
            live.update(revoked_at=None)  # SQLite turns a reader away who then wants to write
        locked = live.select_for_update().order_by("pk")
        found = list(locked.values_list("pk", "user_id", "kind", "impersonator_session_id"))
        ids = [row[0] for row in found]
        for some in _chunks(ids):
            UserSession.objects.filter(pk__in=some, revoked_at__isnull=True).update(
                revoked_at=now, revoked_reason=reason
            )
        jwt = [row[0] for row in found if row[2] == UserSession.Kind.JWT]
        changes.announce_ended(jwt, now=now.timestamp())
        for session_id, user_id, _, by_session in found:
            audit.record(
                "session.ended",
                actor=actor,
                subject=user_id,
                session_id=session_id,
                client=client,
                data={"reason": reason},
            )
            if by_session is not None:
                impersonations.note_end(session_id, user_id, by_session, reason, client)
        transaction.on_commit(lambda: _tell(found, reason, request))
        begun = [found_id for some in _chunks(ids) for found_id in impersonations.begun_by(some)]
        for some in _chunks(begun):  # whoever is signed out is so in everybody's name
            ids = [*ids, *_end(Q(pk__in=some), reason, now, actor, client, request)]
    return ids


def _tell(ended: list[tuple[UUID, Any, str, UUID | None]], reason: str, request: object) -> None:
    for session_id, user_id, *_ in ended:
        signals.signed_out.send_robust(
            sender=UserSession,
            user_id=user_id,
            session_id=session_id,
            reason=reason,
            request=request,
        )


def _lifetime_of(kind: str) -> timedelta:
    settings = conf.get()
    if kind == UserSession.Kind.JWT:
        return settings.refresh_token_lifetime
    if kind == UserSession.Kind.TOKEN:
        return settings.token_lifetime
    return settings.session_lifetime


def lock_unchanged(user: AbstractBaseUser) -> None:
    """Lock the person's row until the transaction ends, if it still is as we saw it.

    An update that changes nothing locks on every database, SQLite included, and checks
    in the same breath.

    Raises:
        SignInRefused: the account is deactivated or gone, or has another password.
    """
    unchanged: dict[str, object] = {"password": user.password}
    if has_field(get_user_model(), "is_active"):
        unchanged["is_active"] = True
    if not (user.is_active and lock_person(user.pk, **unchanged)):
        raise SignInRefused("the account has changed in the meantime")


def _require_confirmed_address(user: AbstractBaseUser) -> None:
    if conf.get().email_verification != "required":
        return
    due = SignInName.objects.filter(user_id=user.pk, kind=SignInName.Kind.EMAIL, is_due=True)
    if due.exists():
        raise SignInRefused("the address has to be confirmed first")


def lock_person(user_pk: object, **if_still: object) -> bool:
    """Lock a person's row until the transaction ends; False if it is not there like this.

    Whoever locks a person and sessions in one transaction locks the person first.
    """
    model: Any = get_user_model()
    rows = model._base_manager.filter(pk=user_pk, **if_still)
    return bool(rows.update(password=F("password")))


def _chunks(ids: list[UUID], size: int = 500) -> Iterable[list[UUID]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def over(*, now: datetime) -> tuple[QuerySet[BearerToken], QuerySet[UserSession]]:
    """Tokens and sign-ins that ended so long ago that they may be deleted.

    Until then a cookie of theirs is still known, and refused, as what it was.
    """
    long_ago = now - conf.get().session_lifetime
    ended = Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago)
    return BearerToken.objects.filter(ended), UserSession.objects.filter(ended)
