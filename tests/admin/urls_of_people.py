"""The usual admin site, with authkit's page of people for whatever the user model is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import path

from authkit.admin import AuthkitUserAdmin, PersonAdmin
from authkit.models import (
    Assignment,
    AuditEvent,
    BearerToken,
    SocialAccount,
    Throttle,
    UserSession,
)
from tests.urls import urlpatterns as usual


class ByAddress(PersonAdmin):
    """For people who have no name but their address, as a project writes it."""

    ordering = ("email",)
    list_display = ("email", "is_staff")
    search_fields = ("email",)
    fields = ("email", "password", "is_active", "is_staff", "is_superuser", "groups")


class Editing(ByAddress):
    """A list in which people are edited."""

    list_editable = ("is_staff",)


class ByDepartment(ByAddress):
    """A project's own rule about single people."""

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody's but of those whose address says so."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or obj.email.startswith("ours"))


model: Any = get_user_model()
editing, departments = admin.AdminSite("editing"), admin.AdminSite("departments")
editing.register(model, Editing)
departments.register(model, ByDepartment)
own = admin.AdminSite("own")
own.register(model, AuthkitUserAdmin if model.USERNAME_FIELD == "username" else ByAddress)
for beside in (Assignment, AuditEvent, BearerToken, SocialAccount, Throttle, UserSession):
    if admin.site.is_registered(beside):
        own.register(beside, type(admin.site.get_model_admin(beside)))

urlpatterns = [
    *usual,
    path("own/", own.urls),
    path("editing/", editing.urls),
    path("departments/", departments.urls),
]
