"""What ``manage.py check --deploy`` says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings

pytestmark = pytest.mark.django_db

FIT: dict[str, Any] = {
    "LOGIN_URL": "admin:login",
    "REST_FRAMEWORK": {
        "DEFAULT_AUTHENTICATION_CLASSES": ["authkit.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["authkit.permissions.EndpointPermission"],
        "DEFAULT_FILTER_BACKENDS": ["authkit.filters.AccessFilterBackend"],
    },
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_NAME": "__Host-sessionid",
    "CSRF_COOKIE_SECURE": True,
    "DEBUG": False,
    "PASSWORD_HASHERS": [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ],
}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def said(*, include_deployment_checks: bool = True, **changed: Any) -> list[str | None]:
    with override_settings(**{**FIT, **changed}):
        messages = checks.run_checks(
            tags=["authkit"], include_deployment_checks=include_deployment_checks
        )
    assert all(message.level <= checks.WARNING and message.hint for message in messages)
    return [message.id for message in messages]


def test_what_is_fit_for_the_world_is_not_complained_of():
    assert said() == []


@pytest.mark.parametrize(
    ("changed", "check_id"),
    [
        (
            {"AUTHKIT": {"JWT_REVOCATION": "stateless", "ACCESS_TOKEN_LIFETIME": 16 * MINUTE}},
            "W105",
        ),
        ({"AUTHKIT": {"ACCESS_TOKEN_LIFETIME": 61 * MINUTE}}, "W106"),
        ({"AUTHKIT": {"SESSION_LIFETIME": 367 * DAY}}, "W107"),
        ({"AUTHKIT": {"MAX_STALENESS": 11}}, "W108"),
        ({"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}, "W109"),
        ({"PASSWORD_HASHERS": FIT["PASSWORD_HASHERS"][::-1]}, "W110"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "W123"),
        ({"SESSION_COOKIE_SAMESITE": False}, "W123"),
        ({"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, "W124"),
        ({"USE_X_FORWARDED_HOST": True}, "W124"),
        ({"SESSION_COOKIE_NAME": "sessionid"}, "I101"),
        ({"PASSWORD_HASHERS": ["tests.checks.weak.WeakArgon2Hasher"]}, "W131"),
        ({"AUTHKIT": {"PASSWORD_HASHING_SLOTS": 64}}, "W132"),
        ({"ALLOWED_HOSTS": ["*"]}, "W133"),
    ],
)
def test_what_is_not_is_named_before_a_deployment_only(changed, check_id):
    assert said(**changed) == [f"authkit.{check_id}"]
    assert said(include_deployment_checks=False, **changed) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"AUTHKIT": {"JWT_REVOCATION": "stateless", "ACCESS_TOKEN_LIFETIME": 15 * MINUTE}},
        {"AUTHKIT": {"ACCESS_TOKEN_LIFETIME": 60 * MINUTE}},
        {"AUTHKIT": {"SESSION_LIFETIME": 366 * DAY}},
        {"AUTHKIT": {"MAX_STALENESS": 10}},
        {"PASSWORD_HASHERS": ["authkit.hashers.Argon2idPasswordHasher"]},
        {"ALLOWED_HOSTS": ["*"], "AUTHKIT": {"FRONTEND_URL": "https://example.com"}},
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
        {"SESSION_ENGINE": "no.such.engine"},
        {"SESSION_COOKIE_SAMESITE": "Strict"},
        {"SESSION_COOKIE_NAME": "sessionid", "SESSION_COOKIE_DOMAIN": "example.com"},
        {"SESSION_COOKIE_NAME": "sessionid", "SESSION_COOKIE_PATH": "/app/"},
        {"USE_X_FORWARDED_HOST": True, "AUTHKIT": {"TRUSTED_PROXIES": ["10.0.0.0/8"]}},
    ],
)
def test_what_is_just_fit_passes(changed):
    assert said(**changed) == []


def test_settings_that_are_wrong_are_told_once():
    with override_settings(**FIT, AUTHKIT={"MAX_STALENESS": "x"}):
        found = checks.run_checks(tags=["authkit"], include_deployment_checks=True)
    assert [message.id for message in found] == ["authkit.E002"]


@pytest.mark.parametrize(
    "changed",
    [
        {"SESSION_COOKIE_SECURE": False},
        {"CSRF_COOKIE_SECURE": False},
        {"SESSION_COOKIE_HTTPONLY": False},
        {"DEBUG": True},
    ],
)
def test_what_django_says_itself_is_said_and_not_twice(changed):
    with override_settings(**{**FIT, **changed}):
        found = checks.run_checks(tags=["authkit", "security"], include_deployment_checks=True)
    [name] = changed
    about_it = [message.id for message in found if name in message.msg]
    assert len(about_it) == 1
    assert str(about_it[0]).startswith("security.")
