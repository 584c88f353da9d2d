"""Where an administrator goes back to their own account."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseForbidden, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.generic import View

from authkit.accounts import impersonating, links
from authkit.exceptions import CannotImpersonate, SessionEnded, UserInactive


@method_decorator(transaction.non_atomic_requests, name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class WayBackPage(View):
    """``impersonation/``: a button, and what it does.

    It takes a form that is sent from a page, and no call of a script: what a page of the
    person's holds runs here in the administrator's browser, and must not go back with it.
    """

    leads_back: ClassVar[bool] = True
    http_method_names = ("get", "post", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Offer the button."""
        is_there = impersonating.is_waiting(request)
        context = {"is_there": is_there, "home": links.home()}
        return render(request, "authkit/impersonation/way_back.html", context)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Go back."""
        if _is_script(request):
            return HttpResponseForbidden(_("Only a form that is sent from a page does this."))
        try:
            back = impersonating.finish(request)
        except CannotImpersonate:
            back = ""
        except (SessionEnded, UserInactive):
            request.session.flush()
            return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))
        is_ours = url_has_allowed_host_and_scheme(back, None)
        return HttpResponseRedirect(back if is_ours else links.home())


def _is_script(request: HttpRequest) -> bool:
    """Whether something else than a form in a window asks (W3C Fetch Metadata)."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    target = request.headers.get("Sec-Fetch-Dest", "document")
    return mode != "navigate" or target != "document"
