"""An administrator with a browser, and how they sign in as somebody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

ON = {"REFUSAL_TIME": 0, "IMPERSONATION": True}
WRITING = {**ON, "IMPERSONATION_WRITES": True}
HTML = {"Accept": "text/html"}
WAY_BACK = "/auth/impersonation/"


def make_support(username: str = "ada", *more: str) -> AbstractUser:
    """Staff who may look at people and sign in as them, and what else is named."""
    support = make_person(username, is_staff=True)
    people = get_user_model()._meta
    give(support, "authkit.impersonate_user", f"{people.app_label}.view_{people.model_name}", *more)
    return support


def give(user: Any, *names: str) -> None:
    for name in names:
        label, codename = name.split(".")
        found = Permission.objects.get(content_type__app_label=label, codename=codename)
        user.user_permissions.add(found)


def take(user: Any, name: str) -> None:
    label, codename = name.split(".")
    user.user_permissions.remove(
        Permission.objects.get(content_type__app_label=label, codename=codename)
    )


def page_of(person: Any) -> str:
    people = get_user_model()._meta
    name = f"admin:{people.app_label}_{people.model_name}_impersonate"
    return reverse(name, args=[person.pk], current_app="own")


class Browser:
    """A browser without JavaScript that checks nothing and keeps cookies."""

    def __init__(self, user: Any = None, *, csrf: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=csrf)
        if user is not None:
            self.sign_in(user)

    def sign_in(self, user: Any) -> None:
        """With the password, at the door of the pages."""
        page = self.client.get("/account/sign-in/")
        token = csrf_token_in(page.text)
        fields = {"username": user.get_username(), "password": PASSWORD}
        answer = self.client.post("/account/sign-in/", {**fields, "csrfmiddlewaretoken": token})
        assert answer.status_code == 302, answer.text

    def impersonate(self, person: Any, **fields: str) -> Any:
        return self.client.post(page_of(person), {"why": "ticket 7", **fields})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={**HTML, **headers})

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.client.post(path, data or {}, headers={**HTML, **headers})

    def go_back(self, **headers: str) -> Any:
        return self.post(WAY_BACK, **headers)

    def who(self) -> str | int:
        """Primary key of whom the project sees; the status where it sees nobody."""
        answer = self.client.get("/shop/whoami/")
        return answer.json()["user"] if answer.status_code == 200 else answer.status_code

    @property
    def cookie(self) -> str:
        return self.client.cookies[settings.SESSION_COOKIE_NAME].value

    def with_cookie(self, value: str) -> Browser:
        """Another browser into which this cookie was put."""
        other = Browser()
        other.client.cookies[settings.SESSION_COOKIE_NAME] = value
        return other


def csrf_token_in(text: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    return found[1] if found else ""
