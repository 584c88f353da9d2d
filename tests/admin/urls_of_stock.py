"""Beside the usual admin site, one on which Django's own pages of people and groups stand."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.urls import path

from authkit.admin.base import ModelAdmin
from tests.urls import urlpatterns as usual


class WithoutCare(ModelAdmin):
    """A project's own page of people, with every column to be edited, in the list too."""

    list_display = ("pk", "email", "is_active", "is_staff", "is_superuser")
    list_editable = ("email", "is_active", "is_staff", "is_superuser")
    fields = ("email", "password", "is_active", "is_staff", "is_superuser", "groups")


stock = admin.AdminSite("stock")
stock.register(get_user_model(), UserAdmin)
stock.register(Group, GroupAdmin)
careless = admin.AdminSite("careless")
careless.register(get_user_model(), WithoutCare)

urlpatterns = [
    *usual,
    path("stock/", stock.urls),
    path("careless/", careless.urls),
]
