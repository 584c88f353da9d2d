"""Who is let in, and as whom: what the middleware does, without what makes it one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import LoginView, LogoutView
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import escape_leading_slashes

from authkit import authentication, credentials, csrf, refusals, resolved
from authkit.access import scopes
from authkit.accounts import current
from authkit.exceptions import (
    AuthkitError,
    ImpersonationOver,
    ScopeInsufficient,
    TokenNotValid,
    TooManyAttempts,
)
from authkit.kernel.grant import Grant

#: Where an administrator goes back to their own account.
WAY_BACK = "authkit:impersonation"


def arrive(request: HttpRequest) -> HttpResponseBase | None:
    """Find out who makes the request; by cookie only when somebody asks."""
    unreadable = csrf.unreadable(request)
    if unreadable is not None:
        return unreadable
    credentials.drop_impossible_cookie(request)
    presented = credentials.presented_in(request)
    if presented is None or not presented.is_ours:
        _set_user(request, SimpleLazyObject(lambda: _user_of_cookie(request)))
        return None
    csrf.spare(request)
    try:
        user, grant = resolved.bearer(request, presented)
    except AuthkitError:
        _set_user(request, AnonymousUser())
        return None
    except DatabaseFailure:
        return refusals.unavailable()
    current.remember(request, grant)
    _set_user(request, user)
    return None


def leave_to(view: Callable[..., Any], request: HttpRequest) -> HttpResponseBase | None:
    """Let a view's own classes say who it is.

    They may not know of bearer credentials, and take Django's user for the cookie's: so
    for them that one is a stranger, and a write by cookie needs its CSRF token. A
    credential that none of them could take is refused here.
    """
    presented = credentials.presented_in(request)
    if presented is None or not presented.is_ours:
        return None
    csrf.demand(request)
    current.forget(request)
    _set_user(request, AnonymousUser())
    classes = _classes_of(view, request)
    if authentication.is_for_nobody(request, presented, classes):
        return _refuse(request, TokenNotValid("no listed class accepts it"))
    return None


def _classes_of(view: Any, request: HttpRequest) -> Sequence[type]:
    """The authentication classes of a view; a property's value is known to an instance only."""
    arguments = getattr(view, "initkwargs", {})
    listed = arguments.get("authentication_classes", view.cls.authentication_classes)
    if isinstance(listed, list | tuple):
        return listed
    instance = view.cls(**arguments)
    instance.request = request
    return [type(each) for each in instance.get_authenticators()]


def admit(request: HttpRequest) -> HttpResponseBase | None:
    """Let in who presents no credential, or a valid one that is enough for the view."""
    try:
        grant = _identified(request)
        if grant is not None:
            scopes.require_reach(grant, request)
    except ScopeInsufficient as refusal:
        return refusals.forbidden(refusal)
    except AuthkitError as refusal:
        return csrf.check(request) if is_at_door(request) else _refuse(request, refusal)
    except (DatabaseFailure, refusals.Unavailable):
        return refusals.unavailable()
    return None


def is_at_door(request: HttpRequest) -> bool:
    """Whether people sign in or out here: in Django's views, the admin's, or at LOGIN_URL.

    A stale credential does not stand in the way of getting a new one, or of being rid of
    the old one.
    """
    match = request.resolver_match
    if match is None:
        return False
    kind = getattr(match.func, "view_class", None)
    if isinstance(kind, type) and issubclass(kind, LoginView | LogoutView):
        return True
    if getattr(kind, "leads_back", False):  # to one's own account, from somebody else's
        return True
    if match.app_names == ["admin"] and match.url_name in {"login", "logout"}:
        return True
    try:
        return request.path == resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return False


def _identified(request: HttpRequest) -> Grant | None:
    presented = credentials.presented_in(request)
    if presented is not None and presented.is_ours:
        return resolved.bearer(request, presented)[1]
    try:
        answer = resolved.cookie(request)
    except AuthkitError:
        resolved.forget_cookie(request)
        raise
    if answer is None:
        return None
    current.remember(request, answer[1])
    return answer[1]


def _user_of_cookie(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    try:
        answer = resolved.cookie(request)
    except AuthkitError:
        return AnonymousUser()
    if answer is None:
        return AnonymousUser()
    current.remember(request, answer[1])
    return answer[0]


def _set_user(request: HttpRequest, user: Any) -> None:
    async def auser() -> Any:
        # Whoever asks in async code cannot load what is missing when it is touched.
        await sync_to_async(lambda: getattr(user, "password", None))()
        return user

    request.user = user
    request.auser = auser


def _refuse(request: HttpRequest, refusal: AuthkitError) -> HttpResponseBase:
    refusals.tell_refused(request, refusal)
    if isinstance(refusal, TooManyAttempts):
        return refusals.later(request, refusal)
    is_cookie = "HTTP_AUTHORIZATION" not in request.META
    if is_cookie and _is_navigation(request):
        # The cookie is dropped with this answer: the browser asks again as a stranger.
        # Whoever was somebody else is led back to their own account.
        response: HttpResponse = HttpResponseRedirect(_after(request, refusal))
        response["Cache-Control"] = "no-store"
        return response
    return refusals.unauthorized(refusal)


def _after(request: HttpRequest, refusal: AuthkitError) -> str:
    if isinstance(refusal, ImpersonationOver):
        try:
            return reverse(WAY_BACK)
        except NoReverseMatch:
            request.session.flush()
    return escape_leading_slashes(request.get_full_path())


def _is_navigation(request: HttpRequest) -> bool:
    """Whether a person follows a link, rather than a program making a call."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")
