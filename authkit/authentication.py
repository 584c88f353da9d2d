"""Django REST framework's authentication classes: header or cookie in, (user, Grant) out.

They work alone, in any order and mixed with others. Each gives one of three answers:
None (not mine), an exception (mine and refused), or the user with what they hold. The
last class that could have taken a credential refuses it, so one that nobody accepts
never turns into a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, NoReturn, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import authentication, status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework_simplejwt import authentication as simplejwt

from authkit import credentials, signals
from authkit.access import scopes
from authkit.accounts import current
from authkit.exceptions import (
    AuthkitError,
    CredentialRejected,
    ScopeInsufficient,
    StoreUnavailable,
    TokenNotValid,
    UserInactive,
)
from authkit.kernel.grant import Grant

Answer = tuple[AbstractBaseUser, Grant]

_REALM = 'realm="api"'
_BEARER = f"Bearer {_REALM}"
_TOLD = "_authkit_told"
_OUTCOME = "_authkit_outcome"
_SPARED = "_authkit_spared_csrf"


class Refused(AuthenticationFailed):
    """401 with ``{"code": …, "detail": …}``, whatever exception handler a project has.

    It brings its own challenge (RFC 6750 §3): Django REST framework would write that of
    the class listed first, and make it a 403 if that one has none.
    """

    def __init__(self, refusal: AuthkitError, challenge: str = _BEARER) -> None:
        """Say publicly what `refusal` says publicly."""
        message = _(refusal.public_message)
        super().__init__({"code": refusal.code, "detail": message}, refusal.code)
        self.__dict__["auth_header"] = challenge_for(refusal, challenge)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in {"auth_header", "status_code"}:
            super().__setattr__(name, value)


class OutOfScope(PermissionDenied):
    """403: the credential is valid and not meant for this (RFC 6750 §3.1)."""

    auth_header = f'{_BEARER}, error="{ScopeInsufficient.code}"'

    def __init__(self, refusal: ScopeInsufficient) -> None:
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
        """The challenge of a 401 where no credential was presented (RFC 6750 §3)."""
        return _BEARER

    def _refuse(self, request: Request, refusal: AuthkitError) -> NoReturn:
        tell_refused(_http(request), refusal)
        raise Refused(refusal, self.authenticate_header(request)) from refusal

    def _pass_on(self, request: Request, presented: credentials.Presented) -> Any:
        """Leave a credential to a class further down the list, or refuse it.

        Another of ours judges for itself. A foreign one might ignore the credential and
        make a stranger of its holder, so the last of ours asks it.
        """
        others = list(getattr(request, "authenticators", ()) or ())
        later = others[others.index(self) + 1 :] if self in others else []
        if any(_is_ours_for(other, presented) for other in later):
            return None
        takers = (other for other in later if _may_take(other, request, presented))
        answers = (other.authenticate(request) for other in takers)
        answer = next((found for found in answers if found is not None), None)
        if answer is None:
            self._refuse(request, TokenNotValid("no listed class accepts it"))
        return answer


class _HeaderAuthentication(_Refusing):
    """Reads the Authorization header."""

    def authenticate(self, request: Request) -> Answer | None:
        """The person and the Grant, if the header holds a credential of this kind."""
        http = _http(request)
        presented = credentials.presented_in(http)
        if presented is None:
            return None
        if presented.kind != self.takes:
            return cast(Answer | None, self._pass_on(request, presented))
        try:
            answer = resolve_once(http, presented)
            scopes.require_reach(answer[1], http)
        except ScopeInsufficient as refusal:
            raise OutOfScope(refusal) from refusal
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
            return cast(Answer | None, self._pass_on(request, presented))
        return None

    def authenticate_header(self, request: Request) -> str:
        """That of a bearer class in the list, if there is one: a browser has none for cookies."""
        others = getattr(request, "authenticators", ()) or ()
        if any(isinstance(other, _HeaderAuthentication) for other in others):
            return super().authenticate_header(request)
        return f"Session {_REALM}"

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a request that a browser may have been tricked into sending.

        Raises:
            PermissionDenied: 403, code ``csrf_failed``.
        """
        demand_csrf(_http(request))
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
        refuse = partial(_refuse_late, http)
        found = _outcome(lambda: credentials.resolve(presented, refuse=refuse))
        setattr(http, _OUTCOME, found)
    if isinstance(found, Exception):
        raise found
    return found  # type: ignore[no-any-return]


@sensitive_variables("key", "found")
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


def challenge_for(refusal: AuthkitError, challenge: str = _BEARER) -> str:
    """The challenge of a 401, with RFC 6750's error where a credential was presented."""
    if not isinstance(refusal, CredentialRejected):
        return challenge
    return f'{challenge}, error="invalid_token", error_description="{refusal.public_message}"'


def tell_refused(http: HttpRequest, refusal: AuthkitError) -> None:
    """Tell the project of a refused credential; once in a request, whoever refuses."""
    if not hasattr(http, _TOLD):
        setattr(http, _TOLD, True)
        signals.refused.send_robust(sender=type(refusal), code=refusal.code, request=http)


def is_for_nobody(
    http: HttpRequest, presented: credentials.Presented, classes: Sequence[type[Any]]
) -> bool:
    """Whether none of the classes that a view lists judges such a credential.

    A view that lists none at all is a door, at which a stale one does not matter.
    """
    if not classes or any(issubclass(kind, _Refusing) for kind in classes):
        return False
    return not any(_may_take(kind(), Request(http), presented) for kind in classes)


def spare_csrf(http: HttpRequest) -> None:
    """Ask for no CSRF token: no link or form of another site can add the header presented."""
    if not getattr(http, "_dont_enforce_csrf_checks", False):
        http._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        setattr(http, _SPARED, True)


def demand_csrf(http: HttpRequest) -> None:
    """Ask for it after all: here it is the cookie that counts."""
    if hasattr(http, _SPARED):
        http._dont_enforce_csrf_checks = False  # type: ignore[attr-defined]
        http.csrf_processing_done = False  # type: ignore[attr-defined]


def _outcome(find: Any) -> Any:
    try:
        return find()
    except AuthkitError as refusal:
        return refusal


def _refuse_late(http: HttpRequest) -> NoReturn:
    """A JWT's user turned out, when touched, to be deactivated or gone."""
    refusal = UserInactive()
    tell_refused(http, refusal)
    raise Refused(refusal) from refusal


def _is_ours_for(other: object, presented: credentials.Presented) -> bool:
    return isinstance(other, _Refusing) and other.takes in {presented.kind, "session"}


def _may_take(other: Any, request: Request, presented: credentials.Presented) -> bool:
    """Whether a foreign class is for this scheme, as far as its challenge tells."""
    if isinstance(other, _Refusing):
        return False
    scheme = str(other.authenticate_header(request) or "").partition(" ")[0].lower()
    return scheme == presented.scheme or not (scheme or presented.is_ours)


def _http(request: Any) -> HttpRequest:
    http: HttpRequest = getattr(request, "_request", request)
    return http
