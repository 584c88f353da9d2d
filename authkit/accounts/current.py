"""The request that is being answered, for what cannot be handed it."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest

from authkit.kernel.grant import Grant

_IS_WITHOUT_COOKIE = "authkit_is_without_cookie"

_request: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar(
    "authkit_request", default=None
)


class answering:  # noqa: N801 - read as `with current.answering(request)`
    """Around the answering of a request."""

    __slots__ = ("_asked", "_token")

    def __init__(self, request: HttpRequest) -> None:
        """Keep the request."""
        self._asked = request

    def __enter__(self) -> None:
        """From now on it is `request()`."""
        self._token = _request.set(self._asked)

    def __exit__(self, *_: object) -> None:
        """And no longer, whatever happened."""
        _request.reset(self._token)


def request() -> HttpRequest | None:
    """The request that is being answered, or None outside of one."""
    return _request.get()


def remember(request: Any, grant: Grant) -> None:
    """Note on Django's own request what its credential was worth."""
    getattr(request, "_request", request).authkit_grant = grant


def forget(request: Any) -> None:
    """Note that whoever asks next has to find out for themselves."""
    request.__dict__.pop("authkit_grant", None)


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
