"""People for tests, whatever the user model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

PASSWORD = "correct horse battery staple"


def make_person(username: str, password: str | None = PASSWORD, **extra: Any) -> AbstractUser:
    """A person, stored. The e-mail address is ``<username>@example.com`` unless given.

    Where people have no user name, the address is what they sign in with: in tests, sign
    in as ``person.get_username()``. Without a password (None) they have no usable one.
    """
    model: Any = get_user_model()
    fields = {"email": f"{username}@example.com", **extra}
    if model.USERNAME_FIELD != "email":
        fields[model.USERNAME_FIELD] = username
    person: AbstractUser = model.objects.create_user(password=password, **fields)
    return person


def make_superuser(username: str = "root", password: str | None = PASSWORD) -> AbstractUser:
    """A person who may do everything, stored."""
    return make_person(username, password, is_staff=True, is_superuser=True)
