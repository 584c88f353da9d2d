"""Issue, resolve and revoke opaque tokens (`kernel.opaque` says how they look)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf, lookups, sessions
from authkit.exceptions import (
    NotPermitted,
    SessionEnded,
    TokenExpired,
    TokenMadeUp,
    TokenNotValid,
    UserInactive,
)
from authkit.kernel import opaque
from authkit.kernel.client import NOBODY, Client
from authkit.kernel.grant import Grant
from authkit.models import BearerToken, UserSession
from authkit.models.prepared import alias_of


class TooManyTokens(NotPermitted):
    """The person has as many personal access tokens as PERSONAL_TOKEN_LIMIT allows."""

    code = "too_many_tokens"
    public_message = gettext_noop(
        "You have too many access tokens. Delete one that you do not need."
    )


def is_possible_end(moment: datetime, *, now: datetime) -> bool:
    """Whether a token may be made to end then: in the future, within a hundred years."""
    try:
        return now < moment.astimezone(UTC) < now + 100 * timedelta(days=365)
    except OverflowError:  # no time zone has that day
        return False


def issue_for(session: UserSession, *, now: datetime) -> opaque.OpaqueToken:
    """The token that carries a sign-in of kind "token"."""
    return _issue(
        user_id=session.user_id,
        session=session,
        credential_digest=session.credential_digest,
        created_at=now,
        last_used_at=now,
        expires_at=session.expires_at,
    )


def issue_personal(
    user: AbstractBaseUser,
    *,
    name: str,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    now: datetime,
    actor: AbstractBaseUser | None = None,
    client: Client = NOBODY,
) -> opaque.OpaqueToken:
    """A named token that hangs from no sign-in; its text is in the answer, once.

    Raises:
        TooManyTokens: PERSONAL_TOKEN_LIMIT is reached, counted under a lock.
        SignInRefused: the account is inactive or has changed in the meantime.
    """
    with transaction.atomic():
        sessions.lock_unchanged(user)
        if personal_of(user, now=now).count() >= conf.get().personal_token_limit:
            raise TooManyTokens
        token = _issue(
            user_id=user.pk,
            credential_digest=sessions.credential_digest(user),
            name=name,
            scopes=None if scopes is None else list(scopes),
            created_at=now,
            expires_at=expires_at,
        )
        audit.record(
            "token.created",
            actor=actor or user,
            subject=user.pk,
            client=client,
            data={"token": token.id, "name": name, "scopes": scopes and list(scopes)},
        )
    return token


@sensitive_variables("text")
def resolve(text: str, *, now: datetime, is_use: bool = True) -> tuple[AbstractBaseUser, Grant]:
    """The person and the Grant behind a token, in one query.

    A wrong checksum costs none. `is_use` notes that the token was used.

    Raises:
        TokenNotValid: malformed, unknown, revoked, or made with another password.
        TokenExpired, SessionEnded, UserInactive: as they say.
    """
    try:
        parsed = opaque.parse(text, conf.get().token_prefix)
    except opaque.MalformedToken as malformed:
        raise TokenNotValid(str(malformed)) from None
    alias = alias_of(BearerToken)
    found = lookups.find_by_token(alias, parsed.id)
    if found is None or not opaque.is_same(bytes.fromhex(found[0].digest), parsed.digest):
        raise TokenMadeUp("unknown")
    token, session, user = found
    _check(token, session, user, now)
    if is_use:
        _touch(parsed.id, token, session, now)
    return user, Grant(
        kind="token",
        user_id=str(user.pk),
        session_id=None if session is None else session.id,
        token_id=parsed.id,
        scopes=None if token.scopes is None else tuple(token.scopes),
        authenticated_at=None if session is None else session.authenticated_at,
        expires_at=token.expires_at,
    )


@sensitive_variables("text")
def id_of(text: str) -> str | None:
    """The public id of a token of ours, whether or not it works; None for anything else."""
    try:
        parsed = opaque.parse(text, conf.get().token_prefix)
    except opaque.MalformedToken:
        return None
    digest = BearerToken.objects.filter(pk=parsed.id).values_list("digest", flat=True).first()
    is_ours = digest is not None and opaque.is_same(bytes.fromhex(digest), parsed.digest)
    return parsed.id if is_ours else None


def personal_of(user: AbstractBaseUser, *, now: datetime) -> QuerySet[BearerToken]:
    """A person's personal access tokens that still work."""
    return BearerToken.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        user_id=user.pk,
        session__isnull=True,
        revoked_at__isnull=True,
        credential_digest=sessions.credential_digest(user),
    )


def revoke(
    token_id: str,
    *,
    now: datetime,
    actor: AbstractBaseUser | None = None,
    client: Client = NOBODY,
    request: object = None,
) -> bool:
    """End a token, and with a sign-in's token its session. False if it had ended before."""
    with transaction.atomic():
        live = BearerToken.objects.filter(pk=token_id, revoked_at__isnull=True)
        if not live.update(revoked_at=now):
            return False
        token = BearerToken.objects.get(pk=token_id)
        audit.record(
            "token.revoked",
            actor=actor,
            subject=token.user_id,
            client=client,
            data={"token": token_id, "name": token.name},
        )
        if token.session_id is not None:
            sessions.end(
                [token.session_id],
                reason="token_revoked",
                now=now,
                actor=actor,
                client=client,
                request=request,
            )
    return True


def keep_token_of(session_id: UUID, credential_digest: str) -> None:
    """Let the token of a sign-in live on under the person's new password."""
    BearerToken.objects.filter(session_id=session_id).update(credential_digest=credential_digest)


def _issue(**columns: object) -> opaque.OpaqueToken:
    token = opaque.mint(conf.get().token_prefix, random=secrets.token_bytes)
    BearerToken.objects.create(id=token.id, digest=token.digest.hex(), **columns)
    return token


def _check(
    token: lookups.TokenFacts,
    session: lookups.SessionFacts | None,
    user: AbstractBaseUser,
    now: datetime,
) -> None:
    if session is not None:
        session.check(user, now=now)
    if token.revoked_at is not None:
        raise TokenNotValid("revoked")
    if token.expires_at is not None and now >= token.expires_at:
        raise TokenExpired
    if not user.is_active:
        raise UserInactive
    # Mostly that of the sign-in, which has been compared above.
    is_compared = session is not None and token.credential_digest == session.credential_digest
    if not is_compared and token.credential_digest != sessions.credential_digest(user):
        raise SessionEnded("the password has changed")


def _touch(
    token_id: str, token: lookups.TokenFacts, session: lookups.SessionFacts | None, now: datetime
) -> None:
    """Note the use, at most once a minute. A failure is nobody's refusal."""
    if session is not None:
        sessions.touch(session.id, now=now, last_seen_at=session.last_seen_at)
    elif token.last_used_at is None or now - token.last_used_at >= sessions.TOUCH_INTERVAL:
        with suppress(DatabaseError), transaction.atomic():
            _note_use(token_id, now)


def _note_use(token_id: str, now: datetime) -> None:
    before = now - sessions.TOUCH_INTERVAL
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
    BearerToken.objects.filter(unused, pk=token_id).update(last_used_at=now)
