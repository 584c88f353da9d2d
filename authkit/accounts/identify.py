"""Whom a user name or an e-mail address names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from authkit.accounts import names
from authkit.kernel.names import canonical, normal

MAX_LENGTH = 254
_MOST_NAMESAKES = 10


def name_in(username: str | None, credentials: Mapping[str, Any]) -> str | None:
    """The name among the arguments of `authenticate`, under any of its three names."""
    name = username or credentials.get("email")
    return name or credentials.get(get_user_model().USERNAME_FIELD)


def person_named(name: str) -> AbstractBaseUser | None:
    """The one person of this user name, or else of this e-mail address.

    Case, width and spaces around do not matter; where they tell accounts apart that were
    made before authkit came, the exact user name does. An address that several accounts
    share names nobody. Two queries, whether or not there is such a person.
    """
    if not is_possible(name):
        return None
    exact = _person_exactly_named(normal(name))
    found = list(names.people_called(dict.fromkeys(names.fields(), name))[:_MOST_NAMESAKES])
    if exact is not None:
        return exact
    for kind in (names.USERNAME, names.EMAIL):
        same = _called(found, kind, name)
        if same:
            return same[0] if len(same) == 1 else None
    return None


def people_with_address(address: str) -> list[AbstractBaseUser]:
    """The accounts whose address this is; there may be several from before authkit came."""
    if not is_possible(address):
        return []
    found = names.people_called({names.EMAIL: address})[:_MOST_NAMESAKES]
    return _called(found, names.EMAIL, address)


def is_possible(name: str) -> bool:
    """Whether any database could hold this name (NUL and lone surrogates it could not)."""
    if not 0 < len(name) <= MAX_LENGTH:
        return False
    same = normal(name)
    return 0 < len(same) <= MAX_LENGTH and same.isprintable()


def _person_exactly_named(name: str) -> AbstractBaseUser | None:
    model: Any = get_user_model()
    try:
        user: AbstractBaseUser = model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist:
        return None
    return user


def _called(people: Iterable[AbstractBaseUser], kind: str, name: str) -> list[AbstractBaseUser]:
    """Each of them once who is called so."""
    return list({person.pk: person for person in people if _is_called(person, kind, name)}.values())


def _is_called(person: AbstractBaseUser, kind: str, name: str) -> bool:
    """Whether that is so now: what was written down may be older than the account."""
    own = names.of(person).get(kind)
    return own is not None and canonical(own) == canonical(name)
