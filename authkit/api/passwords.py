"""Change and reset one's password, and give it once more."""

from __future__ import annotations

from django.core.exceptions import ValidationError as InvalidInput
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.accounts import recent, recovery
from authkit.api import serializers
from authkit.api.account import AccountView
from authkit.api.base import OpenView, caller_of, grant_of, no_content


class ChangeView(AccountView):
    """``password/change/``."""

    @sensitive_variables("given", "fields")
    def post(self, request: Request) -> Response:
        """Every other session ends; this one goes on."""
        given = serializers.PasswordChange(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        try:
            recovery.change(
                caller_of(request),
                grant_of(request),
                fields["old_password"],
                fields["new_password"],
                request._request,
            )
        except InvalidInput as error:
            raise ValidationError({"new_password": list(error)}) from None
        return no_content()


class ResetView(OpenView):
    """``password/reset/``."""

    def post(self, request: Request) -> Response:
        """204, always the same; who has an account with this address gets a mail."""
        given = serializers.Address(data=request.data)
        given.is_valid(raise_exception=True)
        recovery.ask_for_reset(given.validated_data["email"], request._request)
        return no_content()


class ConfirmView(OpenView):
    """``password/reset/confirm/``."""

    @sensitive_variables("given", "fields")
    def post(self, request: Request) -> Response:
        """Every session ends; the key works once, and signs nobody in."""
        given = serializers.PasswordReset(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        try:
            recovery.reset(fields["key"], fields["new_password"], request._request)
        except InvalidInput as error:
            raise ValidationError({"new_password": list(error)}) from None
        return no_content()


class ReauthenticateView(AccountView):
    """``reauthenticate/``."""

    @sensitive_variables("given", "pair")
    def post(self, request: Request) -> Response:
        """Prove once more who one is. With a JWT, the answer holds a new pair."""
        given = serializers.OwnPassword(data=request.data)
        given.is_valid(raise_exception=True)
        pair = recent.reauthenticate(
            caller_of(request),
            grant_of(request),
            given.validated_data["password"],
            request._request,
        )
        if pair is None:
            return no_content()
        return Response({"access": pair.access, "refresh": pair.refresh})
