"""The decision about every view, before the view is reached.

Plain Django views are decided about here. A view of Django REST framework that is sure to
ask `EndpointPermission` asks it itself, with what its own classes make of the credential.
Any other one is asked about here first, so no view is reached without a decision, whatever
permission classes it lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from authkit import inputs, refusals
from authkit.access import enforcement, row_locks
from authkit.access.enforcement import SAFE_METHODS, Question
from authkit.access.obligations import Obligation, reading, sending, writing
from authkit.access.streams import send_within
from authkit.accounts import current
from authkit.exceptions import ConditionNotApplied, NotPermitted, StoreUnavailable
from authkit.kernel.decision import Decision
from authkit.permissions import EndpointPermission, refused

_HELD = "_authkit_held"
#: What runs before the question, or asks it. Whatever else a class says may change its lists.
_ASKING = (
    *("__init__", "__getattribute__", "setup", "dispatch"),
    *("initial", "check_permissions", "get_permissions"),
)
_MADE_BY_DRF: tuple[Any, ...] = (APIView.as_view(), ViewSet.as_view({"get": "list"}))
#: What runs in a view before its `dispatch`, if nobody has wrapped it in something else.
_AS_VIEW_CODES = {view.__wrapped__.__code__ for view in _MADE_BY_DRF}
_PLAIN_CODES = _AS_VIEW_CODES | {view.__code__ for view in _MADE_BY_DRF}


def admit(
    request: HttpRequest, view: Callable[..., Any], *, is_async: bool = False
) -> HttpResponseBase | None:
    """Let a request through to its view, or answer it here.

    Raises:
        rest_framework.exceptions.APIException: a view's own class refuses the credential.
        django.db.Error: it cannot be found out who asks.
    """
    question = enforcement.question_of(request)
    if question is None or asks_itself(view):
        return None
    if question.access is None:
        return HttpResponseNotAllowed(sorted(question.route.methods))
    if question.is_public:
        return None
    user = _caller(request, view)
    grant = current.grant_of(request)
    if grant is not None and grant.user_id != str(getattr(user, "pk", None)):
        grant = None  # the view's own classes found somebody else
    decision = enforcement.decide(question, user, grant)
    if not decision.may_enter:
        return _refusal(request, question, decision)
    model = None if question.endpoint is None else question.endpoint.model
    is_safe = request.method in SAFE_METHODS
    around: list[AbstractContextManager[None]] = []
    if not is_safe:
        around.append(inputs.narrowed(user, grant, _class_of(view), model))
    if not decision.conditional:
        _take_on(request, None, around)
        return None
    if is_async and not is_safe:  # what an async view writes is in no transaction
        return answer_to(refused(ConditionNotApplied("async"), question.access, decision))
    obligation = Obligation(question.access, decision, user, model)
    around.append(reading(obligation) if is_safe else writing(obligation))
    _take_on(request, obligation, around)
    return None


def settle(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Hold an answer back if its view did not apply what was decided."""
    held: _Held | None = request.__dict__.pop(_HELD, None)
    if held is None:
        return response
    failure = held.failure
    if failure is None and response.status_code >= 500:
        failure = RuntimeError("the view failed")
    if failure is not None:  # as for any transaction around it
        held.around.__exit__(type(failure), failure, failure.__traceback__)
        return response
    obligation = held.obligation
    if obligation is None:
        held.around.close()
        return response
    obligation.is_met |= response.status_code >= 400
    try:
        held.around.close()
    except NotPermitted as refusal:
        settled = obligation.decision.settle(holds=False)
        return answer_to(refused(refusal, obligation.access, settled))
    except (StoreUnavailable, OperationalError) as error:
        return refusals.later(request, row_locks.refusal_of(error))
    send_within(response, lambda: sending(obligation))
    return response


def abandon(request: HttpRequest, stopped: BaseException) -> None:
    """Take back what was written: the worker is told to stop, and no answer goes out."""
    held: _Held | None = request.__dict__.pop(_HELD, None)
    if held is not None:
        held.around.__exit__(type(stopped), stopped, stopped.__traceback__)


def failed(request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
    """Remember that a view raised, so that what it wrote is taken back.

    Answers for a row out of reach that a request was about to write while it only reads, and
    for one that others were writing.
    """
    held: _Held | None = request.__dict__.get(_HELD)
    if held is None:
        return None
    held.failure = exception
    if held.obligation is None:
        return None
    if row_locks.are_contended(exception):
        return refusals.later(request, row_locks.refusal_of(exception))
    if not isinstance(exception, NotPermitted):
        return None
    settled = held.obligation.decision.settle(holds=False)
    return answer_to(refused(exception, held.obligation.access, settled))


@dataclass(slots=True)
class _Held:
    """What stands around a request from its decision to its answer."""

    obligation: Obligation | None
    around: ExitStack
    failure: Exception | None = None


def asks_itself(view: Callable[..., Any]) -> bool:
    """Whether a view is sure to ask `EndpointPermission` before anything of it is reached."""
    kind = getattr(view, "cls", None)
    if not isinstance(kind, type) or not issubclass(kind, APIView):
        return False
    codes = {getattr(layer, "__code__", None) for layer in _layers(view)}
    initkwargs = getattr(view, "initkwargs", {})
    listed = initkwargs.get("permission_classes", kind.permission_classes)
    if not isinstance(listed, list | tuple):  # a property, say: known only once it is asked
        return False
    return codes <= _PLAIN_CODES and _asks(cast(Any, kind), tuple(listed))


def _layers(view: Any) -> Iterator[Any]:
    """A view and what it wraps, down to what `as_view()` has made."""
    while view is not None:
        yield view
        if getattr(view, "__code__", None) in _AS_VIEW_CODES:
            return
        view = getattr(view, "__wrapped__", None)


@lru_cache(maxsize=4096)
def _asks(kind: Any, listed: tuple[Any, ...]) -> bool:
    lists_ours = any(
        isinstance(one, type)
        and issubclass(one, EndpointPermission)
        and one.has_permission is EndpointPermission.has_permission
        for one in listed
    )
    return lists_ours and all(getattr(kind, name) is getattr(APIView, name) for name in _ASKING)


def _caller(request: HttpRequest, view: Callable[..., Any]) -> Any:
    """Who asks: by the classes of a view of Django REST framework, else `request.user`."""
    kind = getattr(view, "cls", None)
    if not isinstance(kind, type) or not issubclass(kind, APIView):
        return request.user
    instance: Any = kind(**getattr(view, "initkwargs", {}))
    instance.request = request  # some choose their classes by it
    before = request.user
    try:
        return Request(request, authenticators=instance.get_authenticators()).user
    finally:
        request.user = before


def _take_on(
    request: HttpRequest,
    obligation: Obligation | None,
    around: list[AbstractContextManager[None]],
) -> None:
    stack = ExitStack()
    for each in around:
        stack.enter_context(each)
    if around:
        request.__dict__[_HELD] = _Held(obligation, stack)


def _class_of(view: Any) -> Any:
    """What a view's attributes are written on."""
    return getattr(view, "cls", None) or getattr(view, "view_class", view)


def _refusal(request: HttpRequest, question: Question, decision: Decision) -> HttpResponseBase:
    refusal = enforcement.refusal_of(decision)
    if decision.reason == "anonymous" and _is_navigation(request):
        try:
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        except NoReverseMatch:
            pass
    error = refused(refusal, question.access, decision)
    if error.status_code == status.HTTP_403_FORBIDDEN and _is_navigation(request):
        return _page_about(request, error)
    return answer_to(error)


def _page_about(request: HttpRequest, error: APIException) -> HttpResponseBase:
    """The refusal as a page, for a person who followed a link."""
    detail: Any = error.detail
    context = {"refusal": detail["detail"], "is_in_admin": False, "is_reading": True}
    try:
        page = render_to_string("authkit/refused.html", context, request)
    except TemplateDoesNotExist:  # a project without Django's templates
        return answer_to(error)
    response = HttpResponse(page, status=error.status_code)
    response["Cache-Control"] = "no-store"
    return response


def _is_navigation(request: HttpRequest) -> bool:
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")


def answer_to(error: APIException) -> HttpResponseBase:
    """Answer a refusal as Django REST framework would: ``{"code": …, "detail": …}``."""
    body: Any = error.detail
    if not isinstance(body, dict):
        body = {"code": str(error.get_codes()), "detail": body}
    response = JsonResponse(body, status=error.status_code)
    challenge = getattr(error, "auth_header", 'Bearer realm="api"')
    if error.status_code == 401 or hasattr(error, "auth_header"):
        response["WWW-Authenticate"] = challenge
    response["Cache-Control"] = "no-store"
    return response
