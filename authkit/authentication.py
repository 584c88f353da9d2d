"""Django REST framework's authentication classes: header or cookie in, (user, Grant) out.

They work alone, in any order and mixed with others. Each gives one of three answers:
None (not mine), an exception (mine and refused), or the user with what they hold. The
last class that could have taken a credential refuses it, so one that nobody accepts
never turns into a stranger.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import authentication, status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework_simplejwt import authentication as simplejwt

from authkit import credentials, signals
from authkit.accounts import current
from authkit.exceptions import AuthkitError, StoreUnavailable, TokenNotValid, UserInactive
from authkit.kernel.grant import Grant

Answer = tuple[AbstractBaseUser, Grant]

_REALM = 'realm="api"'
_REFUSED = "_authkit_refused"
_OUTCOME = "_authkit_outcome"


class Refused(AuthenticationFailed):
    """401 with ``{"code": …, "detail": …}``, whatever exception handler a project has."""

    def __init__(self, refusal: AuthkitError) -> None:
        """Say publicly what `refusal` says publicly."""
        message = _(refusal.public_message)
        super().__init__({"code": refusal.code, "detail": message}, refusal.code)


class Unavailable(APIException):
    """503: who it is cannot be found out, so nobody gets in."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        """Say no more than that."""
        message = _(StoreUnavailable.public_message)
        super().__init__({"code": StoreUnavailable.code, "detail": message}, StoreUnavailable.code)


class _Refusing:
    """What the three classes share: how a credential is passed on or refused."""

    takes: ClassVar[str] = ""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 (RFC 6750 §3), with its error where one was presented."""
        if not hasattr(request._request, _REFUSED):
            return f"Bearer {_REALM}"
        refusal: AuthkitError = getattr(request._request, _REFUSED)
        description = refusal.public_message
        return f'Bearer {_REALM}, error="invalid_token", error_description="{description}"'

    def _refuse(self, request: Request, refusal: AuthkitError) -> NoReturn:
        http = _http(request)
        setattr(http, _REFUSED, refusal)
        signals.refused.send_robust(sender=type(refusal), code=refusal.code, request=http)
        raise Refused(refusal) from refusal

    def _pass_on(self, request: Request, presented: credentials.Presented) -> None:
        """Leave a credential to a class further down the list, or refuse it if there is none."""
        others = list(getattr(request, "authenticators", ()) or ())
        later = others[others.index(self) + 1 :] if self in others else []
        if not any(_may_take(other, request, presented) for other in later):
            self._refuse(request, TokenNotValid("no listed class accepts it"))


class _HeaderAuthentication(_Refusing):
    """Reads the Authorization header."""

    def authenticate(self, request: Request) -> Answer | None:
        """The person and the Grant, if the header holds a credential of this kind."""
        http = _http(request)
        presented = credentials.presented_in(http)
        if presented is None:
            return None
        if presented.kind != self.takes:
            self._pass_on(request, presented)
            return None
        try:
            answer = resolve_once(http, presented)
        except AuthkitError as refusal:
            self._refuse(request, refusal)
        except DatabaseFailure as failure:
            raise Unavailable from failure
        current.remember(http, answer[1])
        return answer


class TokenAuthentication(_HeaderAuthentication, authentication.BaseAuthentication):
    """Opaque tokens after ``Bearer``, and after ``Token`` for clients of DRF's own class."""

    takes = "token"


class JWTAuthentication(_HeaderAuthentication, simplejwt.JWTAuthentication):  # type: ignore[misc]  # its answer is a Grant
    """JWT access tokens after ``Bearer``. A simplejwt class that leaves nothing open."""

    takes = "jwt"


class SessionAuthentication(_Refusing, authentication.SessionAuthentication):
    """Django's session cookie. A write needs a CSRF token with it.

    Where a request presents a bearer credential as well, the header decides: the cookie
    is not looked at.
    """

    takes = "session"

    def authenticate(self, request: Request) -> Answer | None:
        """The person and the Grant behind the cookie, if there is one and no bearer credential."""
        http = _http(request)
        presented = credentials.presented_in(http)
        if presented is None or not presented.is_ours:
            answer = self._by_cookie(request, http)
            if answer is not None:
                return answer
        if presented is not None:
            self._pass_on(request, presented)
        return None

    def authenticate_header(self, request: Request) -> str:
        """That of a bearer class in the list, if there is one: a browser has none for cookies."""
        if any(isinstance(other, _HeaderAuthentication) for other in request.authenticators or ()):
            return super().authenticate_header(request)
        return f"Session {_REALM}" + (
            ', error="invalid_token"' if hasattr(request._request, _REFUSED) else ""
        )

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a request that a browser may have been tricked into sending.

        Raises:
            PermissionDenied: 403, code ``csrf_failed``.
        """
        try:
            super().enforce_csrf(request)
        except PermissionDenied as denied:
            detail = {"code": "csrf_failed", "detail": str(denied.detail)}
            raise PermissionDenied(detail, "csrf_failed") from denied

    def _by_cookie(self, request: Request, http: HttpRequest) -> Answer | None:
        try:
            answer = cookie_once(http)
        except AuthkitError as refusal:
            forget_cookie(http)
            self._refuse(request, refusal)
        except DatabaseFailure as failure:
            raise Unavailable from failure
        if answer is None:
            return None
        self.enforce_csrf(request)
        current.remember(http, answer[1])
        return answer


def resolve_once(http: HttpRequest, presented: credentials.Presented) -> Answer:
    """What a bearer credential is worth; asked once in a request, whoever asks."""
    found = getattr(http, _OUTCOME, None)
    if found is None:
        found = _outcome(lambda: credentials.resolve(presented, refuse=_refuse_late))
        setattr(http, _OUTCOME, found)
    if isinstance(found, Exception):
        raise found
    return found  # type: ignore[no-any-return]


def cookie_once(http: HttpRequest) -> Answer | None:
    """What the session cookie is worth; asked once for each session key of a request."""
    key = getattr(getattr(http, "session", None), "session_key", None)
    found = getattr(http, "_authkit_cookie", None)
    if found is None or found[0] != key:
        found = (key, _outcome(lambda: credentials.resolve_cookie(http)))
        http._authkit_cookie = found  # type: ignore[attr-defined]
    if isinstance(found[1], Exception):
        raise found[1]
    return found[1]  # type: ignore[no-any-return]


def forget_cookie(http: HttpRequest) -> None:
    """Drop a session that has ended, so that the browser forgets its cookie."""
    try:
        http.session.flush()
    except DatabaseFailure as failure:
        raise Unavailable from failure


def _outcome(find: Any) -> Any:
    try:
        return find()
    except AuthkitError as refusal:
        return refusal


def _refuse_late() -> NoReturn:
    """A JWT's user turned out, when touched, to be deactivated or gone."""
    raise Refused(UserInactive())


def _may_take(other: object, request: Request, presented: credentials.Presented) -> bool:
    if isinstance(other, _Refusing):
        return other.takes in {presented.kind, "session"}
    challenge = getattr(other, "authenticate_header", lambda _: None)(request) or ""
    return str(challenge).partition(" ")[0].lower() == presented.scheme


def _http(request: Any) -> HttpRequest:
    http: HttpRequest = getattr(request, "_request", request)
    return http
