"""Other ways to sign in, for the pages; none without the extra `[social]`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import NoReverseMatch, reverse

_IS_THERE = bool(find_spec("social_django"))


def providers() -> list[dict[str, str]]:
    """Name and address of each provider that is switched on."""
    if not _IS_THERE:
        return []
    found = import_module("authkit.social.providers").on_offer()
    try:
        return [
            {"name": name, "url": reverse("authkit:social_login", args=[slug])}
            for slug, name, _ in found
        ]
    except NoReverseMatch:  # the API is not among the URLs of this site
        return []


def accounts_of(person: AbstractBaseUser) -> list[Any]:
    """What a person has linked, each with the `provider_name` that its button says."""
    if not _IS_THERE:
        return []
    names = {slug: name for slug, name, _ in import_module("authkit.social.providers").on_offer()}
    found = list(import_module("authkit.social.linking").accounts_of(person)[:100])
    for account in found:
        account.provider_name = names.get(account.provider, account.provider)
    return found


def unlink(person: AbstractBaseUser, account_id: str, **by: Any) -> bool:
    """Unlink one's own account; False if there is none of this id.

    Raises:
        LastWayIn: without it the person could not sign in.
    """
    found = [each for each in accounts_of(person) if str(each.pk) == account_id]
    for account in found:
        import_module("authkit.social.linking").unlink(account, actor=person, **by)
    return bool(found)
