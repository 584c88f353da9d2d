"""Find the person whom somebody names at a terminal."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management.base import CommandError

from authkit.accounts.identify import person_named


def find_person(name: str) -> AbstractBaseUser:
    """The person with this user name, or else with this e-mail address.

    Raises:
        CommandError: there is nobody, or more than one.
    """
    found = person_named(name)
    if found is None:
        raise CommandError(f"Nobody, or more than one person, is called {name!r}.")
    return found
