"""Whatever is sent to whatever address of `authkit.urls`: nothing answers with a 5xx."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.test import override_settings

from authkit import urls
from tests.api.callers import Caller, browser, sign_in
from tests.api.test_bodies import BROKEN, TOO_LARGE

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [
    pytest.mark.urls("tests.api.urls"),
    pytest.mark.django_db,
    pytest.mark.default_user_only,
]

#: A value for each kind of path converter.
SAMPLES: dict[str, object] = {
    "UUIDConverter": UUID("00000000-0000-4000-8000-000000000000"),
    "IntConverter": 1,
    "SlugConverter": "0123456789abcdef",
    "StringConverter": "google",
    "PathConverter": "a/b",
}
METHODS = ["POST", "PUT", "PATCH", "DELETE"]
UNLIMITED = {
    "LOGIN_FAILURE_LIMIT": 100,
    "LIMITS": dict.fromkeys(
        ("sign_in_to_account", "sign_in_from_address", "token", "registration"), (100_000, 900)
    ),
}
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
]


def _path_of(pattern: Any) -> str:
    path = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        sample = str(SAMPLES[type(converter).__name__])
        start, end = path.index("<"), path.index(">")
        assert path[start:end].endswith(name)
        path = path[:start] + sample + path[end + 1 :]
    return f"/auth/{path}"


PATHS = [_path_of(pattern) for pattern in urls.urlpatterns if hasattr(pattern, "callback")]


@pytest.fixture(autouse=True)
def _no_noise(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.fixture
def callers(person: AbstractUser) -> list[Caller]:
    return [browser(), sign_in("session", person), sign_in("token", person)]


@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", PATHS)
def test_no_body_breaks_it(path: str, callers: list[Caller]):
    twice = b'{"username": "a", "username": "b", "password": 1, "password": [], "token": {}}'
    bodies = [*BROKEN.values(), *list(TOO_LARGE.values())[:3], twice]
    for body in bodies:
        for method in METHODS:
            for caller in callers:
                response = caller.call(method, path, body)
                assert response.status_code < 500, (method, body[:50])


@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", PATHS)
def test_no_content_type_breaks_it(path: str, callers: list[Caller]):
    for content_type in CONTENT_TYPES:
        for body in (b"x=1", b"\xff\xfe\x00", b'{"username": "a"}', b"[" * 100_000):
            for caller in callers:
                response = caller.call("POST", path, body, content_type=content_type)
                assert response.status_code < 500, (content_type, body[:20])
