"""Who is locked out, and the way to let them try again."""

from __future__ import annotations

from typing import ClassVar, cast

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit.accounts import lockouts
from authkit.accounts.client import client_of
from authkit.admin.base import list_of, url_of
from authkit.admin.personal import PersonalAdmin, Place
from authkit.models import AuditEvent, Throttle


@admin.register(Throttle)
class LockoutAdmin(PersonalAdmin):
    """People and addresses that are locked out now. Read only; to unlock is an action."""

    list_display = ("who", "scope", "failed", "locked_at", "ends_at", "address")
    ordering: ClassVar = ("-locked_at",)
    list_filter = ("scope",)
    search_fields = ("address",)
    search_help_text = gettext_lazy("Search by person or IP address.")
    actions = ("unlock",)
    buttons: ClassVar = {"unlock": gettext_lazy("Unlock")}
    hidden = ("digest",)
    fieldsets = (
        (None, {"fields": ("who", "scope", "address", "failed")}),
        (gettext_lazy("Times"), {"fields": ("since", "locked_at", "ends_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Throttle]:
        """Only what keeps somebody out now."""
        live = lockouts.live(now=timezone.now())
        return live.filter(pk__in=super().get_queryset(request).values("pk"))

    @admin.display(description=gettext_lazy("who"), ordering="user")
    def who(self, row: Throttle) -> str:
        """The person, or the address."""
        return str(row.user) if row.user_id is not None else row.address

    @admin.action(description=gettext_lazy("Unlock the selected"), permissions=["end"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[Throttle]) -> None:
        """Let these people and addresses try again; a person under each of their names."""
        rows = list(queryset)
        self.require_power_over(request, rows)
        with transaction.atomic():
            for row in rows:
                self.log_change(request, row, _("Unlocked."))
            which = {_unlocking(row) for row in rows}
            ended = sum(self._lift(request, each) for each in which)
        text = ngettext("%(count)d lock-out was ended.", "%(count)d lock-outs were ended.", ended)
        self.tell(request, ended, text % {"count": ended})

    def press_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Answer the button; the row is gone then, and the list is what is left to look at."""
        super().press_view(request, object_id, action)
        return HttpResponseRedirect(url_of(self.admin_site, Throttle, "changelist"))

    def audit_links_for(self, row: Throttle) -> list[Place]:
        """What else came from this address, and what happened with this person."""
        found = []
        if row.user_id is not None:
            events = list_of(self.admin_site, AuditEvent, person=row.user_id)
            found.append(Place(_("Events about this person"), events))
        if row.address and "/" not in row.address:
            events = list_of(self.admin_site, AuditEvent, address=row.address)
            found.append(Place(_("Events from this address"), events))
        return found

    def _lift(self, request: HttpRequest, which: Q) -> int:
        actor = cast(AbstractBaseUser, request.user)
        now, client = timezone.now(), client_of(request)
        return lockouts.lift(which, now=now, actor=actor, client=client)


def _unlocking(row: Throttle) -> Q:
    if row.user_id is not None:
        return lockouts.of_person(row.user_id)
    return lockouts.of_address(row.address) if row.address else Q(pk=row.pk)
