"""What happened: read only, for superusers too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from authkit.admin import browser
from authkit.admin.base import ReadOnlyAdmin, key_in
from authkit.admin.filters import EventKindFilter
from authkit.models import AuditEvent

#: Events of these are about a person, whose primary key is the subject.
_ABOUT_PEOPLE = (
    "account.",
    "login.",
    "session.",
    "token.",
    "access.assignment_",
    "access.glass_broken",
    "access.person_",
)


class _Events(ChangeList):
    """A page of events, with the names of those whom they are about in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        add_subject_names(self.result_list)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Shows and finds events. There is no date hierarchy: it would read the whole table."""

    list_display = ("when", "kind", "who", "about", "ip", "browser")
    list_filter = (EventKindFilter, "at")
    search_fields = ("actor_name", "subject", "ip", "kind")
    search_help_text = _("Search by name, IP address or event.")
    ordering: ClassVar = ("-id",)
    fieldsets = (
        (None, {"fields": ("when", "kind", "actor_name", "actor", "about")}),
        (_("Device"), {"fields": ("ip", "browser", "user_agent")}),
        (_("Details"), {"fields": ("session_id", "details")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """List with names."""
        return _Events

    @admin.display(description=_("time"), ordering="at")
    def when(self, event: AuditEvent) -> str:
        """The time to the second, in the current time zone."""
        return f"{localtime(event.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, event: AuditEvent) -> str:
        """The name that was used, or that the person had."""
        return event.actor_name

    @admin.display(description=_("about"), ordering="subject")
    def about(self, event: AuditEvent) -> str:
        """To whom or what it was done, with the name that this has today."""
        if not hasattr(event, "subject_name"):
            add_subject_names([event])
        name: str = getattr(event, "subject_name", "")
        return f"{name} ({event.subject})" if name else event.subject

    @admin.display(description=_("browser"), ordering="user_agent")
    def browser(self, event: AuditEvent) -> str:
        """The browser or program in a few words."""
        return browser.name_of(event.user_agent)

    @admin.display(description=_("details"))
    def details(self, event: AuditEvent) -> str:
        """The raw details, laid out."""
        text = json.dumps(event.data, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="authkit-json">{}</pre>', _visible(text))


def add_subject_names(events: Iterable[AuditEvent]) -> None:
    """Give each event `subject_name`: that of the person it is about, or nothing."""
    model: Any = get_user_model()
    about = {event: _person_key(model, event) for event in events}
    keys = {key for key in about.values() if key is not None}
    names = {person.pk: str(person) for person in model._base_manager.filter(pk__in=keys)}
    for event, key in about.items():
        event.subject_name = names.get(key, "")  # type: ignore[attr-defined]


def _person_key(model: Any, event: AuditEvent) -> Any:
    if not event.subject or not event.kind.startswith(_ABOUT_PEOPLE):
        return None
    return key_in(model, event.subject)


def _visible(text: str) -> str:
    """Escape what would hide or turn around the text beside it."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
