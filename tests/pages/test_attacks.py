"""Attacks on the pages, and on the API where both are doors: what they tell, take and keep."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from authkit import urls_pages
from tests.api.callers import Caller, browser
from tests.api.test_register import HAS_USERNAMES
from tests.api.world import start_process
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.urls("tests.pages.urls"), pytest.mark.django_db(transaction=True)]

LIMITED = (
    *("sign_in_to_account", "sign_in_from_address", "registration", "mail"),
    *("password_reset", "verification", "token"),
)
UNLIMITED = {
    "REFUSAL_TIME": 0,
    "LOGIN_FAILURE_LIMIT": 100,
    "LIMITS": dict.fromkeys(LIMITED, (1_000_000, 900)),
}


@pytest.fixture(autouse=True)
def new_process(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")
    start_process()


# What an answer tells


def seen(response: Any, *typed: str) -> tuple[int, list[tuple[str, str]], str]:
    """All that is in an answer: status, headers, body; without what is random or was typed."""
    text = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", response.content.decode())
    for each in typed:
        text = text.replace(each, "")
    moving = {"Content-Length", "Expires"}  # with what was typed, and with the clock
    headers = [(name, value) for name, value in response.items() if name not in moving]
    cookies = sorted((name, str(m["max-age"])) for name, m in response.cookies.items())
    return response.status_code, sorted([*headers, ("cookies", str(cookies))]), text


def register_body(number: int, email: str) -> dict[str, str]:
    names = {"username": f"newcomer{number}"} if HAS_USERNAMES else {}
    return {**names, "email": email, "password": "seven rainy tuesdays"}


DOORS = [
    *("/auth/password/reset/", "/auth/email/verify/resend/", "/auth/register/"),
    *("/account/forgot/", "/account/resend/", "/account/sign-up/"),
    *("/auth/token/", "/auth/jwt/", "/auth/session/", "/account/sign-in/", "/admin/login/"),
]


@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", DOORS)
def test_no_header_and_no_word_tells_who_is_known(path: str):
    make_person("known")
    make_person("gone", is_active=False)
    make_person("social", password=None)
    answers = []
    for number, name in enumerate(("known", "nobody", "gone", "social")):
        email = f"{name}@example.com"
        if path.endswith(("/sign-up/", "/register/")):
            body = register_body(number, email)
        elif path.endswith(("/reset/", "/resend/", "/forgot/")):
            body = {"email": email}
        else:
            body = {"username": email, "password": "a wrong password"}
        if path.startswith("/auth/"):
            response = browser().post(path, body)
        else:
            response = Client().post(path, body)
        answers.append(seen(response, email, f"newcomer{number}"))
    assert answers[0][0] < 500
    assert all(answer == answers[1] for answer in answers)


# A session that somebody has planted


def plant(person: Any) -> str:
    """The cookie of an attacker's own sign-in, or of a stranger's session."""
    attacker = Client()
    attacker.force_login(person)
    return attacker.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.mark.parametrize("door", ["/auth/session/", "/account/sign-in/", "/admin/login/"])
@pytest.mark.parametrize("planted", ["an attacker's own", "a stranger's", "made up"])
def test_no_door_adopts_a_planted_session(door: str, planted: str):
    victim, mallory = make_person("victim", is_staff=True), make_person("mallory")
    if planted == "a stranger's":
        session = Client().session
        session["bait"] = "x"
        session.save()
        key = session.session_key or ""
    else:
        key = plant(mallory) if planted == "an attacker's own" else "a" * 32
    caller = browser()
    caller.client.cookies[settings.SESSION_COOKIE_NAME] = key
    body = {"username": victim.get_username(), "password": PASSWORD}
    if door.startswith("/auth/"):
        assert caller.post(door, body).status_code == 200
    else:
        token = {"csrfmiddlewaretoken": caller.client.cookies["csrftoken"].value}
        assert caller.client.post(door, {**body, **token}).status_code == 302
    assert caller.cookie not in (None, key)
    assert caller.get("/auth/session/").json()["user"]["username"] == victim.get_username()
    thief = Caller()
    thief.client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/auth/session/").json()["user"] is None
    assert "bait" not in caller.client.session or planted == "a stranger's"


# What is sent

PAGES = sorted(
    "/account/" + re.sub("<.*>", "x", str(pattern.pattern)) for pattern in urls_pages.urlpatterns
)
NAMES = ("username", "email", "password", "old_password", "new_password", "invitation", "next")
MORE = ("device", "account", "revoke", "name", "days", "scopes", "first_name", "last_name")
ODD: list[Any] = [
    "",
    "\x00",
    "a\x00b",
    "\ud800".encode("utf-8", "surrogatepass"),
    "NaN",
    "9" * 400,
    "%00",
]


@pytest.mark.default_user_only
@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", PAGES)
def test_no_form_breaks_a_page(path: str, person: Any):
    signed_in = Client(raise_request_exception=False)
    signed_in.force_login(person)
    for client in (Client(raise_request_exception=False), signed_in):
        for odd in ODD:
            fields: Any = dict.fromkeys((*NAMES, *MORE), odd)
            assert client.post(path, fields).status_code < 500, odd
            assert client.get(path, {"next": odd, "done": odd}).status_code < 500, odd


BODIES = {
    "deep JSON": (b"[" * 100_000, "application/json"),
    "a lone surrogate": (b'{"email": "\\ud800"}', "application/json"),
    "NaN": (b'{"email": NaN}', "application/json"),
    "large": (b"email=" + b"x" * 3_000_000, "application/x-www-form-urlencoded"),
    "many fields": (b"&".join(b"a=1" for _ in range(5_000)), "application/x-www-form-urlencoded"),
    "not UTF-8": (b"email=%ff%fe\xff", "application/x-www-form-urlencoded"),
    "an odd charset": (b"email=a", "application/x-www-form-urlencoded; charset=utf-7"),
    "no boundary": (b"--x\r\n", "multipart/form-data"),
    "half a part": (b"--x\r\nContent-Dis", "multipart/form-data; boundary=x"),
    "no type": (b"email=a", ""),
}


@pytest.mark.default_user_only
@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("asks_for_token", [False, True])
def test_no_body_breaks_a_page(path: str, asks_for_token: bool, person: Any):
    client = Client(enforce_csrf_checks=asks_for_token, raise_request_exception=False)
    client.force_login(person)
    for name, (body, content_type) in BODIES.items():
        for method in ("POST", "PUT", "BREW"):
            answer = client.generic(method, path, body, content_type)
            assert answer.status_code < 500, (name, method)
            client.force_login(person)
