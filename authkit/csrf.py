"""When a request needs a CSRF token: whenever it is the cookie that counts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

_SPARED = "_authkit_spared_csrf"
_FORM = "application/x-www-form-urlencoded"
_UNCHECKED = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


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


def unreadable(http: HttpRequest) -> HttpResponseBase | None:
    """400 for a form in a charset that Django does not read, before its CSRF check meets it.

    There the refusal would be a page of errors, which asks for the token again: a 500.
    """
    is_odd = http.content_type == _FORM and (http.encoding or "utf-8").lower() != "utf-8"
    if not is_odd or http.method in _UNCHECKED or _is_exempt(http):
        return None
    told = {"code": "parse_error", "detail": _("A form has to be sent in UTF-8.")}
    return JsonResponse(told, status=400)


def _is_exempt(http: HttpRequest) -> bool:
    try:
        view = resolve(http.path_info, getattr(http, "urlconf", None)).func
    except Resolver404:
        return False
    return bool(getattr(view, "csrf_exempt", False))
