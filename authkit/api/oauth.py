"""Token introspection (RFC 7662) and revocation (RFC 7009)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from authkit import inspection
from authkit.accounts.client import client_of
from authkit.api import serializers
from authkit.api.base import OpenView, View
from authkit.api.parsers import SmallFormParser, StrictJSONParser


class IntrospectView(View):
    """``introspect/``: for the token's owner, and for whom the project trusts with it."""

    parser_classes = (SmallFormParser, StrictJSONParser)

    def post(self, request: Request) -> Response:
        """What a token is worth; the same ``{"active": false}`` for all that are not shown."""
        token = inspection.look_into(_token_in(request), now=timezone.now())
        if token is None or not _may_see(request.user, token):
            return Response({"active": False})
        return Response(token.as_answer())


class RevokeView(OpenView):
    """``revoke/``: whoever holds a token may end it."""

    parser_classes = (SmallFormParser, StrictJSONParser)

    def post(self, request: Request) -> Response:
        """End a token, and the sign-in from which it hangs. 200 for unknown ones too."""
        http = request._request
        text, client = _token_in(request), client_of(http)
        inspection.revoke(text, now=timezone.now(), client=client, request=http)
        return Response({})


@sensitive_variables("given", "token")
def _token_in(request: Request) -> str:
    given = serializers.AnyToken(data=request.data)
    given.is_valid(raise_exception=True)
    token: str = given.validated_data["token"]
    return token


def _may_see(caller: Any, token: inspection.LiveToken) -> bool:
    return token.user_id == str(caller.pk) or caller.has_perm("authkit.introspect_token")
