"""Whom a user name or an e-mail address names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from authkit.models.prepared import has_field

MAX_LENGTH = 254


def name_in(username: str | None, credentials: Mapping[str, Any]) -> str | None:
    """The name among the arguments of `authenticate`, under any of its three names."""
    name = username or credentials.get("email")
    return name or credentials.get(get_user_model().USERNAME_FIELD)


def person_named(name: str) -> AbstractBaseUser | None:
    """The one person of this user name, or else of this e-mail address.

    An address that several accounts share names nobody.
    """
    if not is_possible(name):
        return None
    model: Any = get_user_model()
    try:
        user: AbstractBaseUser = model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        return _person_with_address(name) if "@" in name else None
    return user


def is_possible(name: str) -> bool:
    """Whether any database could hold this name (NUL and lone surrogates it could not)."""
    return 0 < len(name) <= MAX_LENGTH and "\0" not in name and name.isprintable()


def _person_with_address(address: str) -> AbstractBaseUser | None:
    model: Any = get_user_model()
    field = model.get_email_field_name()
    if not has_field(model, field):
        return None
    found = list(model._default_manager.filter(**{f"{field}__iexact": address})[:2])
    return found[0] if len(found) == 1 else None
