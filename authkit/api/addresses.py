"""Confirm and change one's e-mail address."""

from __future__ import annotations

from django.core.exceptions import ValidationError as InvalidInput
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.accounts import addresses
from authkit.accounts.recent import require_proof
from authkit.api import serializers
from authkit.api.account import AccountView
from authkit.api.base import OpenView, caller_of, grant_of, no_content


class VerifyView(OpenView):
    """``email/verify/``."""

    @sensitive_variables("given")
    def post(self, request: Request) -> Response:
        """Confirm an address, or take a new one, by the key that was mailed to it."""
        given = serializers.MailedKey(data=request.data)
        given.is_valid(raise_exception=True)
        addresses.verify(given.validated_data["key"], request._request)
        return no_content()


class ResendView(OpenView):
    """``email/verify/resend/``."""

    def post(self, request: Request) -> Response:
        """Mail the link once more, if there is anybody to mail it to."""
        given = serializers.Address(data=request.data)
        given.is_valid(raise_exception=True)
        addresses.resend(given.validated_data["email"], request._request)
        return no_content()


class ChangeView(AccountView):
    """``email/change/``."""

    @sensitive_variables("given", "fields")
    def post(self, request: Request) -> Response:
        """Mail a link to the new address, and tell the old one."""
        given = serializers.NewAddress(data=request.data)
        given.is_valid(raise_exception=True)
        fields, http = given.validated_data, request._request
        user, grant = caller_of(request), grant_of(request)
        require_proof(user, grant, fields["password"], http)
        try:
            addresses.ask_to_change(user, fields["email"], http)
        except InvalidInput:
            raise ValidationError({"email": [_("Enter a valid e-mail address.")]}) from None
        return no_content()
