"""What the lists of the admin pages can be narrowed by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authkit import conf
from authkit.admin.base import Text
from authkit.models import AuditEvent

_MANY_KINDS = 100


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

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by state."""
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


class EventKindFilter(admin.SimpleListFilter):
    """The kinds of event that there are."""

    title = _("event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each kind that has been recorded."""
        return [(kind, kind) for kind in _recorded_kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to one kind."""
        kind = self.value()
        if kind and not kind.isprintable():
            return queryset.none()
        return queryset.filter(kind=kind) if kind else queryset


def _by_state(state: str | None, queryset: QuerySet[Any], over: Q) -> QuerySet[Any]:
    ended = Q(revoked_at__isnull=False)
    which = {"live": ~ended & ~over, "ended": ended, "expired": ~ended & over}.get(state or "")
    return queryset if which is None else queryset.filter(which)


def _recorded_kinds() -> Iterator[str]:
    """Jump from each kind to the next along the index, instead of reading every event."""
    kind: str | None = ""
    for _step in range(_MANY_KINDS):
        kinds = AuditEvent.objects.order_by("kind").values_list("kind", flat=True)
        kind = kinds.filter(kind__gt=kind).first()
        if kind is None:
            return
        yield kind
