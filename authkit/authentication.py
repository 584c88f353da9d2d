"""Django REST framework's authentication classes: header or cookie in, (user, Grant) out.

They work alone, in any order and mixed with others. Each gives one of three answers:
None (not mine), an exception (mine and refused), or the user with what they hold. The
last class that could have taken a credential refuses it, so one that nobody accepts
never turns into a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, cast

from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from rest_framework import authentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework_simplejwt import authentication as simplejwt

from authkit import credentials, csrf, resolved
from authkit.access import scopes
from authkit.accounts import current
from authkit.exceptions import (
    AuthkitError,
    ScopeInsufficient,
    TokenNotValid,
    TooManyAttempts,
)
from authkit.models.prepared import user_model
from authkit.refusals import BEARER, REALM, OutOfScope, Refused, TooMany, Unavailable, tell_refused
from authkit.resolved import Answer


class _Refusing:
    """What the three classes share: how a credential is passed on or refused."""

    takes: ClassVar[str] = ""

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 where no credential was presented (RFC 6750 §3)."""
        return BEARER

    def _refuse(self, request: Request, refusal: AuthkitError) -> NoReturn:
        tell_refused(_http(request), refusal)
        if isinstance(refusal, TooManyAttempts):
            raise TooMany(refusal) from refusal
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
        http: HttpRequest = getattr(request, "_request", request)
        presented = credentials.presented_in(http)
        if presented is None:
            return None
        if presented.kind != self.takes:
            return cast(Answer | None, self._pass_on(request, presented))
        try:
            answer = resolved.bearer(http, presented)
            grant = answer[1]
            if grant.scopes is not None or grant.session_id is None:
                scopes.require_reach(grant, http)
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

    def __init__(self, *_: Any, **__: Any) -> None:
        """Know the user model; Django makes an authenticator for each request."""
        self.user_model = user_model()


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
        return f"Session {REALM}"

    def enforce_csrf(self, request: Request) -> None:
        """Refuse a request that a browser may have been tricked into sending.

        Raises:
            PermissionDenied: 403, code ``csrf_failed``.
        """
        csrf.demand(_http(request))
        try:
            super().enforce_csrf(request)
        except PermissionDenied as denied:
            detail = {"code": "csrf_failed", "detail": str(denied.detail)}
            raise PermissionDenied(detail, "csrf_failed") from denied

    def _by_cookie(self, request: Request, http: HttpRequest) -> Answer | None:
        try:
            answer = resolved.cookie(http)
        except AuthkitError as refusal:
            resolved.forget_cookie(http)
            self._refuse(request, refusal)
        except DatabaseFailure as failure:
            raise Unavailable from failure
        if answer is None:
            return None
        self.enforce_csrf(request)
        current.remember(http, answer[1])
        return answer


def is_for_nobody(
    http: HttpRequest, presented: credentials.Presented, classes: Sequence[type[Any]]
) -> bool:
    """Whether none of the classes that a view lists judges such a credential.

    A view that lists none at all is a door, at which a stale one does not matter.
    """
    if not classes or any(issubclass(kind, _Refusing) for kind in classes):
        return False
    return not any(_may_take(kind(), Request(http), presented) for kind in classes)


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
