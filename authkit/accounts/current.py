"""The request that is being answered, for what cannot be handed it."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest

from authkit import audit
from authkit.access import acting
from authkit.accounts.client import client_of
from authkit.kernel.grant import Grant

_IS_WITHOUT_COOKIE = "authkit_is_without_cookie"

_request: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar(
    "authkit_request", default=None
)


class answering:  # noqa: N801 - read as `with current.answering(request)`
    """Around the answering of a request."""

    __slots__ = ("_actors", "_asked", "_by", "_remembered", "_token")

    def __init__(self, request: Any) -> None:
        """Keep Django's request; at first nobody has found out yet who makes it.

        Around a part of a streamed answer it is known already, and stays so.
        """
        self._asked = request
        request.__dict__.setdefault("auth", None)

    def __enter__(self) -> None:
        """From now on it is `request()`, and whoever makes it is acting."""
        self._remembered: dict[Any, dict[Any, Any]] = {}
        self._token = _request.set(self._asked)
        self._actors = acting.begin(self.actor)
        self._by = audit.by_impersonator(self.impersonator)
        self._by.__enter__()

    def __exit__(self, *_: object) -> None:
        """And no longer, whatever happened."""
        self._by.__exit__()
        acting.end(self._actors)
        _request.reset(self._token)

    def actor(self) -> acting.Actor | None:
        """Whose deed it is what the request changes."""
        return _actor_of(self._asked, self._remembered)

    def impersonator(self) -> tuple[Any, str] | None:
        """Primary key and name of the administrator who makes it in somebody else's name."""
        grant = grant_of(self._asked)
        if grant is None or grant.impersonator_id is None:
            return None
        key = get_user_model()._meta.pk.to_python(grant.impersonator_id)
        return key, grant.impersonator_name


def request() -> HttpRequest | None:
    """The request that is being answered, or None outside of one."""
    return _request.get()


def remember(request: Any, grant: Grant) -> None:
    """Note on Django's own request what its credential was worth, for every view to read."""
    http = getattr(request, "_request", request)
    http.authkit_grant = http.auth = grant


def forget(request: Any) -> None:
    """Note that whoever asks next has to find out for themselves."""
    request.__dict__.pop("authkit_grant", None)
    request.auth = None


def grant_of(request: object) -> Grant | None:
    """What the credential of a request was worth, if any has been resolved."""
    grant = getattr(getattr(request, "_request", request), "authkit_grant", None)
    return grant if isinstance(grant, Grant) else None


@contextmanager
def without_cookie(request: HttpRequest) -> Iterator[None]:
    """Around a sign-in or sign-out that leaves the session cookie of its request alone."""
    setattr(request, _IS_WITHOUT_COOKIE, True)
    try:
        yield
    finally:
        delattr(request, _IS_WITHOUT_COOKIE)


def is_without_cookie(request: object) -> bool:
    """Whether a sign-in or sign-out is about a bearer credential, and not about the cookie."""
    return hasattr(request, _IS_WITHOUT_COOKIE)


def _actor_of(request: HttpRequest, remembered: dict[Any, dict[Any, Any]]) -> acting.Actor | None:
    """Whose deed it is what a request changes.

    Nobody's where nobody has signed in, or where somebody comes with the key that was sent
    to them by mail: whoever else is signed in here has no part in that.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or _is_with_a_key(request):
        return None
    grant = grant_of(request)
    return acting.Actor(
        user,
        client_of(request),
        None if grant is None else grant.session_id,
        remembered.setdefault(user.pk, {}),
        is_impersonated=grant is not None and grant.is_impersonated,
    )


def _is_with_a_key(request: HttpRequest) -> bool:
    kind = getattr(getattr(request.resolver_match, "func", None), "view_class", None)
    return isinstance(kind, type) and issubclass(kind, PasswordResetConfirmView)
