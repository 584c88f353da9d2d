"""Sign in and out: session, token, JWT."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from authkit import authentication, resolved
from authkit.accounts import current, sign_in
from authkit.accounts.client import client_of
from authkit.accounts.leaving import leave
from authkit.api import serializers
from authkit.api.base import OpenView, View, caller_of, grant_of, no_content, signed_out
from authkit.exceptions import AuthkitError, TokenNotValid
from authkit.jwt import keys, rotation
from authkit.jwt.resolve import resolve_live
from authkit.models import UserSession


@sensitive_variables("given")
def _person(request: Request) -> Any:
    given = serializers.SignIn(data=request.data)
    given.is_valid(raise_exception=True)
    return sign_in.check_password(_http(request), **given.validated_data)


def _http(request: Request) -> HttpRequest:
    return request._request


def _person_of_cookie(http: HttpRequest) -> Any:
    answer = resolved.cookie(http)
    return None if answer is None else answer[0]


def _require_csrf_token(request: Request) -> None:
    """A sign-in by cookie could be forged as well: into an attacker's account."""
    authentication.SessionAuthentication().enforce_csrf(request)


def _signed_in(user: Any, session: UserSession, **carrier: object) -> Response:
    shown = {"id": session.pk, "kind": session.kind, "expires_at": session.expires_at}
    return Response({**carrier, "user": serializers.profile_of(user), "session": shown})


class SessionView(OpenView):
    """``session/``: a cookie for browsers."""

    is_door = True

    def get(self, request: Request) -> Response:
        """Who is signed in, or null; sets the CSRF cookie that a sign-in needs."""
        http = _http(request)
        get_token(http)
        try:
            found = resolved.cookie(http)
        except AuthkitError:
            resolved.forget_cookie(http)
            found = None
        if found is None:
            return Response({"user": None})
        user, grant = found
        current.remember(http, grant)
        shown = serializers.profile_of(user)
        return Response({"user": shown, "impersonator": serializers.impersonator_of(grant)})

    def post(self, request: Request) -> Response:
        """Sign in; the session key is new, whoever was signed in before."""
        http = _http(request)
        _require_csrf_token(request)
        user = _person(request)
        session = sign_in.with_cookie(http, user)
        return _signed_in(user, session)

    def delete(self, request: Request) -> Response:
        """Sign out, and ask the browser to forget."""
        http = _http(request)
        _require_csrf_token(request)
        with suppress(AuthkitError):
            http.user = _person_of_cookie(http) or AnonymousUser()
        logout(http)
        return signed_out()


class BearerView(OpenView):
    """A bearer credential: ``POST`` signs a stranger in, ``DELETE`` signs its holder out."""

    kind = ""

    def get_authenticators(self) -> list[Any]:
        """Judge the credential where it is to be ended; at the sign-in it may be stale."""
        return [kind() for kind in View.authentication_classes] if self._is_leaving else []

    def get_permissions(self) -> list[Any]:
        """Only who holds a credential can end it."""
        return [kind() for kind in View.permission_classes] if self._is_leaving else []

    def delete(self, request: Request) -> Response:
        """End the sign-in of the credential that is presented."""
        grant = grant_of(request)
        if grant.kind != self.kind:
            raise TokenNotValid("another kind of credential")
        leave(caller_of(request), grant, _http(request))
        return no_content()

    @property
    def _is_leaving(self) -> bool:
        return bool(self.request.method == "DELETE")


class TokenView(BearerView):
    """``token/``: an opaque token for programs and apps."""

    kind = "token"

    def post(self, request: Request) -> Response:
        """Sign in; the token is shown here and nowhere else."""
        user = _person(request)
        session, token = sign_in.with_token(_http(request), user)
        return _signed_in(user, session, token=token.text, expires_at=session.expires_at)


class JWTView(BearerView):
    """``jwt/``: a pair of JWTs."""

    kind = "jwt"

    def post(self, request: Request) -> Response:
        """Sign in; an access token for minutes and a refresh token for days."""
        user = _person(request)
        session, pair = sign_in.with_jwt(_http(request), user)
        return _signed_in(user, session, access=pair.access, refresh=pair.refresh)


class RefreshView(OpenView):
    """``jwt/refresh/``."""

    @sensitive_variables("given", "text", "pair")
    def post(self, request: Request) -> Response:
        """The next pair of tokens; the refresh token that is presented is used up."""
        given = serializers.Refresh(data=request.data)
        given.is_valid(raise_exception=True)
        http = _http(request)
        text = given.validated_data["refresh"]
        _, pair = rotation.refresh(text, client=client_of(http), request=http)
        return Response({"access": pair.access, "refresh": pair.refresh})


class VerifyView(OpenView):
    """``jwt/verify/``."""

    @sensitive_variables("given")
    def post(self, request: Request) -> Response:
        """Nothing, for a live access token."""
        given = serializers.AnyToken(data=request.data)
        given.is_valid(raise_exception=True)
        resolve_live(given.validated_data["token"], now=time.time())
        return Response({})


class KeysView(OpenView):
    """``.well-known/jwks.json`` (RFC 7517)."""

    def get(self, request: Request) -> Response:
        """The public keys with which others verify access tokens."""
        return Response(keys.jwks(keys.ring()))
