"""What happened: read only, for superusers too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from authkit import audit, event_kinds
from authkit.access import acting
from authkit.admin.audit import export
from authkit.admin.audit.changelist import EventList
from authkit.admin.audit.changes import details_of
from authkit.admin.audit.subjects import add_subject_names
from authkit.admin.base import ReadOnlyAdmin, Text, list_of, url_of
from authkit.admin.chart import Chart, chart_of
from authkit.admin.personal import Place
from authkit.kernel import browser, visible
from authkit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Shows and finds events, and writes them out.

    There is no date hierarchy, no sorting and no numbered page: each would read the whole
    table. To write out takes the permission to view, and is an event itself.
    """

    list_display = ("when", "what", "who", "about", "address", "browser")
    list_display_links = ("when",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("when", "what", "name", "actor", "about")}),
        (_("Device"), {"fields": ("address", "browser", "client")}),
        (_("Details"), {"fields": ("session_id", "details")}),
    )

    class Media:
        css: ClassVar = {"all": ("authkit/admin.css", "authkit/events.css")}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Paged by place."""
        return EventList

    def get_urls(self) -> list[URLPattern]:
        """The exports' addresses, before ``<path:object_id>/`` takes them."""
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/<slug:form>/", view, name=name), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an event stays when its people go."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """List, with what the form of this page brings along."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            context["media"] = context["media"] + context["cl"].form.media
            context["chart"] = self._chart_of(context["cl"])
            context["exports"] = self._exports_of(context["cl"])
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AuditEvent | None = None,
    ) -> HttpResponse:
        """Show the ways to other events."""
        if obj is not None:
            context["authkit_links"] = list(self._links_of(obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    @method_decorator(require_POST)
    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Write out what the list would show; of the moment, so without the event that tells."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in export.FORMATS:
            raise Http404
        try:
            found: Any = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("no such events") from error
        if found.narrowing is None:
            raise BadRequest("no such events")
        now = timezone.now()
        branches = [branch.filter(at__lte=now) for branch in found.branches]
        self._tell_exported(request, form, found)
        return export.response(request, branches, form)

    @admin.display(description=_("time"))
    def when(self, event: AuditEvent) -> str:
        """The time to the second, in the current time zone."""
        return f"{localtime(event.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("event"))
    def what(self, event: AuditEvent) -> str:
        """What happened, in words and as programs know it."""
        return event_kinds.described(event.kind)

    @admin.display(description=_("who"))
    def who(self, event: AuditEvent) -> str:
        """The name that was used, or that the person had; and who acted in their name."""
        name = visible.one_line(event.actor_name)
        if not event.impersonator_name or event.impersonator_id == event.actor_id:
            return name
        by = visible.one_line(event.impersonator_name)
        return gettext("%(person)s (it was %(administrator)s)") % {
            "person": name,
            "administrator": by,
        }

    @admin.display(description=_("name at that time"))
    def name(self, event: AuditEvent) -> str:
        """The same, where the account stands below it."""
        return self.who(event)

    @admin.display(description=_("about"))
    def about(self, event: AuditEvent) -> str:
        """To whom or what it was done, with the name that this has today."""
        if not hasattr(event, "subject_name"):
            add_subject_names([event])
        name: str = visible.one_line(getattr(event, "subject_name", ""))
        subject = visible.one_line(event.subject)
        return f"{name} ({subject})" if name else subject

    @admin.display(description=_("IP address"))
    def address(self, event: AuditEvent) -> str:
        """From where."""
        return event.ip or ""

    @admin.display(description=_("browser"))
    def browser(self, event: AuditEvent) -> str:
        """The browser or program in a few words."""
        return visible.one_line(browser.name_of(event.user_agent))

    @admin.display(description=_("browser or client"))
    def client(self, event: AuditEvent) -> str:
        """All that it says of itself."""
        return visible.one_line(event.user_agent)

    @admin.display(description=_("details"))
    def details(self, event: AuditEvent) -> str:
        """What was and what is now side by side, and all that else there is."""
        found = details_of(event.data)
        return render_to_string("admin/authkit/auditevent/details.html", {"details": found})

    def _links_of(self, event: AuditEvent) -> Iterator[Place]:
        """What else was done by or to the same people, from there, and by that sign-in."""
        actor, subject = event.actor_id, event.subject
        if actor is not None:
            yield self._link(_("Events of this person"), person=actor)
        elif event.actor_name:
            yield self._link(_("Events under this name"), name=event.actor_name)
        if subject and event_kinds.is_about_person(event.kind) and subject != str(actor):
            yield self._link(_("Events about the other person"), person=subject)
        if event.ip:
            yield self._link(_("Events from this address"), address=event.ip)
        if event.session_id is not None:
            yield self._link(_("Events of this session"), session=event.session_id)

    def _link(self, text: Text, **which: object) -> Place:
        return Place(text, list_of(self.admin_site, AuditEvent, **which))

    def _chart_of(self, found: EventList) -> Chart | None:
        days = found.days()
        return None if days is None else chart_of(days, self.admin_site)

    def _exports_of(self, found: EventList) -> list[Place]:
        """The buttons; what is asked of the list is asked of them as well."""
        texts = {"csv": _("Export as CSV"), "jsonl": _("Export as JSON lines")}
        asked = found.newest_url()
        return [
            Place(texts[form], url_of(self.admin_site, AuditEvent, "export", form) + asked)
            for form in export.FORMATS
        ]

    def _tell_exported(self, request: HttpRequest, form: str, found: EventList) -> None:
        actor = acting.current() or acting.Actor(request.user)
        asked = {name: value for name, value in found.params.items() if value}
        audit.record(
            "audit.exported",
            actor=actor.person,
            session_id=actor.session_id,
            client=actor.client,
            data={"format": form, "asked": asked},
        )
