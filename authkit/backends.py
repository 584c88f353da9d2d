"""Django's authentication backend: a user name or an e-mail address, and a password."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit.accounts import identify, passwords


class AuthkitBackend(ModelBackend):
    """Finds a person by user name or e-mail address and checks the password.

    A person who does not exist costs the same time as a wrong password. An old hash is
    renewed without ending the sign-ins that were begun with it.
    """

    @sensitive_variables("password", "kwargs")
    def authenticate(  # type: ignore[override]  # any user model
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """The person, or None. `email`, or the model's USERNAME_FIELD, may stand for `username`."""
        name = identify.name_in(username, kwargs)
        if name is None or password is None:
            return None
        user = identify.person_named(name)
        if user is None:
            passwords.spend_time_on(password)
            return None
        is_right = passwords.is_password_of(user, password)
        return user if is_right and self.user_can_authenticate(cast(Any, user)) else None
