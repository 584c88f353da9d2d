"""What the lists of the admin pages can be narrowed by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authkit import conf
from authkit.admin.base import Text

#: What ends so soon is worth a look.
SOON = timedelta(days=14)


class SessionStateFilter(admin.SimpleListFilter):
    """Live, ended by somebody, or over by itself."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The states."""
        return [("live", _("live")), ("ended", _("ended")), ("expired", _("expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by state."""
        now = timezone.now()
        over = Q(expires_at__lte=now) | Q(created_at__lte=now - conf.get().session_lifetime)
        return _by_state(self.value(), queryset, over)


class TokenStateFilter(SessionStateFilter):
    """The same for tokens; one that hangs from a session ends with it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The states."""
        return [*super().lookups(request, model_admin), ("soon", _("expires within 14 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by state."""
        if self.value() == "soon":
            return queryset.filter(ends_soon("expires_at"), revoked_at=None)
        return _by_state(self.value(), queryset, Q(expires_at__lte=timezone.now()))


class TokenKindFilter(admin.SimpleListFilter):
    """A personal access token, or the carrier of a sign-in."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The kinds."""
        return [("personal", _("personal access token")), ("session", _("of a sign-in"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by kind."""
        if self.value() not in {"personal", "session"}:
            return queryset
        return queryset.filter(session__isnull=self.value() == "personal")


def ends_soon(field: str) -> Q:
    """What goes on now, and not for long any more."""
    now = timezone.now()
    return Q(**{f"{field}__gt": now, f"{field}__lte": now + SOON})


def _by_state(state: str | None, queryset: QuerySet[Any], over: Q) -> QuerySet[Any]:
    ended = Q(revoked_at__isnull=False)
    which = {"live": ~ended & ~over, "ended": ended, "expired": ~ended & over}.get(state or "")
    return queryset if which is None else queryset.filter(which)
