"""What is fit for a developer's machine and not for the world (``check --deploy``).

What Django says there itself (cookies that are not Secure or HttpOnly, DEBUG) is not said twice.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.contrib.sessions.backends import signed_cookies
from django.core.checks import CheckMessage, Info, Warning  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

from authkit.checks.settings import usable_settings
from authkit.checks.wiring import places_of

_ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
_OURS = "authkit.hashers.Argon2idPasswordHasher"
#: Memory (KiB) and rounds of Argon2id that OWASP holds for equally good.
_OWASP = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
_MOST_MEMORY = 1024 * 1024  # KiB in a process
_QUARTER, _HOUR, _YEAR = timedelta(minutes=15), timedelta(hours=1), timedelta(days=366)
_NOTICEABLE = timedelta(seconds=10)


def check_session_cookie(**_: Any) -> list[CheckMessage]:
    """The session cookie is sent by this site alone, and no neighbour can have set it."""
    found: list[CheckMessage] = []
    if str(django_settings.SESSION_COOKIE_SAMESITE).lower() not in {"lax", "strict"}:
        message = "SESSION_COOKIE_SAMESITE lets other sites send requests with the session cookie."
        hint = 'Set SESSION_COOKIE_SAMESITE = "Lax".'
        found.append(Warning(message, hint=hint, id="authkit.W123"))
    is_possible = (
        django_settings.SESSION_COOKIE_SECURE
        and django_settings.SESSION_COOKIE_DOMAIN is None
        and django_settings.SESSION_COOKIE_PATH == "/"
    )
    if is_possible and not django_settings.SESSION_COOKIE_NAME.startswith("__Host-"):
        message = "Another host of your domain could set a session cookie for this one."
        hint = 'Set SESSION_COOKIE_NAME = "__Host-sessionid" (everybody signs in once more).'
        found.append(Info(message, hint=hint, id="authkit.I101"))
    return found


def check_proxies(**_: Any) -> list[CheckMessage]:
    """Limits by address see the addresses of clients."""
    settings = usable_settings()
    is_behind = django_settings.SECURE_PROXY_SSL_HEADER or django_settings.USE_X_FORWARDED_HOST
    if settings is None or settings.trusted_proxies or not is_behind:
        return []
    return [
        Warning(
            "The settings tell of a proxy, and AUTHKIT['TRUSTED_PROXIES'] is empty: every client"
            " seems to come from one address, and is locked out with the others.",
            hint="Name the addresses from which the proxy connects.",
            id="authkit.W124",
        )
    ]


def check_deployed_lifetimes(**_: Any) -> list[CheckMessage]:
    """What cannot be taken back is short, and what is shared is fresh."""
    settings = usable_settings()
    if settings is None:
        return []
    found: list[CheckMessage] = []
    access = settings.access_token_lifetime
    if settings.jwt_revocation == "stateless" and access > _QUARTER:
        message = f"AUTHKIT['JWT_REVOCATION'] is \"stateless\": a logout takes up to {access}."
        hint = "Shorten ACCESS_TOKEN_LIFETIME to 15 minutes, or take another JWT_REVOCATION."
        found.append(Warning(message, hint=hint, id="authkit.W105"))
    if access > _HOUR:
        message = f"AUTHKIT['ACCESS_TOKEN_LIFETIME'] is {access}: a stolen token is good for long."
        hint = "Take minutes; the refresh token keeps people signed in."
        found.append(Warning(message, hint=hint, id="authkit.W106"))
    if settings.session_lifetime > _YEAR:
        message = "AUTHKIT['SESSION_LIFETIME'] is longer than a year: sign-ins hardly ever end."
        hint = "Let people prove who they are at least once a year."
        found.append(Warning(message, hint=hint, id="authkit.W107"))
    if settings.max_staleness > _NOTICEABLE:
        message = (
            f"AUTHKIT['MAX_STALENESS'] is {settings.max_staleness}: for so long other processes"
            " act on what has been revoked."
        )
        hint = "Take a second; looking is one small query per process."
        found.append(Warning(message, hint=hint, id="authkit.W108"))
    return found


def check_session_engine(**_: Any) -> list[CheckMessage]:
    """Django's sessions can be taken back."""
    try:
        engine = import_module(django_settings.SESSION_ENGINE)
    except ImportError:  # nothing works then, and the first request says so
        return []
    if not issubclass(engine.SessionStore, signed_cookies.SessionStore):
        return []
    return [
        Warning(
            "SESSION_ENGINE keeps sessions in the cookie itself: authkit ends the sign-in, but"
            " what else a project keeps in its session can be read, and put back, by its holder.",
            hint='Take "django.contrib.sessions.backends.db" or "…cached_db".',
            id="authkit.W109",
        )
    ]


def check_password_hasher(**_: Any) -> list[CheckMessage]:
    """New passwords get the hash that costs an attacker most."""
    if 0 in places_of(_ARGON2, django_settings.PASSWORD_HASHERS):
        return []
    return [
        Warning(
            "The first of PASSWORD_HASHERS is not Argon2.",
            hint=f"Put {_OURS!r} first and keep the others behind it: hashes are renewed as"
            " people sign in, and nobody is signed out.",
            id="authkit.W110",
        )
    ]


def check_argon2_parameters(**_: Any) -> list[CheckMessage]:
    """Argon2id with what OWASP recommends, and not so much that attempts use up the memory."""
    if 0 not in places_of(_ARGON2, django_settings.PASSWORD_HASHERS):
        return []
    hasher: Any = import_string(django_settings.PASSWORD_HASHERS[0])
    hint = f"{_OURS!r} has the parameters that OWASP recommends."
    if not _is_strong(hasher.memory_cost, hasher.time_cost):
        text = "The first of PASSWORD_HASHERS is an Argon2id weaker than OWASP recommends."
        return [Warning(text, hint=hint, id="authkit.W131")]
    settings = usable_settings()
    slots = 0 if settings is None else settings.password_hashing_slots
    if slots * hasher.memory_cost > _MOST_MEMORY:
        text = (
            f"PASSWORD_HASHING_SLOTS passwords hashed at once take {slots * hasher.memory_cost:,}"
            " KiB in each process."
        )
        return [Warning(text, hint=f"{hint} Or take fewer slots.", id="authkit.W132")]
    return []


def check_links(**_: Any) -> list[CheckMessage]:
    """Mails know where to lead without believing the sender of a request."""
    settings = usable_settings()
    if settings is None or settings.frontend_url or "*" not in django_settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS allows any host, and FRONTEND_URL is not set: the links in mails"
            " would lead where the sender of a request wants, so mails hold the key alone.",
            hint="Set AUTHKIT['FRONTEND_URL'], or name the hosts.",
            id="authkit.W133",
        )
    ]


def _is_strong(memory: int, rounds: int) -> bool:
    return any(memory >= least and rounds >= fewest for least, fewest in _OWASP)
