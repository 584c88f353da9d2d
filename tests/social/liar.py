"""An OpenID provider on loopback that can be told to lie, in every way."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = "k1"

Answer = tuple[int, dict[str, str], bytes]


def jwk(key: rsa.RSAPrivateKey = KEY, **more: Any) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {**public, "use": "sig", "alg": "RS256", "kid": KID, **more}


def as_json(value: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


class Liar:
    """Tells the truth unless told otherwise.

    `discovery`, `id_token`, `token` and `userinfo` are merged over what is true; a value of
    None takes the member away. `sign` makes the ID token, `keys` are published, and
    `answers` replaces the answer at a path altogether.
    """

    client_id = "the client"
    secret = "the secret"

    def __init__(self, url: str) -> None:
        self.url = url
        self.issuer = url
        self.subject = "subject-1"
        self.discovery: dict[str, Any] = {}
        self.id_token: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.keys: list[dict[str, Any]] = [jwk()]
        self.answers: dict[str, Callable[[], Answer | None]] = {}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
            claims, KEY, "RS256", headers={"kid": KID}
        )
        self.person: dict[str, Any] = {
            "email": "vera@example.org",
            "email_verified": True,
            "name": "Vera Example",
            "given_name": "Vera",
            "family_name": "Example",
            "preferred_username": "vera",
        }
        self.begun: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.authorization_url = f"{url}/authorize"
        self.bodies: dict[str, dict[str, str]] = {}
        self.headers: dict[str, Any] = {}

    def authorize(self, authorization_url: str) -> dict[str, str]:
        """What the browser brings back when the person has said yes."""
        parts = urlsplit(authorization_url)
        given = dict(parse_qsl(parts.query))
        assert parts._replace(query="").geturl() == self.authorization_url
        assert given["response_type"] == "code"
        assert given["client_id"] == self.client_id
        code = f"code-{len(self.begun)}"
        self.begun[code] = given
        return {"code": code, "state": given["state"], "iss": self.issuer}

    def answer(self, path: str, body: dict[str, str], headers: Any) -> Answer | None:
        self.asked.append(path)
        self.bodies[path], self.headers[path] = body, headers
        if path in self.answers:
            return self.answers[path]()
        match path:
            case "/.well-known/openid-configuration":
                return as_json(_merged(self.document(), self.discovery))
            case "/jwks":
                return as_json({"keys": self.keys})
            case "/token":
                return self._token(body)
            case "/me":
                return as_json(_merged({"sub": self.subject, **self.person}, self.userinfo))
        return as_json({}, 404)

    def redeem(self, body: dict[str, str]) -> dict[str, str] | None:
        """What was begun with this code, if everything fits (RFC 6749 §4.1.3, RFC 7636 §4.6)."""
        begun = self.begun.pop(body.get("code", ""), None)
        if begun is None or body.get("redirect_uri") != begun["redirect_uri"]:
            return None
        digest = hashlib.sha256(body.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return begun if challenge == begun.get("code_challenge") else None

    def document(self) -> dict[str, Any]:
        """What it publishes of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/me",
            "jwks_uri": f"{self.url}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }

    def _token(self, body: dict[str, str]) -> Answer:
        begun = self.redeem(body)
        if begun is None:
            return as_json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        access = f"at-{now}-{len(self.asked)}"
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "nonce": begun.get("nonce"),
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.person,
        }
        true = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": "rt-1",
            "id_token": self.sign(_merged(claims, self.id_token)),
        }
        return as_json(_merged(true, self.token))


def _merged(true: dict[str, Any], lies: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**true, **lies}.items() if value is not None}


@contextmanager
def serving() -> Iterator[Liar]:
    """A provider that answers at a port of its own, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            fields = parse_qs(self.rfile.read(length).decode())
            body = {name: values[0] for name, values in fields.items()}
            answer = liar.answer(urlsplit(self.path).path, body, self.headers)
            if answer is None:
                self._drip()
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def _drip(self) -> None:
            """An octet now and then, for as long as anybody listens (at most 20 s)."""
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for number in range(100):
                    time.sleep(0.2)
                    self.wfile.write(f"X-{number}: drip\r\n".encode())
                    self.wfile.flush()
            except OSError:
                pass
            self.close_connection = True

        def handle(self) -> None:
            with suppress(OSError):  # hung up on
                super().handle()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    liar = Liar(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
