"""Make an account."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.accounts import registration
from authkit.api import serializers
from authkit.api.base import OpenView


class RegisterView(OpenView):
    """``register/``."""

    @sensitive_variables("given", "profile", "fields")
    def post(self, request: Request) -> Response:
        """201, whether or not the address is known; a mail tells its owner which it is."""
        given = serializers.Registration(data=request.data)
        given.is_valid(raise_exception=True)
        profile = serializers.profile_serializer()(data=request.data, partial=True)
        profile.is_valid(raise_exception=True)
        fields = {**given.validated_data, "profile": profile.validated_data}
        made = registration.register(request._request, **fields)
        body = {
            "username": made.username or made.address,
            "email": made.address,
            "detail": _("We have sent you a mail."),
        }
        return Response(body, status=status.HTTP_201_CREATED)
