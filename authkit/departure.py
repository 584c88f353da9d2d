"""Django's session on the way out: saved, or answered for."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from authkit import cookies, refusals, saving, sessions
from authkit.accounts.client import client_of
from authkit.exceptions import StoreUnavailable

_logger = logging.getLogger("authkit")


def asks(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether Django is about to write a session into the database with this answer."""
    store = getattr(request, "session", None)
    if not (getattr(store, "modified", False) or settings.SESSION_SAVE_EVERY_REQUEST):
        return False
    is_kept = saving.is_in_database(store) and response.status_code < 500
    return is_kept and not request.session.is_empty()


def settle(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Save the session, and hold the answer back if the database does not take it.

    To an answer of 5xx Django's middleware adds no cookie, and does not save once more.
    """
    try:
        with suppress(SessionInterrupted):  # Django finds out as well, and answers
            saving.save(request.session)
    except StoreUnavailable as refusal:
        _end_unheld(request)
        answer = refusals.later(request, refusal)
        _close_with(answer, response)
        return answer
    return response


def _close_with(answer: Any, held_back: Any) -> None:
    """Close what is not sent with what is: by itself it would say that the request ended."""
    answer._resource_closers.extend(held_back._resource_closers)


def _end_unheld(request: HttpRequest) -> None:
    """End a sign-in whose cookie now never goes out: it is on nobody's device."""
    store = request.session
    if store.session_key in request.COOKIES.values():
        return
    try:
        session_id = cookies.session_id_of(store)
        if session_id is not None:
            sessions.end(
                [session_id],
                reason="cookie_not_sent",
                now=timezone.now(),
                client=client_of(request),
                request=request,
            )
    except DatabaseFailure:
        _logger.exception("A sign-in that nobody holds the cookie of could not be ended.")
