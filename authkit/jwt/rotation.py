"""Refresh without a table of tokens: one row per session, and a generation number.

A refresh token names its session and a generation. Whoever moves the row from that
generation to the next, in one conditional UPDATE, wins; nobody else does. An older
generation presented again means that two parties hold the token: the session ends
(RFC 9700 §4.14.2). One exception, so that two tabs of a browser don't end it: the
generation just before the current one, within REFRESH_GRACE, is given the current child
again, which is minted from the row and so the same to the byte.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from authkit import audit, conf, sessions, signals
from authkit.exceptions import SessionEnded, TokenNotValid, TokenReused, UserInactive
from authkit.jwt.tokens import Pair, mint_pair
from authkit.jwt.verify import verify_refresh
from authkit.kernel.claims import RefreshClaims
from authkit.kernel.client import NOBODY, Client
from authkit.models import UserSession

#: A password that is changed meanwhile makes it worth while to read a session again.
_ATTEMPTS = 3

#: Two clocks of a deployment may differ by so much.
_CLOCK_LEEWAY = timedelta(seconds=60)


def refresh(
    text: str, *, client: Client = NOBODY, request: object = None
) -> tuple[UserSession, Pair]:
    """The next pair of tokens for a refresh token, in two queries; three if another is faster.

    Raises:
        TokenNotValid, TokenExpired: not one of our refresh tokens, or too old.
        SessionEnded, UserInactive: its sign-in is over.
        TokenReused: it was used before; its sign-in is over now.
    """
    now = timezone.now()
    claims = verify_refresh(text, now=now.timestamp())
    for _ in range(_ATTEMPTS):
        session = _find(claims)
        _check(session, now)
        if claims.generation != session.generation:
            return session, _same_child_or_theft(session, claims.generation, now, client, request)
        if _advance(session, now, client):
            return session, mint_pair(session, session.user)
    raise SessionEnded("it changes faster than it can be read")


def renew(session_id: UUID, *, client: Client = NOBODY) -> Pair:
    """The next pair of a sign-in, for a caller who has proved to be its owner.

    Raises:
        SessionEnded, UserInactive: the sign-in is over.
    """
    now = timezone.now()
    for _ in range(_ATTEMPTS):
        session = UserSession.objects.select_related("user").filter(pk=session_id).first()
        if session is None:
            raise SessionEnded("unknown session")
        _check(session, now)
        if _advance(session, now, client):
            return mint_pair(session, session.user)
    raise SessionEnded("it changes faster than it can be read")


def _find(claims: RefreshClaims) -> UserSession:
    people = get_user_model()._default_manager.all()  # a project may hide some there
    found = UserSession.objects.select_related("user").filter(pk=claims.sid, user__in=people)
    session = found.first()
    if session is None:
        raise SessionEnded("unknown session")
    if str(session.user.pk) != claims.sub:
        raise TokenNotValid("somebody else's session")
    return session


def _check(session: UserSession, now: datetime) -> None:
    if not session.is_live(now=now):
        raise SessionEnded("over")
    if not session.user.is_active:
        raise UserInactive
    if session.credential_digest != sessions.credential_digest(session.user):
        raise SessionEnded("the password has changed")


def _advance(session: UserSession, now: datetime, client: Client) -> bool:
    """Move the session one generation on. False if somebody changed it since we read it."""
    changed = {
        "generation": session.generation + 1,
        "rotated_at": now,
        "last_seen_at": now,
        "expires_at": min(now + conf.get().refresh_token_lifetime, session.ends_at),
    }
    here = UserSession.objects.filter(
        pk=session.pk,
        generation=session.generation,
        revoked_at__isnull=True,
        credential_digest=session.credential_digest,
    )
    if here.update(**changed, ip=client.ip, user_agent=client.user_agent) != 1:
        return False
    for name, value in changed.items():
        setattr(session, name, value)
    return True


def _is_in_grace(session: UserSession, now: datetime) -> bool:
    """Whether the last refresh is so recent that it may be repeated.

    It may seem to lie ahead of us: we asked the clock before we waited for another caller,
    or that one asked another machine's clock.
    """
    grace, age = conf.get().refresh_grace, now - session.rotated_at
    return bool(grace) and -_CLOCK_LEEWAY <= age < grace


def _same_child_or_theft(
    session: UserSession, generation: int, now: datetime, client: Client, request: object
) -> Pair:
    is_previous = generation == session.generation - 1
    if is_previous and _is_in_grace(session, now):
        return mint_pair(session, session.user)
    if generation > session.generation:
        raise TokenNotValid("a generation that has not been minted")
    with transaction.atomic():
        audit.record(
            "token.reused",
            subject=session.user.pk,
            session_id=session.pk,
            client=client,
            data={"generation": generation, "current": session.generation},
        )
        sessions.end([session.pk], reason="token_reused", now=now, client=client, request=request)
    signals.token_reused.send_robust(
        sender=UserSession, user=session.user, session=session, request=request
    )
    raise TokenReused
