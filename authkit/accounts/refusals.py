"""A failed sign-in, by whatever door: recorded, and told to the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from authkit import audit, signals
from authkit.accounts.client import client_of
from authkit.accounts.identify import name_in
from authkit.exceptions import SignInRefused


def on_django_login_failed(
    sender: object,
    credentials: Mapping[str, Any],
    request: HttpRequest | None = None,
    **_: object,
) -> None:
    """Record what `django.contrib.auth.authenticate` has just refused."""
    name = name_in(credentials.get("username"), credentials) or credentials.get(
        get_user_model().USERNAME_FIELD, ""
    )
    audit.record("login.failed", actor_name=str(name), client=client_of(request))
    signals.refused.send_robust(sender=SignInRefused, code=SignInRefused.code, request=request)
