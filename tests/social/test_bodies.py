"""Odd bodies and methods at the doors of social login: refused, in one shape, never a 500."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

BODIES = [
    b"",
    b"[]",
    b"null",
    b'"x"',
    b"[" * 100_000,
    b'{"link": [1]}',
    b'{"link": {"a": 1}}',
    b'{"state": "\\ud800", "transaction": "\\ud800", "pause": "\\ud800"}',
    b'{"state": "\\u0000", "transaction": "\\u0000", "pause": "\\u0000"}',
    b'{"state": NaN, "pause": NaN, "link": NaN}',
    b'{"state": "x", "transaction": "\xc3\xa9", "code": "x", "deliver": "token"}',
    b'{"pause": "x", "deliver": "token", "email": {"a": []}}',
    b'{"redirect_uri": "//evil.example", "state": "' + b"x" * 3_000_000 + b'"}',
]


@pytest.mark.parametrize("door", ["begin", "complete", "resume"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_odd_bodies_are_refused(offer, door: str, body: bytes):
    offer()
    path = f"/auth/social/house/{door}/"
    answer = Client().post(path, body, content_type="application/json")
    assert 200 <= answer.status_code < 500
    if answer.status_code >= 400:
        assert {"code"} <= set(answer.json())


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "path", ["", *(f"house/{p}/" for p in ("begin", "complete", "login", "callback", "continue"))]
)
def test_odd_methods_do_nothing(offer, method: str, path: str):
    offer()
    answer = Client().generic(method, f"/auth/social/{path}")
    assert answer.status_code < 500
    assert not answer.cookies.get("sessionid")


@pytest.mark.parametrize("cookie", ["\x00", "é", "x" * 9000])
def test_odd_cookies_are_refused(offer, cookie: str):
    offer()
    client = Client()
    client.cookies["authkit_pause"] = "x"
    client.cookies["authkit_pause"].set("authkit_pause", cookie, cookie)
    assert client.get("/auth/social/house/continue/").status_code == 403
