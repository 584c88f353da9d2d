"""Whether the project has put authkit where it works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

# Named, not imported: whoever only runs a command need not load the views.
_MIDDLEWARE = "authkit.middleware.AuthkitMiddleware"
_DJANGO_MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"
_BACKEND = "authkit.backends.AuthkitBackend"
_DJANGO_BACKEND = "django.contrib.auth.backends.ModelBackend"
_JWT = "authkit.authentication.JWTAuthentication"
_SIMPLEJWT = "rest_framework_simplejwt.authentication.JWTAuthentication"


def check_middleware(**_: Any) -> list[CheckMessage]:
    """The middleware is there, and after Django's, whose `request.user` it replaces."""
    ours = places_of(_MIDDLEWARE, settings.MIDDLEWARE)
    if not ours:
        return [
            Error(
                f"{_MIDDLEWARE!r} is not in MIDDLEWARE: in views that are not of Django REST"
                " framework, the cookie of a session that has ended would still count.",
                hint=f"Add it after {_DJANGO_MIDDLEWARE!r}.",
                id="authkit.E008",
            )
        ]
    if any(place > ours[0] for place in places_of(_DJANGO_MIDDLEWARE, settings.MIDDLEWARE)):
        return [
            Error(
                f"{_MIDDLEWARE!r} stands before Django's AuthenticationMiddleware, which then"
                " has the last word on who makes a request.",
                hint=f"Move it after {_DJANGO_MIDDLEWARE!r} in MIDDLEWARE.",
                id="authkit.E009",
            )
        ]
    return []


def check_backend(**_: Any) -> list[CheckMessage]:
    """People can sign in with a user name or an e-mail address."""
    if places_of(_BACKEND, settings.AUTHENTICATION_BACKENDS):
        return []
    return [
        Warning(
            f"{_BACKEND!r} is not in AUTHENTICATION_BACKENDS: people cannot sign in with their"
            " e-mail address, and old password hashes end sign-ins when they are renewed.",
            hint="Put it in the place of Django's ModelBackend, which it extends.",
            id="authkit.W003",
        )
    ]


def check_first_backend(**_: Any) -> list[CheckMessage]:
    """No password is looked at before its attempt is counted."""
    listed = settings.AUTHENTICATION_BACKENDS
    ours = places_of(_BACKEND, listed)
    earlier = [place for place in places_of(_DJANGO_BACKEND, listed) if ours and place < ours[0]]
    return [
        Warning(
            f"{listed[place]!r} stands before {_BACKEND!r}: it takes passwords, and knows no limit"
            " of failed sign-ins.",
            hint=f"Put {_BACKEND!r} first, or take the other out.",
            id="authkit.W005",
        )
        for place in earlier
    ]


def check_rest_framework(**_: Any) -> list[CheckMessage]:
    """No class among the defaults takes JWTs without asking whether their sign-in lives."""
    given = getattr(settings, "REST_FRAMEWORK", None) or {}
    listed = list(given.get("DEFAULT_AUTHENTICATION_CLASSES", ()))
    ours = set(places_of(_JWT, listed))
    theirs = [place for place in places_of(_SIMPLEJWT, listed) if place not in ours]
    return [
        Warning(
            f"{listed[place]!r} is among the DEFAULT_AUTHENTICATION_CLASSES: it knows nothing of"
            " authkit's keys and sessions, so its tokens outlive every logout.",
            hint=f"Put {_JWT!r} in its place; it is a subclass.",
            id="authkit.W004",
        )
        for place in theirs
    ]


def places_of(kind: str, listed: Iterable[str]) -> list[int]:
    """Where in a list of dotted paths a class stands, itself or a subclass of it."""
    wanted = import_string(kind)
    found = (_imported(path) for path in listed)
    return [
        place
        for place, each in enumerate(found)
        if isinstance(each, type) and issubclass(each, wanted)
    ]


def names_any(kind: str, rest_framework: Mapping[str, Any], key: str) -> bool:
    """Whether a setting of Django REST framework lists a class, itself or a subclass of it."""
    return bool(places_of(kind, rest_framework.get(key) or ()))


def _imported(path: str) -> object:
    try:
        return import_string(path)
    except ImportError:  # Django says so itself, where it matters
        return None
