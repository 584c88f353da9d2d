"""Sign in as somebody else, to see what they see, and go back.

The browser's session becomes the person's, under a new key. The administrator's own is
put aside: what Django keeps in it is sealed into the row of the new sign-in, and no cookie
opens it until `finish`, which gives it a new key again.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import router, transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import conf, cookies, impersonations, lookups, saving, sealing, sessions, signals
from authkit.access import impersonation
from authkit.accounts import current, recent
from authkit.accounts.client import client_of
from authkit.exceptions import CannotImpersonate, SessionEnded
from authkit.kernel.grant import Grant
from authkit.models import UserSession

_PARKED = "parked session"
_BACK = "_authkit_back"
_EXPIRY = "_session_expiry"
_LONGEST_REASON = 500


@sensitive_variables("password")
def begin(
    request: HttpRequest,
    person: AbstractBaseUser,
    *,
    password: str | None = None,
    why: str = "",
    back: str = "",
) -> UserSession:
    """Sign the administrator who makes this request in as a person.

    Args:
        request: it came with the administrator's own session cookie.
        person: as whom.
        password: the administrator's own, unless they gave it a moment ago.
        why: for the audit.
        back: the path to which `finish` leads.

    Raises:
        CannotImpersonate: see `access.impersonation.require_may`; or the administrator
            came with a token, or acts as somebody else already.
        RecentSignInRequired, WrongPassword: see `recent.require_proof`.
        SignInRefused, SessionEnded: one of the accounts changed in this very moment.
    """
    administrator, grant = _administrator(request)
    impersonation.require_may(administrator, person)
    recent.require_proof(administrator, grant, password, request)
    own = request.session
    fresh = _session_of(person, own)
    fresh.create()
    try:
        session = _start(person, administrator, grant, own, fresh, why, back, request)
    except BaseException:
        fresh.delete()
        raise
    own.delete()
    _put_in_place(request, fresh)
    return session


def is_possible(request: HttpRequest) -> bool:
    """Whether whoever makes this request could sign in as anybody at all."""
    grant = current.grant_of(request)
    is_own = grant is not None and grant.kind == "session" and not grant.is_impersonated
    return conf.get().impersonation and is_own and impersonation.holds_permission(request.user)


def is_waiting(request: HttpRequest) -> bool:
    """Whether the cookie of this request leads back to an administrator's own account."""
    return _begun_with(request.session) is not None


@sensitive_variables("data", "parked")
def finish(request: HttpRequest) -> str:
    """Go back to the administrator's own session; returns the path where it began, if known.

    Works once, and also after the time is over: then it is all that the cookie is good for.

    Raises:
        CannotImpersonate: this cookie is nobody else's.
        SessionEnded: the administrator's own sign-in has ended meanwhile; so has this one.
    """
    row = _begun_with(request.session)
    if row is None:
        raise CannotImpersonate("nothing to go back from")
    now, borrowed = timezone.now(), request.session
    data = borrowed.decode(sealing.unseal(_PARKED, row.parked))
    back = str(data.pop(_BACK, ""))
    with transaction.atomic():
        administrator = _administrator_behind(row)
        fresh = type(borrowed)()
        fresh.update({**data, **_identity(administrator, cast(UUID, row.impersonator_session_id))})
        fresh[BACKEND_SESSION_KEY] = borrowed[BACKEND_SESSION_KEY]
        fresh.create()
        _take_up(row, fresh)
        sessions.end(
            [row.pk],
            reason="impersonation_finished",
            now=now,
            actor=administrator,
            client=client_of(request),
            request=request,
        )
    borrowed.delete()
    _put_in_place(request, fresh)
    return back


def _administrator(request: HttpRequest) -> tuple[AbstractBaseUser, Grant]:
    grant = current.grant_of(request)
    if grant is None or grant.kind != "session" or grant.session_id is None:
        raise CannotImpersonate("not with a session cookie")
    if grant.is_impersonated:
        raise CannotImpersonate("as somebody else already")
    if grant.user_id != str(request.user.pk):
        raise CannotImpersonate("the cookie is somebody else's")
    return cast(AbstractBaseUser, request.user), grant


@sensitive_variables("parked")
def _start(
    person: AbstractBaseUser,
    administrator: AbstractBaseUser,
    grant: Grant,
    own: SessionBase,
    fresh: SessionBase,
    why: str,
    back: str,
    request: HttpRequest,
) -> UserSession:
    now, client = timezone.now(), client_of(request)
    parked = sealing.seal(_PARKED, own.encode({**dict(own.items()), _BACK: back}))
    with transaction.atomic():
        sessions.lock_unchanged(person)
        session = UserSession.objects.create(
            user_id=person.pk,
            kind=UserSession.Kind.SESSION,
            cookie_digest=cookies.digest_for(fresh),
            credential_digest=sessions.credential_digest(person),
            impersonator_session_id=grant.session_id,
            parked=parked,
            created_at=now,
            authenticated_at=now,
            last_seen_at=now,
            rotated_at=now,
            expires_at=now + conf.get().impersonation_lifetime,
            ip=client.ip,
            user_agent=client.user_agent,
        )
        _put_aside(cast(UUID, grant.session_id))
        fresh[cookies.USER_SESSION_KEY] = str(session.pk)
        saving.save(fresh)
        told = {"name": str(person), "why": why[:_LONGEST_REASON]}
        impersonations.record("began", administrator, person.pk, session.pk, client, **told)
        transaction.on_commit(
            lambda: signals.impersonation_began.send_robust(
                sender=type(person), user=person, administrator=administrator, request=request
            )
        )
    return session


def _put_aside(session_id: UUID) -> None:
    """From now on no cookie leads to the administrator's own sign-in."""
    own = UserSession.objects.filter(
        pk=session_id, revoked_at__isnull=True, impersonator_session_id__isnull=True
    )
    if not own.update(cookie_digest=None):
        raise SessionEnded("the administrator's own sign-in has ended")


def _take_up(row: UserSession, fresh: SessionBase) -> None:
    """Give the administrator's own sign-in its new cookie; of two who try, one succeeds."""
    claimed = UserSession.objects.filter(pk=row.pk).exclude(parked="").update(parked="")
    own_id = cast(UUID, row.impersonator_session_id)
    own = UserSession.objects.filter(pk=own_id, revoked_at__isnull=True)
    if not (claimed and own.update(cookie_digest=cookies.digest_for(fresh))):
        fresh.delete()
        raise SessionEnded("somebody else went back, or the sign-in has ended")


def _administrator_behind(row: UserSession) -> AbstractBaseUser:
    alias = router.db_for_write(UserSession)
    found = lookups.find_by_id(alias, cast(UUID, row.impersonator_session_id))
    if found is None:
        raise SessionEnded("the administrator's own sign-in is gone")
    own, administrator = found
    own.check(administrator, now=timezone.now())
    return administrator  # type: ignore[no-any-return]


def _begun_with(store: SessionBase) -> UserSession | None:
    """The sign-in as somebody else that a cookie stands for, live or over; None if none."""
    session_id = cookies.session_id_of(store)
    if session_id is None:
        return None
    rows = UserSession.objects.filter(pk=session_id, impersonator_session_id__isnull=False)
    return rows.exclude(parked="").first()


def _session_of(person: AbstractBaseUser, own: SessionBase) -> SessionBase:
    """A session of Django's for somebody else: nothing of the administrator's is in it."""
    fresh = type(own)()
    fresh.update(_identity(person, None))
    fresh[BACKEND_SESSION_KEY] = own[BACKEND_SESSION_KEY]
    if _EXPIRY in own:
        fresh[_EXPIRY] = own[_EXPIRY]
    return fresh


def _identity(user: Any, session_id: UUID | None) -> dict[str, str]:
    return {
        SESSION_KEY: user._meta.pk.value_to_string(user),
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        cookies.USER_SESSION_KEY: str(session_id or ""),
    }


def _put_in_place(request: HttpRequest, fresh: SessionBase) -> None:
    """Let the cookie of this session go out with the answer."""
    request.session = fresh
    fresh.modified = True
    rotate_token(request)
