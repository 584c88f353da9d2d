"""The dashboard's own page, and what stands at the head of authkit's section."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import all_sites
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from authkit.admin.dashboard.blocks import Block, Board
from authkit.admin.page import PageAdmin, page
from authkit.models import Assignment, AuditEvent, BearerToken, Endpoint, Throttle


def blocks_for(request: HttpRequest) -> list[Block]:
    """The blocks of the admin site that answers a request, for whoever makes it."""
    name = getattr(request, "current_app", "")
    site = next((site for site in all_sites if site.name == name), None)
    return [] if site is None else list(Board(site, request).blocks())


Dashboard: Any = page("Dashboard", _("dashboard"))
Dashboard.blocks_for = staticmethod(blocks_for)  # for the template tag, which knows no admin


@admin.register(Dashboard)
class DashboardAdmin(PageAdmin):
    """For whoever may see at least one of the things that it is about."""

    models = (AuditEvent, Throttle, BearerToken, Assignment, Endpoint)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether any block is shown."""
        board = Board(self.admin_site, request)
        return super().has_view_permission(request, obj) and any(map(board.may_see, self.models))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = self.context(request, blocks=list(Board(self.admin_site, request).blocks()))
        return TemplateResponse(request, "admin/authkit/dashboard/dashboard.html", context)
