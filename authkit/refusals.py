"""A refusal as a client sees it: for Django REST framework's views, and for all others.

Both say the same: ``{"code": …, "detail": …}``, and with a 401 the challenge of RFC 6750 §3.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied

from authkit import signals
from authkit.exceptions import (
    AuthkitError,
    CredentialRejected,
    ScopeInsufficient,
    StoreUnavailable,
    TooManyAttempts,
)

REALM = 'realm="api"'
BEARER = f"Bearer {REALM}"
_WAIT = 5  # seconds, in Retry-After of what is busy
_TOLD = "_authkit_told"


class Refused(AuthenticationFailed):
    """401 with ``{"code": …, "detail": …}``, whatever exception handler a project has.

    It brings its own challenge (RFC 6750 §3): Django REST framework would write that of
    the class listed first, and make it a 403 if that one has none.
    """

    def __init__(self, refusal: AuthkitError, challenge: str = BEARER) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(body_of(refusal), refusal.code)
        self.__dict__["auth_header"] = challenge_for(refusal, challenge)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in {"auth_header", "status_code"}:
            super().__setattr__(name, value)


class OutOfScope(PermissionDenied):
    """403: the credential is valid and not meant for this (RFC 6750 §3.1)."""

    auth_header = f'{BEARER}, error="{ScopeInsufficient.code}"'

    def __init__(self, refusal: ScopeInsufficient) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(body_of(refusal), refusal.code)


class TooMany(APIException):
    """429, and how long to wait (RFC 6585 §4)."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, refusal: TooManyAttempts) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(body_of(refusal), refusal.code)
        self.wait = refusal.retry_after  # REST framework makes Retry-After of it


class Unavailable(APIException):
    """503: who it is cannot be found out, so nobody gets in."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        """Say no more than that."""
        super().__init__(body_of(StoreUnavailable()), StoreUnavailable.code)


def unauthorized(refusal: AuthkitError) -> HttpResponse:
    """401, as `Refused` is."""
    return _response(refusal, 401, challenge_for(refusal))


def forbidden(refusal: ScopeInsufficient) -> HttpResponse:
    """403, as `OutOfScope` is."""
    return _response(refusal, 403, OutOfScope.auth_header)


def unavailable() -> HttpResponse:
    """503, as `Unavailable` is."""
    return _response(StoreUnavailable(), 503)


def later(http: HttpRequest, refusal: StoreUnavailable | TooManyAttempts) -> HttpResponse:
    """503 or 429, and when to come back: a page for people, JSON for programs."""
    is_too_often = isinstance(refusal, TooManyAttempts)
    response = _response(refusal, 429 if is_too_often else 503)
    if "text/html" in http.headers.get("Accept", ""):
        context = {"refusal": _(refusal.public_message), "is_in_admin": False}
        page = render_to_string("authkit/refused.html", context)
        response = HttpResponse(page, status=response.status_code)
        response["Cache-Control"] = "no-store"
    wait = refusal.retry_after if isinstance(refusal, TooManyAttempts) else _WAIT
    response["Retry-After"] = str(wait)
    return response


def body_of(refusal: AuthkitError) -> dict[str, str]:
    """What a client is told."""
    return {"code": refusal.code, "detail": _(refusal.public_message)}


def challenge_for(refusal: AuthkitError, challenge: str = BEARER) -> str:
    """The challenge of a 401, with RFC 6750's error where a credential was presented."""
    if not isinstance(refusal, CredentialRejected):
        return challenge
    return f'{challenge}, error="invalid_token", error_description="{refusal.public_message}"'


def tell_refused(http: HttpRequest, refusal: AuthkitError) -> None:
    """Tell the project of a refused credential; once in a request, whoever refuses."""
    if not hasattr(http, _TOLD):
        setattr(http, _TOLD, True)
        signals.refused.send_robust(sender=type(refusal), code=refusal.code, request=http)


def _response(refusal: AuthkitError, status_code: int, challenge: str = "") -> HttpResponse:
    response = JsonResponse(body_of(refusal), status=status_code)
    if challenge:
        response["WWW-Authenticate"] = challenge
    response["Cache-Control"] = "no-store"
    return response
