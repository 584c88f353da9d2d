"""The answer to a change that the guards refuse, wherever it was asked for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from authkit.access.refusals import GuardRefusal

TEMPLATE = "authkit/refused.html"


def answer(request: HttpRequest, refusal: GuardRefusal) -> HttpResponse:
    """403: a page for people, in the look of the admin site where it was asked there; or JSON."""
    site = _admin_site_of(request)
    if site is None and "text/html" not in request.headers.get("Accept", ""):
        body = {"code": refusal.code, "detail": refusal.text}
        response: HttpResponse = JsonResponse(body, status=403)
    else:
        context: dict[str, Any] = {} if site is None else site.each_context(request)
        context |= {"refusal": refusal.text, "code": refusal.code, "is_in_admin": site is not None}
        page = render_to_string(TEMPLATE, context, request)
        response = HttpResponse(page, status=403)
    response["Cache-Control"] = "no-store"
    return response


def _admin_site_of(request: HttpRequest) -> Any:
    """The admin site to which the view belongs, if it does."""
    view = getattr(request.resolver_match, "func", None)
    page = getattr(view, "model_admin", None)
    return getattr(view if page is None else page, "admin_site", None)
