"""Requests as a WSGI server makes them: no test client, no request factory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Self

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings

Environ = dict[str, Any]

#: What stands before the view. Of a contender's cost, the same stack without its
#: credential is subtracted, and for "authkit" also authkit's own middleware is counted.
_DJANGO = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
STACKS = {
    "bare": [],
    "django": _DJANGO,
    "authkit": [*_DJANGO, "authkit.middleware.AuthkitMiddleware"],
}


class Answer:
    """A response, as far as a benchmark looks at it."""

    def __init__(self, status: str, body: bytes) -> None:
        self.status = status
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Application:
    """Django, with one of the stacks."""

    def __init__(self, stack: str) -> None:
        with override_settings(MIDDLEWARE=STACKS[stack]):
            self._handler = WSGIHandler()
        self._status = ""

    def __call__(self, environ: Environ) -> Answer:
        """Serve one request, to the end of its body."""
        response: Any = self._handler(environ, self._start)
        body = b"".join(response)
        response.close()  # Django sends request_finished here
        return Answer(self._status, body)

    def _start(self, status: str, headers: Iterable[tuple[str, str]], *_: object) -> None:
        self._status = status


def environ(
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, object] | None = None,
    **more: object,
) -> Environ:
    """A WSGI environment as gunicorn makes it; with `data`, a POST of JSON."""
    body = b"" if data is None else json.dumps(data).encode()
    found: Environ = {
        "REQUEST_METHOD": "GET" if data is None else "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "benchmarks",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate",
        "HTTP_USER_AGENT": "benchmarks",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body:
        found |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    named = {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in (headers or {}).items()
    }
    return found | named | more


class Statements:
    """Counts the queries inside ``with``; what begins and ends transactions is none."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._wrapper = connection.execute_wrapper(self._count)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._wrapper.__exit__(*exc_info)

    def _count(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT")):
            self.count += 1
        return execute(sql, params, many, context)
