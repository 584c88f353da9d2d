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


model: Any = get_user_model()
own = admin.AdminSite("own")
own.register(model, AuthkitUserAdmin if model.USERNAME_FIELD == "username" else ByAddress)
for beside in (Assignment, AuditEvent, BearerToken, SocialAccount, Throttle, UserSession):
    if admin.site.is_registered(beside):
        own.register(beside, type(admin.site.get_model_admin(beside)))

urlpatterns = [*usual, path("own/", own.urls)]
