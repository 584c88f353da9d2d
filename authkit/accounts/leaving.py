"""Sign out: with what was presented, one of one's devices, all others, everywhere."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import logout, user_logged_out
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from authkit import sessions, tokens
from authkit.accounts import current
from authkit.accounts.client import client_of
from authkit.kernel.grant import Grant
from authkit.models import LinkKey


def leave(user: AbstractBaseUser, grant: Grant, request: HttpRequest) -> None:
    """End the sign-in of this credential; a personal access token is revoked."""
    if grant.session_id is not None:
        end_one(user, grant.session_id, request)
        say_goodbye(user, grant, request)
    elif grant.token_id is not None:
        tokens.revoke(
            grant.token_id,
            now=timezone.now(),
            actor=user,
            client=client_of(request),
            request=request,
        )


def say_goodbye(user: AbstractBaseUser, grant: Grant, request: HttpRequest) -> None:
    """Tell Django that whoever makes this request has signed out; a cookie is dropped."""
    if grant.kind == "session":
        logout(request)
        return
    with current.without_cookie(request):
        user_logged_out.send(sender=type(user), request=request, user=user)


def end_one(user: AbstractBaseUser, session_id: UUID, request: HttpRequest) -> None:
    """End one sign-in; whose it is, is the caller's to check."""
    sessions.end(
        [session_id],
        reason="signed_out",
        now=timezone.now(),
        actor=user,
        client=client_of(request),
        request=request,
    )


def leave_everywhere(
    user: AbstractBaseUser, request: HttpRequest, *, but: UUID | None = None
) -> None:
    """End every sign-in of this person, but for one if asked."""
    sessions.end_all_of(
        user.pk,
        reason="signed_out_everywhere",
        now=timezone.now(),
        except_id=but,
        actor=user,
        client=client_of(request),
        request=request,
    )


def end_what_lasts(
    person: AbstractBaseUser, request: HttpRequest, *, actor: AbstractBaseUser
) -> None:
    """End what would come back with a closed account: personal access tokens, links in mails."""
    now, client = timezone.now(), client_of(request)
    for token in tokens.personal_of(person, now=now):
        tokens.revoke(token.pk, now=now, actor=actor, client=client, request=request)
    LinkKey.objects.filter(user_id=person.pk, used_at=None).update(used_at=now)
