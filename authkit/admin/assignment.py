"""Who has which role, from when and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authkit.admin.base import Text, names_of_people
from authkit.admin.filters import ends_soon
from authkit.admin.formsets import BoundedFormSet
from authkit.admin.guarded import GuardedAdmin
from authkit.admin.keys import ChoosingByKey
from authkit.models import Assignment

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


class Finding:
    """Finds the other side by typing where its page can be searched, by number elsewhere."""

    raw_id_fields: Any = ("user", "group", "role")

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """The relations of which the other side has a page that can be searched."""
        its: Any = self
        names = [name for name in self.raw_id_fields if name not in (its.exclude or ())]
        pages = {name: _page_of(its.admin_site, name) for name in names}
        return [name for name, page in pages.items() if page and page.get_search_fields(request)]


class StateFilter(admin.SimpleListFilter):
    """In force, to come, or over."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The states."""
        return [
            ("now", _("in force")),
            ("soon", _("ends within 14 days")),
            ("later", _("to come")),
            ("over", _("over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow by state."""
        now = timezone.now()
        over, later = Q(ends_at__lte=now), Q(starts_at__gt=now)
        which = {
            "now": ~over & ~later,
            "soon": ends_soon("ends_at"),
            "later": later & ~over,
            "over": over,
        }
        return queryset.filter(which[self.value() or ""]) if self.value() in which else queryset


@admin.register(Assignment)
class AssignmentAdmin(Finding, GuardedAdmin):
    """Gives roles to people and groups."""

    list_display = ("role", "holder", "state", "starts_at", "ends_at", "created_by")
    list_filter = (StateFilter, "role")
    list_select_related = ("role", "user", "group", "created_by")
    fields = ("role", "user", "group", "starts_at", "ends_at", "created_at", "created_by")
    readonly_fields = ("created_at", "created_by")
    search_help_text = _("Search by role, person or group.")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Search by whatever the project's people are known by."""
        people = [f"user__{name}" for name in names_of_people()]
        return ["role__name", "role__slug", "group__name", *people]

    @admin.display(description=_("person or group"))
    def holder(self, assignment: Assignment) -> str:
        """Who has it."""
        if assignment.group is not None:
            return str(_("group %s")) % assignment.group
        return str(assignment.user)

    @admin.display(description=_("state"))
    def state(self, assignment: Assignment) -> Text:
        """Whether it counts now."""
        return state_of(assignment)


class AssignmentsOfRole(Finding, ChoosingByKey, TabularInline):
    """Who has the role, on its page."""

    model = Assignment
    formset = BoundedFormSet
    extra = 0
    fields: ClassVar[Any] = ("user", "group", "starts_at", "ends_at", "state")
    readonly_fields = ("state",)
    verbose_name_plural = _("who has this role")

    @admin.display(description=_("state"))
    def state(self, assignment: Assignment) -> Text:
        """Whether it counts now."""
        return state_of(assignment)


class AssignmentsOfPerson(AssignmentsOfRole):
    """The roles of a person, on their page; those of their groups are not repeated."""

    fk_name = "user"
    exclude = ("group",)
    fields = ("role", "starts_at", "ends_at", "state")
    verbose_name_plural = _("roles")


def state_of(assignment: Assignment) -> Text:
    """Whether an assignment counts now, in words."""
    now = timezone.now()
    if assignment.pk is None:
        return ""
    if assignment.is_in_force(now=now):
        return _("in force")
    is_over = assignment.ends_at is not None and assignment.ends_at <= now
    return _("over") if is_over else _("to come")


def _page_of(site: Any, name: str) -> Any:
    field: Any = Assignment._meta.get_field(name)
    model = field.remote_field.model
    return site.get_model_admin(model) if site.is_registered(model) else None
