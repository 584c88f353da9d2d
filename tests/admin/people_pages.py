"""Addresses of the pages of people, and administrators who go there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authkit.models import UserSession
from tests.admin.pages import grant, make_staff, signed_in

URLS = "tests.admin.urls_of_people"

#: What a member of staff needs for all that can be done to people.
CARERS = (
    *("change_usersession", "view_usersession", "change_throttle", "view_throttle"),
    *("view_bearertoken", "view_auditevent", "view_assignment"),
)


def people_url(page: str = "changelist", *arguments: object) -> str:
    opts: Any = get_user_model()._meta
    name = f"admin:{opts.app_label}_{opts.model_name}_{page}"
    return reverse(name, args=arguments, current_app="own")


def make_carer(username: str = "carer") -> Any:
    """Staff who look after people, and hold nothing else."""
    carer = make_staff(username, *CARERS)
    opts: Any = get_user_model()._meta
    grant(carer, "view_user", "change_user", app_label=opts.app_label)
    return carer


def press(client: Client, person: Any, act: str, **form: str) -> Any:
    """Press a button on the page of a person."""
    return client.post(people_url("act", person.pk, act), form)


def press_and_confirm(client: Client, person: Any, act: str, **form: str) -> Any:
    return press(client, person, act, authkit_answer="yes", **form)


def long_signed_in(user: Any) -> Client:
    """A browser in which somebody signed in longer ago than RECENT_SIGN_IN."""
    client = signed_in(user)
    before = timezone.now() - timedelta(hours=2)
    UserSession.objects.filter(user=user).update(authenticated_at=before)
    return client


def said(response: Any) -> list[str]:
    """What the next page tells of what was done."""
    from_page = response.wsgi_request._messages
    return [str(message) for message in from_page]
