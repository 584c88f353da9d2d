"""A client of the demo that carries at most one credential."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPMessage
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from demo_project.showcase.people import PASSWORD


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


@dataclass
class Client:
    """One device: it keeps its cookies, and a bearer credential if it has one."""

    url: str
    authorization: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Make a request; a body is sent as JSON. Redirects are not followed."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data, {**self._headers(data), **headers})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        self._keep_cookies(response.headers)
        return Answer(response.status, response.headers, text)

    def get(self, path: str) -> Answer:
        """GET."""
        return self.call("GET", path)

    def sign_in(self, username: str, kind: str, password: str = PASSWORD) -> Client:
        """Sign in, and carry what was given from now on."""
        self.get("/auth/session/")  # the CSRF cookie
        credentials = {"username": username, "password": password}
        answer = self.call("POST", f"/auth/{kind}/", credentials)
        assert answer.status == HTTPStatus.OK, answer.text
        if kind != "session":
            token = answer.json.get("access") or answer.json["token"]
            self.authorization = f"Bearer {token}"
            self.cookies.clear()
        return self

    def _headers(self, data: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self.authorization:
            headers["Authorization"] = self.authorization
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
            headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        return headers

    def _keep_cookies(self, headers: HTTPMessage) -> None:
        for line in headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
