"""Endpoints: what the URLconf reaches, what code declares, and what is yet to be looked at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from authkit.admin.base import ReadOnlyAdmin, Text, is_person
from authkit.models import Endpoint


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Read only: code says what an endpoint is. An administrator says "looked at"."""

    list_display = ("key", "state", "lock", "model", "found_at", "reviewed_at")
    list_filter = ("state",)
    search_fields = ("key", "view", "model")
    ordering: ClassVar = ("key",)
    actions = ("mark_as_looked_at",)
    fieldsets = (
        (None, {"fields": ("key", "state", "view", "model")}),
        (_("Reached by"), {"fields": ("routes_by_line", "actions_by_line")}),
        (_("Declared in code"), {"fields": ("lock", "declared_by_line")}),
        (_("Times"), {"fields": ("found_at", "missing_since", "reviewed_at", "reviewed_by")}),
    )

    @admin.display(description=_("fixed by code"))
    def lock(self, endpoint: Endpoint) -> Text:
        """A lock where administrators cannot change what code says."""
        declared = endpoint.declared or {}
        if declared.get("public"):
            return "🔒 " + str(_("public"))
        return "🔒" if declared.get("locked") else ""

    @admin.display(description=_("routes"))
    def routes_by_line(self, endpoint: Endpoint) -> str:
        """Where it is."""
        return _lines(endpoint.routes)

    @admin.display(description=_("actions"))
    def actions_by_line(self, endpoint: Endpoint) -> str:
        """What can be asked of it, and how."""
        return _lines(
            f"{action}: {', '.join(methods)}" for action, methods in endpoint.methods.items()
        )

    @admin.display(description=_("declared"))
    def declared_by_line(self, endpoint: Endpoint) -> str:
        """What code says of it."""
        return _lines(f"{name}: {value}" for name, value in endpoint.declared.items() if value)

    @admin.action(description=_("Mark as looked at"), permissions=["review"])
    def mark_as_looked_at(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """From now on rules count here that do not name the endpoint itself."""
        waiting = queryset.filter(state__in=[Endpoint.State.NEW, Endpoint.State.RETURNED])
        with transaction.atomic():
            rows = list(waiting)
            for row in rows:
                row.state = Endpoint.State.ACTIVE
                row.reviewed_at = timezone.now()
                row.reviewed_by_id = request.user.pk
                row.save(update_fields=["state", "reviewed_at", "reviewed_by"])
                self.log_change(request, row, str(_("Looked at.")))
        text = ngettext("%(count)d was looked at.", "%(count)d were looked at.", len(rows))
        level = messages.SUCCESS if rows else messages.WARNING
        self.message_user(request, text % {"count": len(rows)}, level)

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Whether endpoints may be marked as looked at."""
        codename = get_permission_codename("change", self.opts)
        return is_person(request) and request.user.has_perm(f"{self.opts.app_label}.{codename}")


def _lines(texts: Any) -> str:
    return format_html_join("\n", "{}<br>", ((text,) for text in texts))
