"""The same credentials for every Django view, sync and async.

Views of Django REST framework judge the credential themselves, by the classes they list.
For every other view it is judged here, before the view is reached: a valid one sets
`request.user`; one that is presented and not valid is 401 and never a stranger.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import SynchronousOnlyOperation
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.views import APIView

from authkit import audit, authentication, changes, conf, credentials, gate
from authkit.access import scopes
from authkit.accounts import current
from authkit.exceptions import (
    AuthkitError,
    CredentialRejected,
    ScopeInsufficient,
    StoreUnavailable,
    TokenNotValid,
)

_logger = logging.getLogger("authkit")


class AuthkitMiddleware:
    """Stands after Django's AuthenticationMiddleware, whose `request.user` it replaces."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Be what the chain is: sync or async."""
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
            self.process_view = self._process_view_async  # type: ignore[assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request, around it what must outlive its transaction."""
        if self.is_async:
            return self._answer_async(request)
        written: list[audit.Written] = []
        try:
            with audit.of_request(written), current.answering(request):
                response = _arrive(request) or self.get_response(request)
                response = gate.settle(request, response)
                _vary(request, response)
        except BaseException as stopped:
            gate.abandon(request, stopped)
            raise
        finally:  # also where the worker is told to stop
            _rescue(written)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        written: list[audit.Written] = []
        with audit.of_request(written), current.answering(request):
            response = await _aside(_arrive, request, asks=_asks_on_arrival(request))
            response = response or await self.get_response(request)
            response = gate.settle(request, response)
            _vary(request, response)
        if written:
            await sync_to_async(_rescue)(written)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        """Let a request through to its view, or answer it here."""
        answer = _leave_to(view, request) if _judges_itself(view) else _admit(request)
        return answer or _decide(request, view, is_async=False)

    async def _process_view_async(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        if _judges_itself(view):
            answer = _leave_to(view, request)
        else:
            answer = await _aside(_admit, request, asks=_asks_for_cookie(request))
        return answer or await sync_to_async(_decide)(request, view, is_async=True)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer for a JWT whose user, when a view touched it, was found to be gone.

        And for a door where, without the database, nobody gets in or out.
        """
        gate.failed(request, exception)
        if isinstance(exception, authentication.Refused):
            exception = cast(AuthkitError, exception.__cause__)
        if isinstance(exception, CredentialRejected):
            authentication.tell_refused(request, exception)
            return _unauthorized(exception)
        if isinstance(exception, DatabaseFailure) and _is_at_door(request):
            return _unavailable()
        return None


async def _aside(function: Callable[..., Any], request: HttpRequest, *, asks: bool) -> Any:
    """Call `function`, in a thread if it asks the database."""
    if not asks:
        try:
            return function(request)
        except SynchronousOnlyOperation:  # what was known a moment ago has grown too old
            pass
    return await sync_to_async(function)(request)


def _asks_on_arrival(request: HttpRequest) -> bool:
    presented = credentials.presented_in(request)
    if presented is None or presented.kind == "unknown":
        return False
    mode = conf.get().jwt_revocation
    is_in_memory = mode == "stateless" or (mode == "denylist" and changes.is_current())
    return presented.kind == "token" or not is_in_memory


def _asks_for_cookie(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _judges_itself(view: Callable[..., Any]) -> bool:
    kind = getattr(view, "cls", None)
    return isinstance(kind, type) and issubclass(kind, APIView)


def _is_at_door(request: HttpRequest) -> bool:
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
    if match.app_names == ["admin"] and match.url_name in {"login", "logout"}:
        return True
    try:
        return request.path == resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return False


def _vary(request: HttpRequest, response: HttpResponseBase) -> None:
    """Tell caches that the answer is for who asked (RFC 9110 §12.5.5)."""
    if "HTTP_AUTHORIZATION" in request.META:
        patch_vary_headers(response, ["Authorization"])


def _arrive(request: HttpRequest) -> HttpResponseBase | None:
    """Find out who makes the request; by cookie only when somebody asks."""
    credentials.drop_impossible_cookie(request)
    presented = credentials.presented_in(request)
    if presented is None or not presented.is_ours:
        _set_user(request, SimpleLazyObject(lambda: _user_of_cookie(request)))
        return None
    authentication.spare_csrf(request)
    try:
        user, grant = authentication.resolve_once(request, presented)
    except AuthkitError:
        _set_user(request, AnonymousUser())
        return None
    except DatabaseFailure:
        return _unavailable()
    current.remember(request, grant)
    _set_user(request, user)
    return None


def _leave_to(view: Callable[..., Any], request: HttpRequest) -> HttpResponseBase | None:
    """Let a view's own classes say who it is.

    They may not know of bearer credentials, and take Django's user for the cookie's: so
    for them that one is a stranger, and a write by cookie needs its CSRF token. A
    credential that none of them could take is refused here.
    """
    presented = credentials.presented_in(request)
    if presented is None or not presented.is_ours:
        return None
    authentication.demand_csrf(request)
    current.forget(request)
    _set_user(request, AnonymousUser())
    classes = view.cls.authentication_classes  # type: ignore[attr-defined]
    if authentication.is_for_nobody(request, presented, classes):
        return _refuse(request, TokenNotValid("no listed class accepts it"))
    return None


def _admit(request: HttpRequest) -> HttpResponseBase | None:
    """Let in who presents no credential, or a valid one."""
    presented = credentials.presented_in(request)
    try:
        if presented is not None and presented.is_ours:
            _, grant = authentication.resolve_once(request, presented)
            scopes.require_reach(grant, request)
        else:
            _remember_cookie(request)
    except ScopeInsufficient as refusal:
        return _forbidden(refusal)
    except AuthkitError as refusal:
        if not _is_at_door(request):
            return _refuse(request, refusal)
        return _check_csrf(request)
    except (DatabaseFailure, authentication.Unavailable):
        return _unavailable()
    return None


def _decide(
    request: HttpRequest, view: Callable[..., Any], *, is_async: bool
) -> HttpResponseBase | None:
    """Ask whether this caller may have this view."""
    try:
        return gate.admit(request, view, is_async=is_async)
    except APIException as refusal:
        return gate.answer_to(refusal)
    except DatabaseFailure:
        return _unavailable()


def _check_csrf(request: HttpRequest) -> HttpResponseBase | None:
    """Ask for the CSRF token that a request was spared when it came with a header."""
    authentication.demand_csrf(request)
    match = request.resolver_match
    if match is None:
        return None
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())
    return middleware.process_view(request, match.func, match.args, match.kwargs)


def _remember_cookie(request: HttpRequest) -> None:
    try:
        answer = authentication.cookie_once(request)
    except AuthkitError:
        authentication.forget_cookie(request)
        raise
    if answer is not None:
        current.remember(request, answer[1])


def _user_of_cookie(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    try:
        answer = authentication.cookie_once(request)
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


def _rescue(written: list[audit.Written]) -> None:
    """Keep the events of what was rolled back; the answer stands whatever becomes of them."""
    try:
        audit.rescue(written)
    except DatabaseFailure:
        _logger.exception("An audit event of a rolled-back transaction could not be written.")


def _refuse(request: HttpRequest, refusal: AuthkitError) -> HttpResponseBase:
    authentication.tell_refused(request, refusal)
    is_cookie = "HTTP_AUTHORIZATION" not in request.META
    if is_cookie and _is_navigation(request):
        # The cookie is dropped with this answer: the browser asks again as a stranger.
        here = escape_leading_slashes(request.get_full_path())
        response: HttpResponse = HttpResponseRedirect(here)
        response["Cache-Control"] = "no-store"
        return response
    return _unauthorized(refusal)


def _is_navigation(request: HttpRequest) -> bool:
    """Whether a person follows a link, rather than a program making a call."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")


def _unauthorized(refusal: AuthkitError) -> HttpResponse:
    body = {"code": refusal.code, "detail": _(refusal.public_message)}
    response = JsonResponse(body, status=401)
    response["WWW-Authenticate"] = authentication.challenge_for(refusal)
    response["Cache-Control"] = "no-store"
    return response


def _forbidden(refusal: ScopeInsufficient) -> HttpResponse:
    body = {"code": refusal.code, "detail": _(refusal.public_message)}
    response = JsonResponse(body, status=403)
    response["WWW-Authenticate"] = authentication.OutOfScope.auth_header
    response["Cache-Control"] = "no-store"
    return response


def _unavailable() -> HttpResponse:
    body = {"code": StoreUnavailable.code, "detail": _(StoreUnavailable.public_message)}
    response = JsonResponse(body, status=503)
    response["Cache-Control"] = "no-store"
    return response
