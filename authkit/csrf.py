"""When a request needs a CSRF token: whenever it is the cookie that counts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

_SPARED = "_authkit_spared_csrf"


def spare(http: HttpRequest) -> None:
    """Ask for no CSRF token: no link or form of another site can add the header presented."""
    if not getattr(http, "_dont_enforce_csrf_checks", False):
        http._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        setattr(http, _SPARED, True)


def demand(http: HttpRequest) -> None:
    """Ask for it after all."""
    if _SPARED in http.__dict__:
        http._dont_enforce_csrf_checks = False  # type: ignore[attr-defined]
        http.csrf_processing_done = False  # type: ignore[attr-defined]


def check(http: HttpRequest) -> HttpResponseBase | None:
    """Ask for the token that a request was spared when it came with a header."""
    demand(http)
    match = http.resolver_match
    if match is None:
        return None
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())
    return middleware.process_view(http, match.func, match.args, match.kwargs)
