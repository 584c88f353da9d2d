"""Addresses of the admin site, and staff to go there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from authkit.models import AuditEvent, BearerToken, UserSession
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

#: What a member of staff needs to look after sessions and tokens.
HELPDESK = (
    "view_usersession",
    "change_usersession",
    "view_bearertoken",
    "add_bearertoken",
    "change_bearertoken",
    "view_auditevent",
)
MODELS = (UserSession, BearerToken, AuditEvent)


def make_staff(username: str = "helpdesk", *codenames: str) -> AbstractUser:
    """Staff with these permissions of authkit; with those of a help desk if none is named."""
    staff = make_person(username, is_staff=True)
    grant(staff, *(codenames or HELPDESK))
    return staff


def grant(user: AbstractUser, *codenames: str, app_label: str = "authkit") -> None:
    """Give somebody permissions."""
    found = Permission.objects.filter(content_type__app_label=app_label, codename__in=codenames)
    assert found.count() == len(codenames)
    user.user_permissions.add(*found)


def signed_in(user: Any) -> Client:
    """A browser in which somebody has signed in."""
    client = Client()
    client.force_login(user)
    return client


def url(model: type[Model], page: str, *arguments: object) -> str:
    """The address of one of a model's pages."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=arguments)


def act(client: Client, model: type[Model], action: str, rows: list[Any], **more: object) -> Any:
    """Select rows of a list and run an action on them."""
    form = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0, **more}
    return client.post(url(model, "changelist"), form)


def press(client: Client, row: Model, action: str) -> Any:
    """Press a button on the page of a row."""
    return client.post(url(type(row), "press", row.pk, action))
