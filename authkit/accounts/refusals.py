"""A failed sign-in, by whatever door: recorded, and told to the project."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import ngettext

from authkit import audit, signals
from authkit.accounts import attempts, current
from authkit.accounts.client import client_of
from authkit.accounts.identify import name_in
from authkit.exceptions import SignInRefused, TooManyAttempts


def on_django_login_failed(
    sender: object,
    credentials: Mapping[str, Any],
    request: HttpRequest | None = None,
    **_: object,
) -> None:
    """Record what `django.contrib.auth.authenticate` has just refused.

    Not each try of somebody who is locked out: that began with an event of its own.
    """
    too_many = attempts.refusal_of(request or current.request())
    if too_many is not None:
        tell_too_many(request, too_many)
        return
    name = name_in(credentials.get("username"), credentials) or credentials.get(
        get_user_model().USERNAME_FIELD, ""
    )
    audit.record("login.failed", actor_name=str(name), client=client_of(request))
    signals.refused.send_robust(sender=SignInRefused, code=SignInRefused.code, request=request)


def tell_too_many(request: HttpRequest | None, refusal: TooManyAttempts) -> None:
    """Tell the project of an attempt of one too many."""
    signals.refused.send_robust(sender=type(refusal), code=refusal.code, request=request)


def is_one_too_many(request: HttpRequest) -> bool:
    """Whether a request tried to sign in, and was refused because of a limit."""
    return attempts.refusal_of(request) is not None


def mark(request: HttpRequest, response: HttpResponseBase) -> None:
    """Make a 429 of the answer that shows a form again after one attempt too many."""
    refusal = attempts.refusal_of(request)
    if refusal is not None and response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(refusal.retry_after)


def text_of(refusal: TooManyAttempts) -> str:
    """What a person reads, rounded up to minutes."""
    minutes = -(-refusal.retry_after // 60)
    return ngettext(
        "Too many attempts. Please try again in %(minutes)d minute.",
        "Too many attempts. Please try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
