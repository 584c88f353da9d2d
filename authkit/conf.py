"""Every setting of authkit: its type, default, bounds and meaning.

A project sets them in one dictionary, ``AUTHKIT = {...}``. They are read when used, so
that `override_settings` works: ask `conf.get()` inside a function, never at import.
`problems_of` names what is wrong with a dictionary; system checks report it, and
`get()` refuses to work with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from authkit.kernel.limits import Limit, Limits

Parse = Callable[[object], Any]


class Wrong(ValueError):
    """A value that a setting does not take; the text says what it takes."""


def _setting(default: object, parse: Parse, meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


def _duration(at_least: timedelta, at_most: timedelta) -> Parse:
    def parse(value: object) -> timedelta:
        if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
            raise Wrong("a timedelta, or a number of seconds")
        length = value if isinstance(value, timedelta) else _seconds(value)
        if not at_least <= length <= at_most:
            raise Wrong(f"a duration from {at_least} to {at_most}")
        return length

    return parse


def _seconds(value: float) -> timedelta:
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise Wrong("a number of seconds that is not so large") from None


def _whole_number(at_least: int, at_most: int) -> Parse:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("a whole number")
        if not at_least <= value <= at_most:
            raise Wrong(f"a whole number from {at_least} to {at_most}")
        return value

    return parse


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong("True or False")
    return value


def _one_of(*choices: str) -> Parse:
    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Wrong("one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    return parse


def _text(at_most: int, characters: str = "") -> Parse:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= at_most:
            raise Wrong(f"a text of 1 to {at_most} characters")
        if characters and not set(value) <= set(characters):
            raise Wrong(f"a text made of {characters}")
        return value

    return parse


def _texts(value: object) -> tuple[str, ...]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not is_list or not all(isinstance(item, str) and item for item in value):  # type: ignore[attr-defined]
        raise Wrong("a list of texts")
    return tuple(value)  # type: ignore[arg-type]


def _networks(value: object) -> tuple[Any, ...]:
    try:
        return tuple(ip_network(text) for text in _texts(value))
    except ValueError:
        raise Wrong('a list of addresses or networks, such as "10.0.0.0/8"') from None


def _mappings(value: object) -> tuple[Mapping[str, object], ...]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not is_list or not all(isinstance(item, Mapping) for item in value):  # type: ignore[attr-defined]
        raise Wrong('a list of mappings, each with "alg", "key" and perhaps "kid"')
    return tuple(value)  # type: ignore[arg-type]


def _limits(value: object) -> Limits:
    """The limits that a mapping names, the defaults for the rest."""
    known = {entry.name for entry in fields(Limits)}
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise Wrong("a mapping of some of " + ", ".join(f'"{name}"' for name in sorted(known)))
    return Limits(**{name: _limit(pair) for name, pair in value.items()})


def _limit(value: object) -> Limit:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Wrong("for each name a pair: how many, and in how long a time")
    count, window = value
    return Limit(_whole_number(1, 1_000_000)(count), _duration(SECOND, DAY)(window))


def _hosts(value: object) -> tuple[tuple[str, str], ...]:
    is_mapping = isinstance(value, Mapping)
    if not is_mapping or not all(isinstance(t, str) for pair in value.items() for t in pair):  # type: ignore[attr-defined]
        raise Wrong('a mapping of hosts to base URLs, {"api.github.com": "http://127.0.0.1:9000"}')
    return tuple(value.items())  # type: ignore[attr-defined]


def _optional(parse: Parse) -> Parse:
    return lambda value: None if value is None else parse(value)


SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
NONE = timedelta(0)
_PREFIX = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a project, checked. The key of each is its name in capitals."""

    access_token_lifetime: timedelta = _setting(
        5 * MINUTE, _duration(SECOND, DAY), "Lifetime of a JWT access token."
    )
    refresh_token_lifetime: timedelta = _setting(
        14 * DAY,
        _duration(SECOND, 3650 * DAY),
        "A JWT session that is not refreshed for so long ends.",
    )
    session_lifetime: timedelta = _setting(
        90 * DAY, _duration(SECOND, 3650 * DAY), "Absolute end of any sign-in."
    )
    refresh_grace: timedelta = _setting(
        10 * SECOND,
        _duration(NONE, MINUTE),
        "For so long after a refresh the same refresh token gets the same answer again.",
    )
    jwt_revocation: str = _setting(
        "denylist",
        _one_of("stateless", "denylist", "stateful"),
        "When an access token of an ended session dies.",
    )
    max_staleness: timedelta = _setting(
        SECOND,
        _duration(NONE, MINUTE),
        "How long another process may act on what has just changed; 0: each request looks.",
    )
    jwt_issuer: str = _setting("authkit", _text(255), "Issuer (`iss`) of JWTs.")
    jwt_audience: str = _setting("authkit", _text(255), "Audience (`aud`) of JWTs.")
    jwt_signing_keys: tuple[Mapping[str, object], ...] = field(
        default=(),
        repr=False,
        metadata={
            "parse": _mappings,
            "meaning": "The key ring: the first signs, all verify. Empty: one key derived"
            " from SECRET_KEY.",
        },
    )
    jwt_user_claims: tuple[str, ...] = _setting(
        ("email",), _texts, "Fields of the user that are copied into access tokens."
    )
    token_lifetime: timedelta = _setting(
        30 * DAY, _duration(SECOND, 3650 * DAY), "Lifetime of opaque sign-in tokens."
    )
    token_prefix: str = _setting("ak_", _text(16, _PREFIX), "What every opaque token begins with.")
    personal_token_limit: int = _setting(
        100, _whole_number(1, 10_000), "Live personal access tokens of one person."
    )
    profile_fields: tuple[str, ...] = _setting(
        ("first_name", "last_name"), _texts, "What people may edit of themselves."
    )
    login_failure_limit: int = _setting(
        5, _whole_number(1, 100), "Failed sign-ins per account and address."
    )
    login_failure_window: timedelta = _setting(
        15 * MINUTE, _duration(SECOND, DAY), "How long failed sign-ins count."
    )
    limits: Limits = _setting(
        Limits(), _limits, "Wider limits: name -> (how many, in how long a time)."
    )
    trusted_proxies: tuple[Any, ...] = _setting(
        (), _networks, "Addresses whose X-Forwarded-For counts."
    )
    frontend_url: str | None = _setting(
        None, _optional(_text(2000)), "Where links in mails lead; None: the request's host."
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
        _texts,
        "Beginnings of dotted names of views that guard themselves: no rule is about them."
        " Pages of an admin site are always among them.",
    )
    registration: str = _setting(
        "open", _one_of("open", "invitation", "closed"), "Who may make an account for themselves."
    )
    email_verification: str = _setting(
        "later",
        _one_of("required", "later", "off"),
        "Whether people who register confirm their address: before they sign in, at leisure,"
        " or not at all.",
    )
    email_key_lifetime: timedelta = _setting(
        DAY, _duration(MINUTE, 30 * DAY), "How long a link that confirms an address works."
    )
    password_reset_lifetime: timedelta = _setting(
        60 * MINUTE, _duration(MINUTE, 7 * DAY), "How long a link to a new password works."
    )
    invitation_lifetime: timedelta = _setting(
        7 * DAY, _duration(MINUTE, 365 * DAY), "How long an invitation works."
    )
    password_min_length: int = _setting(
        8, _whole_number(8, 64), "The shortest new password, in characters."
    )
    password_max_length: int = _setting(
        128, _whole_number(64, 1024), "The longest new password, in characters."
    )
    password_hashing_slots: int = _setting(
        4, _whole_number(1, 64), "Passwords that one process hashes at the same time."
    )
    recent_sign_in: timedelta = _setting(
        15 * MINUTE,
        _duration(SECOND, DAY),
        "For so long after giving it, nobody is asked for their password again.",
    )
    refusal_time: timedelta | None = _setting(
        None,
        _optional(_duration(NONE, MINUTE)),
        "What a refused sign-in takes at least, whatever the reason; None: as long as the"
        " slowest of PASSWORD_HASHERS needs.",
    )
    social_timeout: timedelta = _setting(
        5 * SECOND,
        _duration(SECOND, 30 * SECOND),
        "What a provider gets for all answers to one request, taken together.",
    )
    social_redirect_uris: tuple[str, ...] = _setting(
        (), _texts, "Redirect URIs of apps that complete a social sign-in themselves."
    )
    social_allowed_networks: tuple[Any, ...] = _setting(
        (), _networks, "Private networks in which providers may be asked."
    )
    social_host_overrides: tuple[tuple[str, str], ...] = _setting(
        (), _hosts, "Where a provider's host is asked instead: for tests, with a stand-in."
    )
    impersonation: bool = _setting(
        False, _yes_or_no, "Whether administrators may sign in as somebody else."
    )
    impersonation_lifetime: timedelta = _setting(
        30 * MINUTE, _duration(MINUTE, DAY), "How long they may, at most, each time."
    )
    impersonation_writes: bool = _setting(
        False, _yes_or_no, "Whether they may do more in somebody else's name than look."
    )
    audit_retention: timedelta = _setting(
        365 * DAY, _duration(DAY, 36500 * DAY), "How long `authkit prune` keeps audit events."
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
    except Wrong as wrong:
        message = f"AUTHKIT[{key!r}] has a value that it does not take."
        return Problem("wrong", key, message, f"It takes {wrong}.")
    return None


def _parse(key: str, value: object) -> Any:
    parse: Parse = SPECIFICATION[key].metadata["parse"]
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
