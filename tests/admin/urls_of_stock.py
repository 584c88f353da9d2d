"""Beside the usual admin site, one on which Django's own pages of people and groups stand."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.urls import path

from authkit.admin.base import ModelAdmin
from tests.urls import urlpatterns as usual

if TYPE_CHECKING:
    DjangosUserAdmin = UserAdmin[Any]
else:
    DjangosUserAdmin = UserAdmin


class WithoutCare(ModelAdmin):
    """A project's own page of people, with every column to be edited, in the list too."""

    list_display = ("pk", "email", "is_active", "is_staff", "is_superuser")
    list_editable = ("email", "is_active", "is_staff", "is_superuser")
    fields = ("email", "password", "is_active", "is_staff", "is_superuser", "groups")


class ByAddress(DjangosUserAdmin):
    """Django's page for people who have no name but their address, as a project writes it."""

    ordering = ("email",)
    list_display = ("email", "is_staff")
    search_fields = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("More", {"fields": ("user_permissions",)}),
    )


has_names = get_user_model().USERNAME_FIELD == "username"

stock = admin.AdminSite("stock")
stock.register(get_user_model(), UserAdmin if has_names else ByAddress)
stock.register(Group, GroupAdmin)
careless = admin.AdminSite("careless")
careless.register(get_user_model(), WithoutCare)


def inline(through: Any) -> Any:
    """The rows of a relation, edited on the page of one of its ends."""
    return type("RowInline", (admin.TabularInline,), {"model": through, "extra": 1})


User: Any = get_user_model()
AnyGroup: Any = Group


class WithRowsOfPeople(ModelAdmin):
    """A project's own page of people, with the rows of their relations."""

    fields = ("email",)
    inlines = (inline(User.groups.through), inline(User.user_permissions.through))


class WithRowsOfGroups(ModelAdmin):
    """A project's own page of groups, with the rows of their relations."""

    fields = ("name",)
    inlines = (inline(User.groups.through), inline(AnyGroup.permissions.through))


rows = admin.AdminSite("rows")
rows.register(User, WithRowsOfPeople)
rows.register(Group, WithRowsOfGroups)

urlpatterns = [
    *usual,
    path("stock/", stock.urls),
    path("careless/", careless.urls),
    path("rows/", rows.urls),
]
