"""A provider on loopback that speaks OAuth 1.0a, and checks each signature (oauthlib's server)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    AccessTokenEndpoint,
    RequestTokenEndpoint,
    RequestValidator,
    ResourceEndpoint,
)

Answer = tuple[dict[str, str], str | None, int]


class Books(RequestValidator):  # type: ignore[misc]
    """What the provider has written down: request tokens, verifiers, access tokens, nonces."""

    client_key, client_secret = "the-client", "the secret of the client"
    dummy_client = dummy_request_token = dummy_access_token = "dummy"
    enforce_ssl = False
    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    nonce_length = client_key_length = request_token_length = verifier_length = (4, 64)
    access_token_length = (4, 64)
    realms: tuple[str, ...] = ()
    safe_characters = RequestValidator.safe_characters.fget(None) | {"-"}

    def __init__(self) -> None:
        super().__init__()
        self.requested: dict[str, dict[str, str]] = {}
        self.access: dict[str, str] = {}
        self.nonces: set[tuple[str, ...]] = set()

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self.client_secret if client_key == self.client_key else "dummy"

    def get_request_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.requested.get(token, {}).get("secret", "dummy")

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.access.get(token, "dummy")

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == self.client_key

    def validate_request_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.requested

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.access

    def validate_timestamp_and_nonce(
        self, client_key: str, timestamp: str, nonce: str, request: Any, **tokens: Any
    ) -> bool:
        entry = (timestamp, nonce, *(str(each) for each in tokens.values()))
        is_new = entry not in self.nonces and abs(int(timestamp) - time.time()) < 300
        self.nonces.add(entry)
        return is_new

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Any) -> bool:
        return verifier == self.requested.get(token, {}).get("verifier")

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Any) -> bool:
        return True

    def validate_requested_realms(self, *_: Any) -> bool:
        return True

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        return True

    def get_default_realms(self, *_: Any) -> list[str]:
        return []

    def get_realms(self, *_: Any) -> list[str]:
        return []

    def save_request_token(self, token: dict[str, str], request: Any) -> None:
        written = {"secret": token["oauth_token_secret"], "callback": request.redirect_uri}
        self.requested[token["oauth_token"]] = written

    def save_access_token(self, token: dict[str, str], request: Any) -> None:
        self.access[token["oauth_token"]] = token["oauth_token_secret"]

    def invalidate_request_token(self, client_key: str, request_token: str, request: Any) -> None:
        del self.requested[request_token]


class Signing:
    """The provider, as https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a says.

    `lies` replaces the answer at a path; one that is None keeps whoever asks waiting.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.books = Books()
        self.person: dict[str, Any] = {"id": 2244994945, "name": "X Dev", "screen_name": "XDev"}
        self.credentials = {"user_id": "2244994945"}  # beside the access token
        self.lies: dict[str, Callable[[], Answer | None]] = {}
        self.asked: list[str] = []
        self.headers: dict[str, Any] = {}

    def answer(self, method: str, path: str, headers: Any) -> Answer | None:
        place = urlsplit(path).path
        self.asked.append(place)
        self.headers[place] = headers
        if place in self.lies:
            return self.lies[place]()
        asked = (self.url + path, method, None, dict(headers.items()))
        made: Answer
        match _meaning_of(place, headers):
            case "request_token":
                made = RequestTokenEndpoint(self.books).create_request_token_response(*asked)
            case "access_token":
                access = AccessTokenEndpoint(self.books)
                made = access.create_access_token_response(*asked, credentials=self.credentials)
            case "verify_credentials.json":
                resource = ResourceEndpoint(self.books)
                is_signed, _ = resource.validate_protected_resource_request(*asked, realms=[])
                made = as_json(self.person) if is_signed else as_json({"errors": []}, 401)
            case _:
                made = as_json({}, 404)
        return made

    def authorize(self, authorization_url: str) -> dict[str, str]:
        """What the browser brings back when the person has said yes."""
        token = dict(parse_qsl(urlsplit(authorization_url).query))["oauth_token"]
        written = self.books.requested[token]
        written["verifier"] = f"verifier-{len(self.books.requested)}-{token[:8]}"
        back = dict(parse_qsl(urlsplit(written["callback"]).query))
        return {**back, "oauth_token": token, "oauth_verifier": written["verifier"]}

    def deny(self, authorization_url: str) -> dict[str, str]:
        """What the browser brings back when the person has said no."""
        back = self.authorize(authorization_url)
        return {"state": back["state"], "denied": back["oauth_token"]}


def _meaning_of(place: str, headers: Any) -> str:
    """What is asked for there; Evernote has one address for both tokens."""
    if place != "/oauth":
        return place.rpartition("/")[2]
    return "access_token" if "oauth_verifier" in headers["Authorization"] else "request_token"


def as_json(value: Any, status: int = 200) -> Answer:
    return {"Content-Type": "application/json"}, json.dumps(value), status


def as_form(value: dict[str, str] | list[tuple[str, str]], status: int = 200) -> Answer:
    return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(value), status


@contextmanager
def signing() -> Iterator[Signing]:
    """The provider, answering at a port of its own until the end of the block."""
    is_over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = provider.answer(self.command, self.path, self.headers)
            if answer is None:
                is_over.wait(10)
                return
            headers, text, status = answer
            content = (text or "").encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # hung up on
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = Signing(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()
