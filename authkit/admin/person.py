"""The page of a person: their roles, and all that they may do."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField, ReadOnlyPasswordHashWidget
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit.access import access_of
from authkit.accounts import retired
from authkit.admin.assignment import AssignmentsOfPerson
from authkit.admin.guarded import GuardedAdmin
from authkit.admin.impersonate import ImpersonatingAdmin
from authkit.admin.people.doing import has_power
from authkit.admin.people.many import ManyPeople
from authkit.admin.people.proof import TakesProof
from authkit.models.prepared import has_field

if TYPE_CHECKING:
    UserAdmin = DjangosUserAdmin[Any]
else:
    UserAdmin = DjangosUserAdmin

_SHOWN = "effective_access"
_MOST_SHOWN = 50


class EndedPassword(ReadOnlyPasswordHashWidget):
    """In the place of what Django tells of a hash."""

    template_name = "admin/authkit/people/ended_password.html"


class PersonAdmin(ImpersonatingAdmin, ManyPeople, TakesProof, GuardedAdmin):
    """A mixin, to stand before the project's own ModelAdmin for people.

    ``class MyUserAdmin(PersonAdmin, UserAdmin)``. The page of somebody who holds more
    than the visitor is read only, and so is what only superusers give. `admin.people`
    has what the page and the list are made of.
    """

    class Media(GuardedAdmin.Media):
        css: ClassVar = {"all": ("authkit/person.css",)}

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Their roles, beside what the project shows."""
        inlines = list(super().get_inlines(request, obj))
        return inlines if obj is None else [*inlines, AssignmentsOfPerson]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """All that they may do, below what the project shows."""
        fieldsets: Any = super().get_fieldsets(request, obj)
        if obj is None or _SHOWN in flatten_fieldsets(fieldsets):
            return fieldsets
        return (*fieldsets, (gettext_lazy("Access"), {"fields": (_SHOWN,)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the visitor may not change is shown and not asked for."""
        fields = [*super().get_readonly_fields(request, obj)]
        if obj is not None and _SHOWN not in fields:
            fields.append(_SHOWN)
        is_superuser = getattr(request.user, "is_superuser", False)
        if not is_superuser and has_field(self.model, "is_superuser"):
            fields.append("is_superuser")
        return fields

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """No form asks for the hash of a password, nor shows it whole."""
        if db_field.name == "password":
            return ReadOnlyPasswordHashField(label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """The form; of a password it shows little, also on a page that is read only.

        There Django leaves the field out, and would show what is stored. One that was ended
        is said to be, and not to be malformed.
        """
        form = super().get_form(request, obj, change=change, **kw)
        if obj is None or kw.get("fields", ()) is None:  # asked which fields there are
            return form
        shown = form.base_fields.get("password", ReadOnlyPasswordHashField())
        if isinstance(shown, ReadOnlyPasswordHashField):
            shown = copy(shown)
            if retired.is_retired(obj):
                shown.widget = EndedPassword()
            form.base_fields = {**form.base_fields, "password": shown}
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes who holds more than they do."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or has_power(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes who holds more than they do."""
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or has_power(request, obj))

    @admin.display(description=gettext_lazy("may do"))
    def effective_access(self, person: Any) -> str:
        """Every access, by roles, groups and flags, at this moment."""
        if getattr(person, "is_superuser", False) and person.is_active:
            return _("everything: a superuser")
        reached = access_of(person)
        if not reached:
            return _("nothing")
        some = _("some objects")
        lines = [
            f"{reach.access} ({some})" if reach.conditional else reach.access
            for reach in reached[:_MOST_SHOWN]
        ]
        more = len(reached) - len(lines)
        if more:
            text = ngettext("and %(count)d more", "and %(count)d more", more)
            lines.append(text % {"count": more})
        return format_html_join("", "{}<br>", ((line,) for line in lines))


class AuthkitUserAdmin(PersonAdmin, UserAdmin):
    """Django's page of a person, with authkit's part of it."""

    list_display = ("username", "email", "first_name", "last_name", "is_active", "last_login")


def stand_in_for_djangos(site: admin.AdminSite) -> None:
    """Take the place of Django's own page of people, and of no other.

    A project that registers a page of its own, before or after, keeps it.
    """
    model: Any = get_user_model()
    if site.is_registered(model) and type(site.get_model_admin(model)) is DjangosUserAdmin:
        site.unregister(model)
        site.register(model, AuthkitUserAdmin)
