"""What every view of the API shares: JSON in and out, one shape of errors, no-store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError as InvalidInput
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit.accounts import guessing
from authkit.api.parsers import StrictJSONParser
from authkit.authentication import (
    JWTAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from authkit.exceptions import (
    AuthkitError,
    CredentialRejected,
    KeyNotValid,
    NotPermitted,
    SignInRefused,
    StoreUnavailable,
    TooManyAttempts,
    WrongPassword,
)
from authkit.kernel.grant import Grant
from authkit.refusals import Refused, TooMany, Unavailable, tell_refused


class AlwaysJSON(BaseContentNegotiation):
    """Answer JSON whatever the client says that it accepts: there is nothing else."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser of the body's media type, or None, which is 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """The only one."""
        return renderers[0], renderers[0].media_type


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class View(APIView):
    """A view of the API, for signed-in callers unless it says otherwise.

    It never runs in a transaction of the request: what a refusal has to leave behind (an
    ended session, an audit event) must not be rolled back by it.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        JWTAuthentication,
        TokenAuthentication,
        SessionAuthentication,
    )
    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    throttle_classes = ()
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJSON
    metadata_class = None
    versioning_class = None
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal as ``{"code": …, "detail": …}``, and never a 500 for a database."""
        if isinstance(exc, CredentialRejected):
            tell_refused(self.request._request, exc)
        exc = self._answer_to_guess(exc)
        answered = _as_api_exception(exc)
        response = super().handle_exception(answered)
        response.data = _with_code(exc, response.data)
        if isinstance(answered, TooMany):  # whatever exception handler a project has
            response.headers["Retry-After"] = str(answered.wait)
        return response

    def _answer_to_guess(self, exc: Exception) -> Exception:
        """Tell whoever makes up tokens to slow down, in the place of the refusal."""
        if isinstance(exc, CredentialRejected):  # in the body; one in a header was counted
            return guessing.answer_to(self.request._request, exc)
        return exc

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Keep every answer out of caches (RFC 6749 §5.1, RFC 9111 §5.2.2.5)."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        patch_vary_headers(final, ("Authorization", "Cookie"))
        return final


class OpenView(View):
    """A view for strangers, who may well send a stale credential along."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


def caller_of(request: Request) -> AbstractBaseUser:
    """Who makes a request that only a signed-in person can make."""
    return cast(AbstractBaseUser, request.user)


def grant_of(request: Request) -> Grant:
    """What the caller's credential is worth."""
    return cast(Grant, request.auth)


class InsufficientScope(PermissionDenied):
    """403 for a credential that does not reach this far (RFC 6750 §3.1)."""

    default_code = "insufficient_scope"
    auth_header = 'Bearer realm="api", error="insufficient_scope"'


class Forbidden(PermissionDenied):
    """403 for a refusal of ours."""

    def __init__(self, refusal: AuthkitError) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(_(refusal.public_message), refusal.code)


class NotAccepted(APIException):
    """400: what was given is well formed, and not right."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, refusal: AuthkitError) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(_(refusal.public_message), refusal.code)


class ComeBackLater(APIException):
    """503: there is more to do at once than is good for anybody."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = 5  # seconds, in Retry-After

    def __init__(self, refusal: AuthkitError) -> None:
        """Say publicly what `refusal` says publicly."""
        super().__init__(_(refusal.public_message), refusal.code)


def _as_api_exception(exc: Exception) -> Exception:
    if isinstance(exc, InvalidInput):
        return ValidationError(_as_fields(exc))
    if isinstance(exc, KeyNotValid | WrongPassword):
        return NotAccepted(exc)
    if isinstance(exc, StoreUnavailable):
        return ComeBackLater(exc)
    if isinstance(exc, TooManyAttempts):
        return TooMany(exc)
    if isinstance(exc, SignInRefused | CredentialRejected):
        return Refused(exc)
    if isinstance(exc, NotPermitted):
        return Forbidden(exc)
    if isinstance(exc, DatabaseFailure):
        return Unavailable()
    return exc


def _as_fields(error: InvalidInput) -> dict[str, list[str]]:
    """Django's errors of a form, as Django REST framework writes them."""
    if hasattr(error, "error_dict"):
        return {name: list(map(str, found)) for name, found in error.message_dict.items()}
    return {"detail": error.messages}


def _with_code(exc: Exception, data: Any) -> dict[str, Any]:
    body = data if isinstance(data, dict) else {"detail": data}
    if "code" in body and isinstance(body["code"], str):
        return body
    if isinstance(exc, ValidationError | InvalidInput):
        return {"code": "invalid", **body}
    detail = getattr(exc, "detail", None)
    code = getattr(detail, "code", None) or getattr(exc, "default_code", "error")
    if isinstance(exc, AuthkitError):
        code = exc.code
    return {"code": str(code), **body}


def no_content(status_code: int = status.HTTP_204_NO_CONTENT) -> Response:
    """Done, and nothing to say."""
    return Response(status=status_code)


def signed_out(grant: Grant | None = None) -> Response:
    """The caller has signed out. A browser is asked to forget (W3C Clear-Site-Data)."""
    response = no_content()
    if grant is None or grant.kind == "session":
        response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response
