"""Whether whoever signs in as somebody else finds the way back, and soon."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.contrib.sessions.backends import signed_cookies
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from authkit.checks.settings import usable_settings
from authkit.impersonation.marking import way_back

_HOUR = timedelta(hours=1)


def check_way_back(**_: Any) -> list[CheckMessage]:
    """Nobody becomes somebody else who could not become themselves again."""
    settings = usable_settings()
    if settings is None or not settings.impersonation or way_back():
        return []
    return [
        Error(
            "AUTHKIT['IMPERSONATION'] is on, and authkit.urls is not among the URLs: there is no"
            " way back to one's own account, so nobody is let in as somebody else.",
            hint='Add path("auth/", include("authkit.urls")).',
            id="authkit.E040",
        )
    ]


def check_impersonation(**_: Any) -> list[CheckMessage]:
    """It is short, and the administrator's own session is out of reach meanwhile."""
    settings = usable_settings()
    if settings is None or not settings.impersonation:
        return []
    found: list[CheckMessage] = []
    if settings.impersonation_lifetime > _HOUR:
        message = (
            "AUTHKIT['IMPERSONATION_LIFETIME'] is longer than an hour: whoever finds the browser"
            " open is somebody else for so long."
        )
        hint = "Half an hour is enough to look; whoever needs more begins again."
        found.append(Warning(message, hint=hint, id="authkit.W140"))
    if _is_in_the_cookie():
        message = (
            "AUTHKIT['IMPERSONATION'] is on, and SESSION_ENGINE keeps sessions in the cookie: what"
            " the administrator's cookie was before still opens their session meanwhile."
        )
        hint = 'Take "django.contrib.sessions.backends.db" or "…cached_db".'
        found.append(Warning(message, hint=hint, id="authkit.W141"))
    return found


def _is_in_the_cookie() -> bool:
    try:
        engine = import_module(django_settings.SESSION_ENGINE)
    except ImportError:  # nothing works then, and the first request says so
        return False
    return issubclass(engine.SessionStore, signed_cookies.SessionStore)
