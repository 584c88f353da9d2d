"""Whether authkit stands where it works."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import checks
from django.test import override_settings

from authkit.authentication import JWTAuthentication
from authkit.backends import AuthkitBackend
from authkit.middleware import AuthkitMiddleware

pytestmark = pytest.mark.any_user_model

OURS = "authkit.middleware.AuthkitMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
WITHOUT = [path for path in settings.MIDDLEWARE if path != OURS]
SIMPLEJWT = "rest_framework_simplejwt.authentication"


class OwnMiddleware(AuthkitMiddleware):
    """A project's."""


class OwnBackend(AuthkitBackend):
    """A project's."""


class OwnJWTAuthentication(JWTAuthentication):
    """A project's."""


def said(**changed: Any) -> list[tuple[str | None, int]]:
    with override_settings(**changed):
        return [(each.id, each.level) for each in checks.run_checks(tags=["authkit"])]


def test_without_the_middleware_there_is_an_error():
    assert said(MIDDLEWARE=WITHOUT) == [("authkit.E008", checks.ERROR)]


def test_before_djangos_it_is_an_error():
    place = WITHOUT.index(DJANGOS)
    wrong = [*WITHOUT[:place], OURS, *WITHOUT[place:]]
    assert said(MIDDLEWARE=wrong) == [("authkit.E009", checks.ERROR)]


def test_a_subclass_of_the_middleware_will_do():
    assert said(MIDDLEWARE=[*WITHOUT, f"{__name__}.OwnMiddleware"]) == []


def test_middleware_that_does_not_exist_is_djangos_to_complain_of():
    assert said(MIDDLEWARE=[*settings.MIDDLEWARE, "no.such.thing"]) == []


def test_without_the_backend_there_is_a_warning():
    plain = ["django.contrib.auth.backends.ModelBackend"]
    assert said(AUTHENTICATION_BACKENDS=plain) == [("authkit.W003", checks.WARNING)]


def test_a_backend_that_takes_passwords_before_ours_is_a_warning():
    ours, plain = "authkit.backends.AuthkitBackend", "django.contrib.auth.backends.ModelBackend"
    assert said(AUTHENTICATION_BACKENDS=[plain, ours]) == [("authkit.W005", checks.WARNING)]
    assert said(AUTHENTICATION_BACKENDS=[ours, plain]) == []


def test_a_subclass_of_the_backend_will_do():
    assert said(AUTHENTICATION_BACKENDS=[f"{__name__}.OwnBackend"]) == []


@pytest.mark.parametrize("name", ["JWTAuthentication", "JWTStatelessUserAuthentication"])
def test_simplejwts_own_class_among_the_defaults_is_a_warning(name):
    listed = ["authkit.authentication.JWTAuthentication", f"{SIMPLEJWT}.{name}"]
    rest_framework = {"DEFAULT_AUTHENTICATION_CLASSES": listed}
    assert said(REST_FRAMEWORK=rest_framework) == [("authkit.W004", checks.WARNING)]


def test_a_subclass_of_our_own_class_is_not():
    rest_framework = {"DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.OwnJWTAuthentication"]}
    assert said(REST_FRAMEWORK=rest_framework) == []


@pytest.mark.parametrize("rest_framework", [{}, None])
def test_without_defaults_there_is_nothing_to_say(rest_framework):
    assert said(REST_FRAMEWORK=rest_framework) == []
