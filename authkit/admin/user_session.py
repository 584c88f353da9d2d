"""Everybody's sign-ins: see them, end them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit import sessions
from authkit.accounts.client import client_of
from authkit.admin.base import Text, list_of
from authkit.admin.filters import SessionStateFilter
from authkit.admin.personal import PersonalAdmin, Place
from authkit.admin.states import state_of_session
from authkit.kernel import browser
from authkit.models import AuditEvent, UserSession

_REASON = "ended_by_administrator"


@admin.register(UserSession)
class UserSessionAdmin(PersonalAdmin):
    """Read only. To end a session is an action, not an edit: all that hangs from it dies."""

    list_display = ("user", "kind", "state", "browser", "last_seen_at", "created_at", "ip")
    ordering: ClassVar = ("-created_at",)
    list_filter = (SessionStateFilter, "kind", "created_at", "last_seen_at")
    search_fields = ("ip",)
    search_help_text = gettext_lazy("Search by person or IP address.")
    actions = ("end_sessions", "end_all_of_people")
    buttons: ClassVar = {
        "end_sessions": gettext_lazy("End this session"),
        "end_all_of_people": gettext_lazy("End all sessions of this person"),
    }
    hidden = ("cookie_digest", "credential_digest", "parked")
    fieldsets = (
        (None, {"fields": ("user", "kind", "state", "is_impersonated")}),
        (
            gettext_lazy("Times"),
            {
                "fields": (
                    "created_at",
                    "authenticated_at",
                    "last_seen_at",
                    "rotated_at",
                    "expires_at",
                    "revoked_at",
                )
            },
        ),
        (gettext_lazy("Device"), {"fields": ("ip", "browser", "user_agent")}),
        (gettext_lazy("For programs"), {"fields": ("key", "generation")}),
    )

    @admin.display(description=gettext_lazy("public id"))
    def key(self, session: UserSession) -> str:
        """Its primary key, under a name that can be translated."""
        return str(session.pk)

    @admin.display(description=gettext_lazy("browser"), ordering="user_agent")
    def browser(self, session: UserSession) -> str:
        """The browser or program in a few words."""
        return browser.name_of(session.user_agent)

    @admin.display(description=gettext_lazy("an administrator, as this person"), boolean=True)
    def is_impersonated(self, session: UserSession) -> bool:
        """Whether it is an administrator who has signed in as this person."""
        return session.is_impersonated

    @admin.display(description=gettext_lazy("state"))
    def state(self, session: UserSession) -> Text:
        """Whether a request with it gets in, and if not, why."""
        return state_of_session(session, now=timezone.now()).text

    @admin.action(description=gettext_lazy("End the selected sessions"), permissions=["end"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        """End each of these, and every credential that hangs from it."""
        rows = list(queryset)
        self.require_power_over(request, rows)
        with transaction.atomic():
            ended = sessions.end([row.pk for row in rows], **self._how(request))
            self._log(request, ended)
        self._tell(request, len(ended))

    @admin.action(description=gettext_lazy("End all sessions of these people"), permissions=["end"])
    def end_all_of_people(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        """Sign these people out everywhere. Their personal access tokens go on."""
        rows = list(queryset)
        self.require_power_over(request, rows)
        ended: list[UUID] = []
        with transaction.atomic():
            for user_id in dict.fromkeys(row.user_id for row in rows):
                ended += sessions.end_all_of(user_id, **self._how(request))
            self._log(request, ended)
        self._tell(request, len(ended))

    def audit_links_for(self, row: UserSession) -> list[Place]:
        """What happened in this session, and all that its person did."""
        return [
            Place(
                _("Events of this session"),
                list_of(self.admin_site, AuditEvent, session=row.pk),
            ),
            Place(
                _("Events of this person"),
                list_of(self.admin_site, AuditEvent, person=row.user_id),
            ),
        ]

    def _how(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "reason": _REASON,
            "now": timezone.now(),
            "actor": cast(AbstractBaseUser, request.user),
            "client": client_of(request),
            "request": request,
        }

    def _log(self, request: HttpRequest, ended: Iterable[UUID]) -> None:
        for session in UserSession.objects.filter(pk__in=list(ended)):
            self.log_change(request, session, _("Ended."))

    def _tell(self, request: HttpRequest, ended: int) -> None:
        text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
        self.tell(request, ended, text % {"count": ended})
