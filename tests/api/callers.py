"""Whoever calls: a browser or a program, and the credentials that it holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.test import Client

from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

#: What a person signs in with, and a token that hangs from no sign-in.
SIGN_INS = ("session", "token", "jwt")
KINDS = (*SIGN_INS, "personal")


class Caller:
    """A client that remembers cookies, checks CSRF and sees error pages as at a real site.

    `authorization` is sent as header with each call, unless it is None. A browser sends
    the CSRF token that its cookie holds, unless told not to.
    """

    def __init__(self, authorization: str | None = None, **environment: Any) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False, **environment)
        self.authorization = authorization
        self.answer: dict[str, Any] = {}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        csrf: bool = True,
        headers: dict[str, str] | None = None,
        **environment: Any,
    ) -> Any:
        given = {**(headers or {})}
        if self.authorization is not None:
            given.setdefault("Authorization", self.authorization)
        token = self.client.cookies.get(settings.CSRF_COOKIE_NAME)
        if csrf and token is not None:
            given.setdefault("X-CSRFToken", token.value)
        data = b"" if body is None else body
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        kind = "" if body is None else content_type
        return self.client.generic(method, path, data, kind, headers=given, **environment)

    def get(self, path: str, **how: Any) -> Any:
        return self.call("GET", path, **how)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.call("POST", path, body, **how)

    def patch(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.call("PATCH", path, body, **how)

    def delete(self, path: str, **how: Any) -> Any:
        return self.call("DELETE", path, **how)

    @property
    def session_id(self) -> str:
        return str(self.answer["session"]["id"])

    @property
    def access(self) -> str:
        return str(self.answer["access"])

    @property
    def refresh(self) -> str:
        return str(self.answer["refresh"])

    @property
    def token(self) -> str:
        return str(self.answer["token"])

    @property
    def cookie(self) -> str | None:
        morsel = self.client.cookies.get(settings.SESSION_COOKIE_NAME)
        return morsel.value if morsel is not None and morsel.value else None


def stranger() -> Caller:
    return Caller()


def browser() -> Caller:
    """Someone who has the CSRF cookie, and has not signed in."""
    caller = Caller()
    assert caller.get("/auth/session/").status_code == 200
    return caller


def with_cookie(key: str | None) -> Caller:
    """A browser into which this session key was put."""
    caller = browser()
    caller.client.cookies[settings.SESSION_COOKIE_NAME] = key or ""
    return caller


def bearer(text: str) -> Caller:
    return Caller(f"Bearer {text}")


def sign_in(kind: str, person: AbstractUser, password: str = PASSWORD) -> Caller:
    """Somebody who has just signed in over HTTP, in one of the ways of `KINDS`."""
    if kind == "personal":
        return personal(person, password=password)
    caller = browser() if kind == "session" else Caller()
    answer = caller.post(
        f"/auth/{kind}/", {"username": person.get_username(), "password": password}
    )
    assert answer.status_code == 200, answer.content
    caller.answer = answer.json()
    if kind != "session":
        carrier = caller.answer["token" if kind == "token" else "access"]
        caller.authorization = f"Bearer {carrier}"
    return caller


def personal(person: AbstractUser, password: str = PASSWORD, **body: Any) -> Caller:
    """A program with a personal access token, made by its owner over HTTP."""
    owner = sign_in("token", person, password)
    answer = owner.post("/auth/tokens/", {"name": "a script", **body})
    assert answer.status_code == 201, answer.content
    assert owner.delete("/auth/token/").status_code == 204
    caller = bearer(answer.json()["token"])
    caller.answer = answer.json()
    return caller


def who(response: Any) -> Any:
    """Whom a view of `tests.api.views` saw; the status where it was not reached."""
    return response.json()["user"] if response.status_code == 200 else response.status_code
