"""Pages of what belongs to a person and can be ended: their sessions and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from authkit.access.guards import holds_at_least
from authkit.admin.base import ReadOnlyAdmin, Text, is_person, names_of_people, url_of
from authkit.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Place:
    """A button or a link: what it says and where it leads."""

    text: Text
    url: str


class PersonalAdmin(ReadOnlyAdmin):
    """Shows rows that have a `user` (or None: then it takes no more), and ends them.

    To end takes the model's change permission and, for each person, at least what that
    person holds (403 otherwise, also for one of many that were selected).
    """

    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    #: Action -> what its button says on the page of one row.
    buttons: ClassVar[dict[str, Text]] = {}

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whether rows may be ended at all; whose, `require_power_over` says."""
        codename = get_permission_codename("change", self.opts)
        return is_person(request) and request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def require_power_over(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        """Refuse if one of these rows belongs to a person who holds more than the caller."""
        people = {row.user_id: row.user for row in rows if row.user_id is not None}
        if not all(holds_at_least(request.user, person) for person in people.values()):
            raise PermissionDenied

    def tell(self, request: HttpRequest, ended: int, text: str) -> None:
        """Say how many rows were ended; that none was is worth a warning."""
        if ended:
            self.message_user(request, text, messages.SUCCESS)
        else:
            self.message_user(request, _("All of it had ended before."), messages.WARNING)

    def links_for(self, request: HttpRequest, row: Any) -> list[Place]:
        """What to look at next from the page of a row."""
        registered = self.admin_site.is_registered(AuditEvent)
        if not registered or not request.user.has_perm("authkit.view_auditevent"):
            return []
        return self.audit_links_for(row)

    def audit_links_for(self, row: Any) -> list[Place]:
        """The lists of audit events that tell of a row."""
        return []

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Search by whatever the project's people are known by."""
        return [*(f"user__{name}" for name in names_of_people()), *self.search_fields]

    def get_urls(self) -> list[URLPattern]:
        """The buttons' addresses, before ``<path:object_id>/`` takes them."""
        view = self.admin_site.admin_view(self.press_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        return [path("<path:object_id>/press/<slug:action>/", view, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def press_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Answer a button: run its action on the one row."""
        if not self.has_end_permission(request) or action not in self._pressable():
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        rows = self.get_queryset(request).select_related("user").filter(pk=row.pk)
        getattr(self, action)(request, rows)
        return HttpResponseRedirect(url_of(self.admin_site, self.model, "change", object_id))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the buttons to those who may press them."""
        if obj is not None:
            context["authkit_links"] = self.links_for(request, obj)
            has_power = obj.user is None or holds_at_least(request.user, obj.user)
            may_end = has_power and self.has_end_permission(request)
            context["authkit_buttons"] = [
                Place(text, url_of(self.admin_site, self.model, "press", quote(obj.pk), action))
                for action, text in self._pressable().items()
                if may_end
            ]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _pressable(self) -> dict[str, Text]:
        """The buttons, without those whose action a project has taken away."""
        actions = self.actions or ()
        return {action: text for action, text in self.buttons.items() if action in actions}
