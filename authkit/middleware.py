"""The same credentials for every Django view, sync and async.

Views of Django REST framework judge the credential themselves, by the classes they list.
For every other view it is judged here, before the view is reached: a valid one sets
`request.user`; one that is presented and not valid is 401 and never a stranger.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.views import APIView

from authkit import admission, audit, changes, conf, credentials, departure, gate, refusals
from authkit.access import refusal_page
from authkit.access.refusals import GuardRefusal
from authkit.access.streams import send_within
from authkit.accounts import current
from authkit.accounts import refusals as told
from authkit.exceptions import (
    AuthkitError,
    CredentialRejected,
    StoreUnavailable,
    TooManyAttempts,
)
from authkit.impersonation import closing, marking

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
                response = admission.arrive(request) or self.get_response(request)
                response = gate.settle(request, response)
                if departure.asks(request, response):
                    response = departure.settle(request, response)
                _finish(request, response)
            send_within(response, lambda: _answering_on(request))
        except BaseException as stopped:
            gate.abandon(request, stopped)
            raise
        finally:  # also where the worker is told to stop
            _rescue(written)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        written: list[audit.Written] = []
        with audit.of_request(written), current.answering(request):
            response = await _aside(admission.arrive, request, asks=_asks_on_arrival(request))
            response = response or await self.get_response(request)
            response = gate.settle(request, response)
            if departure.asks(request, response):
                response = await sync_to_async(departure.settle)(request, response)
            if marking.asks(request):
                await sync_to_async(_finish)(request, response)
            else:
                _finish(request, response)
        send_within(response, lambda: current.answering(request))
        if written:
            await sync_to_async(_rescue)(written)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        """Let a request through to its view, or answer it here."""
        is_left = _judges_itself(view)
        answer = admission.leave_to(view, request) if is_left else admission.admit(request)
        return answer or _closed(request) or _decide(request, view, is_async=False)

    async def _process_view_async(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        if _judges_itself(view):
            answer = admission.leave_to(view, request)
        else:
            answer = await _aside(admission.admit, request, asks=_asks_for_cookie(request))
        if answer is None and closing.asks(request):
            answer = await sync_to_async(_closed)(request)
        return answer or await sync_to_async(_decide)(request, view, is_async=True)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer for a JWT whose user, when a view touched it, was found to be gone.

        And for a door where, without the database, nobody gets in or out; and for a change
        of access that the guards refuse.
        """
        answer = gate.failed(request, exception)
        if answer is not None:
            return answer
        if isinstance(exception, GuardRefusal):
            return refusal_page.answer(request, exception)
        if isinstance(exception, refusals.Refused):
            exception = cast(AuthkitError, exception.__cause__)
        if isinstance(exception, CredentialRejected):
            refusals.tell_refused(request, exception)
            return refusals.unauthorized(exception)
        if isinstance(exception, StoreUnavailable | TooManyAttempts):
            return refusals.later(request, exception)
        if isinstance(exception, DatabaseFailure) and admission.is_at_door(request):
            return refusals.unavailable()
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


def _decide(
    request: HttpRequest, view: Callable[..., Any], *, is_async: bool
) -> HttpResponseBase | None:
    """Ask whether this caller may have this view: the one gate, whatever kind of view it is."""
    try:
        return gate.admit(request, view, is_async=is_async)
    except APIException as refusal:
        return gate.answer_to(refusal)
    except DatabaseFailure:
        return refusals.unavailable()


def _closed(request: HttpRequest) -> HttpResponseBase | None:
    """The refusal of what an administrator may not do in somebody else's name."""
    try:
        return closing.answer(request)
    except DatabaseFailure:
        return refusals.unavailable()


def _finish(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say with the answer what clients and caches have to know."""
    if told.is_one_too_many(request) and admission.is_at_door(request):
        told.mark(request, response)
    try:
        marking.mark(request, response)
    except DatabaseFailure:  # nobody is signed in with a cookie that cannot be looked up
        _logger.exception("It could not be told whether a page is for an administrator.")
    _vary(request, response)


@contextmanager
def _answering_on(request: HttpRequest) -> Iterator[None]:
    """Around a part of an answer that is made while it is sent."""
    written: list[audit.Written] = []
    try:
        with audit.of_request(written), current.answering(request):
            yield
    finally:
        _rescue(written)


def _vary(request: HttpRequest, response: HttpResponseBase) -> None:
    """Tell caches that the answer is for who asked (RFC 9110 §12.5.5)."""
    if "HTTP_AUTHORIZATION" in request.META:
        response.headers["Vary"] = _with_authorization(response.headers.get("Vary", ""))


@lru_cache(maxsize=64)
def _with_authorization(vary: str) -> str:
    """Django's `patch_vary_headers`; the header is the same on most answers of a project."""
    names = [name.strip() for name in vary.split(",") if name.strip()]
    if "*" in names:
        return "*"
    if any(name.lower() == "authorization" for name in names):
        return vary
    return ", ".join([*names, "Authorization"])


def _rescue(written: list[audit.Written]) -> None:
    """Keep the events of what was rolled back; the answer stands whatever becomes of them."""
    try:
        audit.rescue(written)
    except DatabaseFailure:
        _logger.exception("An audit event of a rolled-back transaction could not be written.")
