"""Every setting of authkit: its type, default, bounds and meaning.

A project sets them in one dictionary, ``AUTHKIT = {...}``. They are read when used, so
that `override_settings` works: ask `conf.get()` inside a function, never at import.
`problems_of` names what is wrong with a dictionary; system checks report it, and
`get()` refuses to work with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from authkit.kernel import values
from authkit.kernel.limits import Limits
from authkit.kernel.values import DAY, MINUTE, NONE, SECOND

_PREFIX = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def _setting(default: object, parse: values.Parse, meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a project, checked. The key of each is its name in capitals."""

    access_token_lifetime: timedelta = _setting(
        5 * MINUTE, values.duration(SECOND, DAY), "Lifetime of a JWT access token."
    )
    refresh_token_lifetime: timedelta = _setting(
        14 * DAY,
        values.duration(SECOND, 3650 * DAY),
        "A JWT session that is not refreshed for so long ends.",
    )
    session_lifetime: timedelta = _setting(
        90 * DAY, values.duration(SECOND, 3650 * DAY), "Absolute end of any sign-in."
    )
    refresh_grace: timedelta = _setting(
        10 * SECOND,
        values.duration(NONE, MINUTE),
        "For so long after a refresh the same refresh token gets the same answer again.",
    )
    jwt_revocation: str = _setting(
        "denylist",
        values.one_of("stateless", "denylist", "stateful"),
        "When an access token of an ended session dies.",
    )
    max_staleness: timedelta = _setting(
        SECOND,
        values.duration(NONE, MINUTE),
        "How long another process may act on what has just changed; 0: each request looks.",
    )
    jwt_issuer: str = _setting("authkit", values.text(255), "Issuer (`iss`) of JWTs.")
    jwt_audience: str = _setting("authkit", values.text(255), "Audience (`aud`) of JWTs.")
    jwt_signing_keys: tuple[Mapping[str, object], ...] = field(
        default=(),
        repr=False,
        metadata={
            "parse": values.mappings,
            "meaning": "The key ring: the first signs, all verify. Empty: one key derived"
            " from SECRET_KEY.",
        },
    )
    jwt_user_claims: tuple[str, ...] = _setting(
        ("email",), values.texts, "Fields of the user that are copied into access tokens."
    )
    token_lifetime: timedelta = _setting(
        30 * DAY, values.duration(SECOND, 3650 * DAY), "Lifetime of opaque sign-in tokens."
    )
    token_prefix: str = _setting(
        "ak_", values.text(16, _PREFIX), "What every opaque token begins with."
    )
    personal_token_limit: int = _setting(
        100, values.whole_number(1, 10_000), "Live personal access tokens of one person."
    )
    profile_fields: tuple[str, ...] = _setting(
        ("first_name", "last_name"), values.texts, "What people may edit of themselves."
    )
    login_failure_limit: int = _setting(
        5, values.whole_number(1, 100), "Failed sign-ins per account and address."
    )
    login_failure_window: timedelta = _setting(
        15 * MINUTE, values.duration(SECOND, DAY), "How long failed sign-ins count."
    )
    limits: Limits = _setting(
        Limits(), values.limits, "Wider limits: name -> (how many, in how long a time)."
    )
    throttle_cache: str | None = _setting(
        None,
        values.optional(values.text(255)),
        "Alias in CACHES of the shared cache that counts what has one of the wider limits, failed"
        " sign-ins aside; None: the database counts.",
    )
    trusted_proxies: tuple[Any, ...] = _setting(
        (), values.networks, "Addresses whose X-Forwarded-For counts."
    )
    frontend_url: str | None = _setting(
        None,
        values.optional(values.text(2000)),
        "Where links in mails lead; None: the request's host.",
    )
    ungoverned_views: tuple[str, ...] = _setting(
        (
            "authkit.",
            "django.contrib.",
            "django.views.static.",
            "django.views.i18n.",
            "django.views.defaults.",
            "debug_toolbar.",
            "drf_spectacular.",
        ),
        values.texts,
        "Beginnings of dotted names of views that guard themselves: no rule is about them."
        " Pages of an admin site are always among them.",
    )
    registration: str = _setting(
        "open",
        values.one_of("open", "invitation", "closed"),
        "Who may make an account for themselves.",
    )
    email_verification: str = _setting(
        "later",
        values.one_of("required", "later", "off"),
        "Whether people who register confirm their address: before they sign in, at leisure,"
        " or not at all.",
    )
    email_key_lifetime: timedelta = _setting(
        DAY, values.duration(MINUTE, 30 * DAY), "How long a link that confirms an address works."
    )
    password_reset_lifetime: timedelta = _setting(
        60 * MINUTE, values.duration(MINUTE, 7 * DAY), "How long a link to a new password works."
    )
    invitation_lifetime: timedelta = _setting(
        7 * DAY, values.duration(MINUTE, 365 * DAY), "How long an invitation works."
    )
    password_min_length: int = _setting(
        8, values.whole_number(8, 64), "The shortest new password, in characters."
    )
    password_max_length: int = _setting(
        128, values.whole_number(64, 1024), "The longest new password, in characters."
    )
    password_hashing_slots: int = _setting(
        4, values.whole_number(1, 64), "Passwords that one process hashes at the same time."
    )
    recent_sign_in: timedelta = _setting(
        15 * MINUTE,
        values.duration(SECOND, DAY),
        "For so long after giving it, nobody is asked for their password again.",
    )
    refusal_time: timedelta | None = _setting(
        None,
        values.optional(values.duration(NONE, MINUTE)),
        "What a refused sign-in takes at least, whatever the reason; None: as long as the"
        " slowest of PASSWORD_HASHERS needs.",
    )
    social_timeout: timedelta = _setting(
        5 * SECOND,
        values.duration(SECOND, 30 * SECOND),
        "What a provider gets for all answers to one request, taken together.",
    )
    social_redirect_uris: tuple[str, ...] = _setting(
        (), values.texts, "Redirect URIs of apps that complete a social sign-in themselves."
    )
    social_allowed_networks: tuple[Any, ...] = _setting(
        (), values.networks, "Private networks in which providers may be asked."
    )
    social_host_overrides: tuple[tuple[str, str], ...] = _setting(
        (), values.hosts, "Where a provider's host is asked instead: for tests, with a stand-in."
    )
    impersonation: bool = _setting(
        False, values.yes_or_no, "Whether administrators may sign in as somebody else."
    )
    impersonation_lifetime: timedelta = _setting(
        30 * MINUTE, values.duration(MINUTE, DAY), "How long they may, at most, each time."
    )
    impersonation_writes: bool = _setting(
        False, values.yes_or_no, "Whether they may do more in somebody else's name than look."
    )
    audit_retention: timedelta = _setting(
        365 * DAY, values.duration(DAY, 36500 * DAY), "How long `authkit prune` keeps audit events."
    )


SPECIFICATION = {entry.name.upper(): entry for entry in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the AUTHKIT setting; `kind` is unknown, wrong or type."""

    kind: str
    key: str
    message: str
    mend: str


@lru_cache(maxsize=1)
def get() -> Settings:
    """The project's settings, parsed once and again when they change.

    Raises:
        ImproperlyConfigured: an unknown key or a value that its key does not take.
    """
    given = getattr(django_settings, "AUTHKIT", {})
    problems = problems_of(given)
    if problems:
        raise ImproperlyConfigured("; ".join(problem.message for problem in problems))
    return Settings(**{key.lower(): _parse(key, value) for key, value in given.items()})


def problems_of(given: object) -> list[Problem]:
    """What is wrong with an AUTHKIT dictionary, in words that name the key and the mend."""
    if not isinstance(given, Mapping):
        message = "The setting AUTHKIT is not a dictionary."
        return [Problem("type", "AUTHKIT", message, "Write AUTHKIT = {...}.")]
    found = (_problem_of(key, value) for key, value in given.items())
    return [problem for problem in found if problem is not None]


def default_of(key: str) -> object:
    """The default of a key in capitals."""
    default = SPECIFICATION[key].default
    return None if default is MISSING else default


def _problem_of(key: object, value: object) -> Problem | None:
    if not isinstance(key, str) or key not in SPECIFICATION:
        message = f"AUTHKIT has an unknown key {key!r}."
        return Problem("unknown", str(key), message, _nearest(str(key)))
    try:
        _parse(key, value)
    except values.Wrong as wrong:
        message = f"AUTHKIT[{key!r}] has a value that it does not take."
        return Problem("wrong", key, message, f"It takes {wrong}.")
    return None


def _parse(key: str, value: object) -> Any:
    parse: values.Parse = SPECIFICATION[key].metadata["parse"]
    return parse(value)


def _nearest(key: str) -> str:
    near = get_close_matches(key.upper(), SPECIFICATION, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "The keys are " + ", ".join(SPECIFICATION) + "."


def _forget(*, setting: str, **_: object) -> None:
    if setting == "AUTHKIT":
        get.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.conf")
