"""Django REST framework's permission class: ask for the decision, and see it through.

It goes first in ``DEFAULT_PERMISSION_CLASSES``; others beside it can only narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction
from django.db import OperationalError
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authkit import inputs
from authkit.access import enforcement, objects, questions, row_locks, sightings
from authkit.access.enforcement import SAFE_METHODS, Question
from authkit.access.obligations import Obligation, met, owed, reading, sending, writing
from authkit.access.streams import send_within
from authkit.accounts import current
from authkit.exceptions import (
    AuthkitError,
    ConditionNotApplied,
    NotPermitted,
    ScopeInsufficient,
    SignInRequired,
    StoreUnavailable,
)
from authkit.kernel.decision import Decision
from authkit.kernel.grant import Grant
from authkit.kernel.patterns import Access

if TYPE_CHECKING:  # it imports the classes of the settings, this one among them
    from rest_framework.views import APIView


class EndpointPermission(BasePermission):
    """Whoever the rules let in, and for the objects for which they do.

    A conditional decision lets the request enter. The list is then filtered by
    `filters.AccessFilterBackend`, an object is checked by `check_object_permissions` (which
    `get_object` calls), and what a write leaves behind is checked before it is committed.
    A view that does none of it gets no answer out.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let the request in, or raise the refusal that it comes to."""
        http = _http(request)
        question = enforcement.question_of(http, request.method)
        if question is None:
            # No view of the URLconf, or one that is said to guard itself and asks us to.
            raise refused(NotPermitted("unknown_endpoint"), None)
        if question.access is None:
            raise MethodNotAllowed(str(request.method))
        decision = decision_about(request, question)
        if not decision.may_enter:
            raise refused(enforcement.refusal_of(decision), question.access, decision)
        if request.method == http.method:
            _see_through(request, view, question, decision)
        elif hasattr(view, "get_serializer"):  # for a form of the browsable API
            vars(view)["get_serializer"] = _for_form(request, view, _model_of(question))
        return True

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        """Let the request have this object; one that it may not even see is not found."""
        question = enforcement.question_of(_http(request), request.method)
        if question is None or question.access is None:
            return True
        decision = decision_about(request, question)
        if decision.allowed:
            return True
        if _holds_for(request, decision, obj):
            _note(request, question, obj)
            return True
        if not _is_seen(request, question, obj):
            raise Http404
        settled = decision.settle(holds=False)
        raise refused(enforcement.refusal_of(settled), question.access, settled)


def decision_about(request: Request, question: Question) -> Decision:
    """The decision about a request; worked out once for each caller and action."""
    http = _http(request)
    grant = grant_for(request)
    known: dict[Any, Decision] = http.__dict__.setdefault("_authkit_decisions", {})
    place = (question.access, request.user.pk, grant)
    if place not in known:
        known[place] = enforcement.decide(question, request.user, grant)
    return known[place]


def grant_for(request: Request) -> Grant | None:
    """The credential of the caller, if it is one of ours."""
    grant = current.grant_of(_http(request))
    return grant if grant is not None and grant.user_id == str(request.user.pk) else None


def refused(
    refusal: AuthkitError, access: Access | None, decision: Decision | None = None
) -> APIException:
    """A refusal as Django REST framework's exception, with ``{"code": …, "detail": …}``."""
    body: dict[str, str] = {"code": refusal.code, "detail": _(refusal.public_message)}
    if decision is not None:
        body["reason"] = decision.reason
    if access is not None and access.key:
        body["access"] = str(access)
    if isinstance(refusal, SignInRequired):
        return NotAuthenticated(body, refusal.code)
    if isinstance(refusal, StoreUnavailable):
        unavailable = APIException(body, refusal.code)
        unavailable.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return unavailable
    denied = PermissionDenied(body, refusal.code)
    if isinstance(refusal, ScopeInsufficient):  # RFC 6750 §3.1
        vars(denied)["auth_header"] = f'Bearer realm="api", error="{refusal.code}"'
    return denied


def reading_decision(request: Request, question: Question) -> Decision | None:
    """What the caller may see of this endpoint's objects; None if it shows none."""
    access = question.reading()
    if access is None:
        return None
    grant = grant_for(request)
    return questions.ask(request.user, *access, grant=grant, is_heard=True)


def _note(request: Request, question: Question, obj: Any) -> None:
    obligation = owed()
    if obligation is None or question.access is None:
        return
    if request.method in SAFE_METHODS:
        met(*question.access)
    else:
        obligation.watch(obj)


def _is_seen(request: Request, question: Question, obj: Any) -> bool:
    if request.method in SAFE_METHODS:
        return False
    decision = reading_decision(request, question)
    return decision is not None and _holds_for(request, decision, obj)


def _holds_for(request: Request, decision: Decision, obj: Any) -> bool:
    if decision.conditional and sightings.has_seen(obj, _http(request), decision.conditions):
        return True
    return objects.holds_for(decision, obj, request.user)


def _see_through(request: Request, view: APIView, question: Question, decision: Decision) -> None:
    """Put what the decision owes around the view's handler, and narrow its input."""
    is_safe = request.method in SAFE_METHODS
    name = str(request.method).lower()
    handler = getattr(view, name, None)
    if handler is None:
        return
    if not is_safe:
        handler = _reading_input(handler, request, view, _model_of(question))
        setattr(view, name, handler)
    if not decision.conditional or question.access is None:
        return
    if name == "options":  # tells of the view, and not of any object
        return
    obligation = Obligation(question.access, decision, request.user, _model_of(question))
    setattr(view, name, _owing(handler, obligation, is_safe=is_safe))


def _model_of(question: Question) -> type[Model] | None:
    return None if question.endpoint is None else question.endpoint.model


def _reading_input(
    handler: Callable[..., Any], request: Request, view: Any, model: type[Model] | None
) -> Callable[..., Any]:
    user, grant = request.user, grant_for(request)
    if iscoroutinefunction(handler):

        @wraps(handler)
        async def answer_later(*args: Any, **kwargs: Any) -> Any:
            with inputs.narrowed(user, grant, view, model):
                return await handler(*args, **kwargs)

        return answer_later

    @wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Any:
        with inputs.narrowed(user, grant, view, model):
            return handler(*args, **kwargs)

    return answer


def _owing(
    handler: Callable[..., Any], obligation: Obligation, *, is_safe: bool
) -> Callable[..., Any]:
    @wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Any:
        if iscoroutinefunction(handler):
            raise refused(ConditionNotApplied("async"), obligation.access)
        try:
            with reading(obligation) if is_safe else writing(obligation):
                response = handler(*args, **kwargs)
                obligation.is_met |= response.status_code >= status.HTTP_400_BAD_REQUEST
        except NotPermitted as refusal:
            raise refused(
                refusal, obligation.access, obligation.decision.settle(holds=False)
            ) from refusal
        except OperationalError as error:
            raise row_locks.refusal_of(error) from error
        send_within(response, lambda: sending(obligation))
        return response

    return answer


def _for_form(request: Request, view: Any, model: type[Model] | None) -> Callable[..., Any]:
    """What makes the serializer of a form, which offers only what the caller may see."""
    make = view.get_serializer

    @wraps(make)
    def get_serializer(*args: Any, **kwargs: Any) -> Any:
        with inputs.narrowed(request.user, grant_for(request), view, model):
            serializer = make(*args, **kwargs)
            inputs.open_up(serializer)
            return serializer

    return get_serializer


def _http(request: Any) -> HttpRequest:
    http: HttpRequest = getattr(request, "_request", request)
    return http
