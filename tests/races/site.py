"""A server with several worker processes, and lines to each of them."""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

from tests.demo.server import PATIENCE, running
from tests.people import PASSWORD

WORKERS, THREADS = (4, 5) if connection.vendor == "postgresql" else (2, 3)
CALLERS = WORKERS * THREADS
TOKEN_LIMIT = CALLERS // 2
_LIMITS = (
    "sign_in_to_account",
    "sign_in_from_address",
    "token",
    "registration",
    "mail",
    "password_reset",
    "verification",
)
IS_LONG = os.environ.get("AUTHKIT_LONG_RUN") == "1"

chance = random.Random()  # noqa: S311 - no secret
figures = logging.getLogger("authkit.races")  # pytest --log-cli-level=INFO shows them


def rounds(few: int, many: int) -> int:
    """How often to do it: many times in a long run (AUTHKIT_LONG_RUN=1)."""
    return many if IS_LONG else few


@dataclass
class Answer:
    """What a worker said."""

    status: int
    body: bytes
    worker: int
    cookies: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Request:
    """What is asked of a worker."""

    method: str
    path: str
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def what(self) -> tuple[str, str, object]:
        return self.method, self.path, self.body


class Broken(Exception):
    """The worker went away without an answer."""


class Line:
    """A connection that is kept, and so leads to one worker."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address, timeout=PATIENCE)
        self.worker = 0

    def send(self, method: str, path: str, body: object = None, **headers: str) -> None:
        data = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        kind = {} if data is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, path, data, {**kind, **headers})
        except OSError as error:
            self.close()
            raise Broken from error

    def receive(self) -> Answer:
        try:
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            self.close()
            raise Broken from error
        assert response.status < 500, body
        self.worker = int(response.headers["X-Worker"])
        jar: SimpleCookie = SimpleCookie()
        for line in response.headers.get_all("Set-Cookie") or ():
            jar.load(line)
        cookies = {name: morsel.value for name, morsel in jar.items()}
        return Answer(response.status, body, self.worker, cookies)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        self.send(method, path, body, **headers)
        return self.receive()

    def fileno(self) -> int:
        """So that `select` can wait for it."""
        return self._connection.sock.fileno()

    def close(self) -> None:
        self._connection.close()


@dataclass
class SignIn:
    """What a person holds after signing in."""

    kind: str
    session_id: str
    headers: dict[str, str] = field(repr=False)
    refresh: str = field(default="", repr=False)


@dataclass
class Site:
    """A server, until its process is told to stop."""

    address: str
    log: Path
    _opened: list[Line] = field(default_factory=list)

    def line(self) -> Line:
        self._opened.append(Line(self.address))
        return self._opened[-1]

    def lines(self, count: int) -> list[Line]:
        """So many lines, as many to one worker as to the other."""
        kept: list[Line] = []
        having: Counter[int] = Counter()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            line = self.line()
            try:
                worker = line.call("GET", "/who/").worker
            except Broken:  # a worker that has just been killed had accepted it
                time.sleep(0.01)
                continue
            if having[worker] * WORKERS < count:
                having[worker] += 1
                kept.append(line)
            else:
                line.close()
            if len(kept) == count:
                return kept
        raise RuntimeError(f"Not all workers answer: {dict(having)}")

    def hang_up(self) -> None:
        while self._opened:
            self._opened.pop().close()


@contextmanager
def serving(
    database_url: str,
    folder: Path,
    *,
    sqlite: str = "prepared",
    caches: Mapping[str, object] | None = None,
    **authkit: object,
) -> Iterator[Site]:
    """gunicorn, with these settings of authkit. An answer of 5xx is a failure (`Line`)."""
    authkit["PERSONAL_TOKEN_LIMIT"] = TOKEN_LIMIT
    authkit.setdefault("LOGIN_FAILURE_LIMIT", 100)
    authkit.setdefault("LIMITS", {name: [100_000, 900] for name in _LIMITS})
    options = {
        "bind": "127.0.0.1:0",
        "workers": WORKERS,
        "worker-class": "gthread",
        "threads": THREADS,
        "keep-alive": 120,
        "graceful-timeout": 1,
        "env": f"AUTHKIT_OF_RACES={json.dumps(authkit)}",
    }
    command = [
        *(sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()"),
        *("--preload", "--env", "DJANGO_SETTINGS_MODULE=tests.races.settings"),
        *("--env", f"SQLITE_OF_RACES={sqlite}"),
        *("--env", f"CACHES_OF_RACES={json.dumps(caches or {})}"),
        *(text for name, value in options.items() for text in (f"--{name}", str(value))),
    ]
    log, announces = folder / "log", r"Listening at: (http://127\.0\.0\.1:\d+)"
    with running(command, database_url=database_url, log=log, announces=announces) as server:
        site = Site(urlsplit(server.url).netloc, log)
        yield site
        site.hang_up()


def at_once(lines: Sequence[Line], requests: Sequence[Request]) -> list[Answer]:
    """Send each request down a line of its own, in any order, and then wait for the answers."""
    pause = chance.choice([0, 0, 0.001])
    pairs = list(zip(lines, requests, strict=False))
    assert len(pairs) == len(requests)
    for line, request in chance.sample(pairs, len(pairs)):
        line.send(*request.what, **request.headers)
        time.sleep(pause * chance.random())
    return [line.receive() for line, _ in pairs]


def make_person(line: Line) -> str:
    """Somebody new; the user name."""
    username: str = line.call("POST", "/people/").json["username"]
    return username


def sign_in(line: Line, username: str, kind: str = "jwt") -> SignIn:
    """Sign a person in."""
    cookies = line.call("GET", "/auth/session/").cookies if kind == "session" else {}
    request = sign_in_request(username, kind)
    answer = line.call(*request.what, **_with_cookies(cookies))
    assert answer.status == 200, answer.body
    return signed_in(kind, answer)


def sign_in_request(username: str, kind: str, password: str = PASSWORD) -> Request:
    return Request("POST", f"/auth/{kind}/", {"username": username, "password": password})


def refresh_request(text: str) -> Request:
    return Request("POST", "/auth/jwt/refresh/", {"refresh": text})


def who_request(held: SignIn) -> Request:
    return Request("GET", "/who/", headers=held.headers)


def signed_in(kind: str, answer: Answer) -> SignIn:
    """What an answer to a sign-in, or to a refresh, has given."""
    given = answer.json
    if kind == "session":
        headers = _with_cookies(answer.cookies)
    else:
        headers = {"Authorization": f"Bearer {given.get('access') or given.get('token')}"}
    session_id = given["session"]["id"] if "session" in given else ""
    return SignIn(kind, session_id, headers, given.get("refresh", ""))


def _with_cookies(cookies: dict[str, str]) -> dict[str, str]:
    if not cookies:
        return {}
    pairs = "; ".join(f"{name}={text}" for name, text in cookies.items())
    return {"Cookie": pairs, "X-CSRFToken": cookies["csrftoken"]}


def survivors(lines: Sequence[Line], held: Iterable[SignIn]) -> list[SignIn]:
    """Which of these still open a door, at any worker."""
    return [one for one in held if _opens_a_door(lines, one)]


def _opens_a_door(lines: Sequence[Line], one: SignIn) -> bool:
    answers = at_once(lines, [who_request(one)] * len(lines))
    if one.refresh:
        answers.append(lines[0].call(*refresh_request(one.refresh).what))
    assert {answer.status for answer in answers} <= {200, 401}
    return any(answer.status == 200 for answer in answers)
