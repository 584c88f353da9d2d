"""Whether the AUTHKIT setting says something, and something sensible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.core.exceptions import FieldDoesNotExist

from authkit import conf
from authkit.jwt import keys, tokens

_IDS = {"unknown": "authkit.E001", "wrong": "authkit.E002", "type": "authkit.E003"}

#: Who somebody is and what they may do is not theirs to write.
_NOT_THEIR_OWN = frozenset(
    {
        "password",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "user_permissions",
        "last_login",
    }
)


def usable_settings() -> conf.Settings | None:
    """The settings for checks that look further; None if `check_settings` has complaints."""
    return None if conf.problems_of(_given()) else conf.get()


def check_settings(**_: Any) -> list[CheckMessage]:
    """Every key is known and has a value that it takes."""
    problems = conf.problems_of(_given())
    return [Error(each.message, hint=each.mend, id=_IDS[each.kind]) for each in problems]


def check_signing_keys(**_: Any) -> list[CheckMessage]:
    """Every key of the key ring is strong enough and fit for its algorithm."""
    settings = usable_settings()
    problems = [] if settings is None else keys.problems(settings)
    hint = "`manage.py authkit keys generate` makes an entry that is taken."
    return [Error(problem, hint=hint, id="authkit.E004") for problem in problems]


def check_user_claims(**_: Any) -> list[CheckMessage]:
    """Access tokens carry fields that exist and may be read by whoever holds the token."""
    settings = usable_settings()
    problems = [] if settings is None else tokens.user_claim_problems(settings)
    hint = "Name columns of the user model, no relations, and no claim of RFC 7519."
    return [Error(problem, hint=hint, id="authkit.E005") for problem in problems]


def check_profile_fields(**_: Any) -> list[CheckMessage]:
    """People may edit of themselves what exists and gives them no power."""
    settings = usable_settings()
    if settings is None or settings.profile_fields == conf.default_of("PROFILE_FIELDS"):
        return []  # a user model without those fields simply has no such profile
    return [found for name in settings.profile_fields for found in _of_profile_field(name)]


def check_lifetimes(**_: Any) -> list[CheckMessage]:
    """Nothing outlives what it hangs from."""
    settings = usable_settings()
    if settings is None:
        return []
    found: list[CheckMessage] = []
    if settings.access_token_lifetime > settings.refresh_token_lifetime:
        message = "AUTHKIT['ACCESS_TOKEN_LIFETIME'] is longer than REFRESH_TOKEN_LIFETIME."
        hint = "Access tokens are the short-lived ones: minutes, beside days for refresh tokens."
        found.append(Error(message, hint=hint, id="authkit.E007"))
    for key in ("REFRESH_TOKEN_LIFETIME", "TOKEN_LIFETIME"):
        is_default = key not in _given()
        if not is_default and getattr(settings, key.lower()) > settings.session_lifetime:
            message = f"AUTHKIT[{key!r}] is longer than SESSION_LIFETIME, which ends it earlier."
            hint = f"Shorten {key}, or lengthen SESSION_LIFETIME."
            found.append(Warning(message, hint=hint, id="authkit.W001"))
    return found


def _given() -> Any:
    return getattr(django_settings, "AUTHKIT", {})


def _of_profile_field(name: str) -> Iterator[CheckMessage]:
    model: Any = get_user_model()
    setting = "AUTHKIT['PROFILE_FIELDS']"
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        message = f"{setting} names {name!r}, which {model._meta.label} does not have."
        yield Error(message, hint="Name fields of the user model.", id="authkit.E006")
        return
    if name in _NOT_THEIR_OWN or field.primary_key or not field.concrete:
        message = f"{setting} names {name!r}, which nobody may set for themselves."
        yield Error(message, hint=f"Take {name!r} out.", id="authkit.E006")
    elif name in {model.USERNAME_FIELD, model.get_email_field_name()}:
        message = f"{setting} names {name!r}, with which people sign in."
        hint = "Whoever edits it freely can take a name or address that is somebody else's."
        yield Warning(message, hint=hint, id="authkit.W002")
