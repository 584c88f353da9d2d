"""Requests to providers: to public addresses, encrypted, not redirected, short and small.

Whatever a provider's document says (or whoever may write it), a request goes by https
(http to this machine only), to an address that was judged before it was connected to,
follows no redirect, and takes no more than its time and size, headers and slow octets
included.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from authkit import conf, signals
from authkit.social import addresses

#: Octets of an answer; no token, key set or profile is larger.
MAX_LENGTH = 1024 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlRefused(requests.exceptions.InvalidURL):
    """A URL that is not asked at all."""


class Budget:
    """How much time is left for all that one request of ours asks of a provider."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.whole = seconds
        self._ends_at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._ends_at - time.monotonic())


def send(method: str, url: str, *, budget: Budget, **parts: Any) -> requests.Response:
    """Ask, and return the answer, whatever its status.

    Args:
        method: of HTTP.
        url: where; its host may be overridden by SOCIAL_HOST_OVERRIDES.
        budget: the time that is left.
        parts: headers, data, json, auth, params, as `requests` takes them.

    Raises:
        requests.RequestException: it may not be asked, or gave no answer that is taken.
    """
    target = _overridden(url)
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: the connection goes where it was judged
        request = session.prepare_request(requests.Request(method, target, **parts))
        with _told(request) as outcome:
            response = PinnedAdapter(budget).send(request)
            outcome.append(response.status_code)
        return response


@contextlib.contextmanager
def _told(request: requests.PreparedRequest) -> Iterator[list[int]]:
    """Around asking: tell the project how it went."""
    outcome: list[int] = []
    started = time.monotonic()
    try:
        yield outcome
    finally:
        signals.provider_asked.send_robust(
            sender=None,
            method=request.method,
            url=str(request.url).partition("?")[0],
            status=outcome[0] if outcome else None,
            duration=time.monotonic() - started,
        )


class PinnedAdapter(BaseAdapter):
    """Sends a prepared request to an address that passed, within the time that is left."""

    def __init__(self, budget: Budget) -> None:
        """Count against this budget."""
        super().__init__()
        self._budget = budget

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Connect, ask, read. A provider cannot stretch any of it."""
        parts = urlsplit(request.url or "")
        _require_safe(parts)
        try:
            return self._exchange(request, parts)
        except requests.RequestException:
            raise
        except addresses.AddressRefused as error:
            raise UrlRefused(str(error), request=request) from error
        except ssl.SSLError as error:
            self._raise_if_late(request, error)
            raise requests.exceptions.SSLError(str(error), request=request) from error
        except TimeoutError as error:
            raise requests.Timeout("no answer in time", request=request) from error
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # The last two come from a socket that was shut down under its reader.
            self._raise_if_late(request, error)
            raise requests.ConnectionError(type(error).__name__, request=request) from error

    def close(self) -> None:
        """Nothing is kept open."""

    def _raise_if_late(self, request: requests.PreparedRequest, error: Exception) -> None:
        if not self._budget.left:
            raise requests.Timeout("no answer in time", request=request) from error

    def _exchange(self, request: requests.PreparedRequest, parts: SplitResult) -> requests.Response:
        host, port = str(parts.hostname), parts.port or _DEFAULT_PORTS[parts.scheme]
        found = addresses.resolve(host, port, timeout=self._budget.left)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connect(found, host, port, parts.scheme)
        with contextlib.closing(connection), self._watched(connection.sock):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {
                **request.headers,
                "Host": parts.netloc,
                "Accept-Encoding": "identity",
                "Connection": "close",
            }
            body: Any = request.body
            connection.request(str(request.method), path, body, headers)
            answer = connection.getresponse()
            content = answer.read(MAX_LENGTH + 1)
        if not self._budget.left:
            raise TimeoutError
        if len(content) > MAX_LENGTH:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        return _response(request, answer, content)

    def _connect(self, found: list[str], host: str, port: int, scheme: str) -> socket.socket:
        last: OSError = OSError("no address")
        for address in found:
            try:
                plain = socket.create_connection((address, port), timeout=self._timeout())
            except OSError as error:
                last = error
                continue
            return plain if scheme == "http" else self._encrypted(plain, host)
        raise last

    def _encrypted(self, plain: socket.socket, host: str) -> socket.socket:
        """TLS over a connection; the handshake cannot be stretched either."""
        context = _tls(os.environ.get("REQUESTS_CA_BUNDLE", ""))
        connected = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        try:
            with self._watched(connected):
                connected.do_handshake()
        except (OSError, ValueError):
            connected.close()
            raise
        return connected

    def _timeout(self) -> float:
        left = self._budget.left
        if not left:
            raise TimeoutError
        return left

    @contextlib.contextmanager
    def _watched(self, connected: socket.socket) -> Iterator[None]:
        """Shut the connection down when the time is over, even if octets keep dripping in."""

        def shut_down() -> None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

        watchdog = threading.Timer(self._budget.left, shut_down)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()


def is_safe(url: str) -> bool:
    """Whether a URL may be asked, as far as its text tells."""
    try:
        _require_safe(urlsplit(url))
    except ValueError:
        return False
    return True


def _require_safe(parts: SplitResult) -> None:
    host = parts.hostname
    try:
        is_strange = bool(parts.username or parts.password or parts.port == 0)
    except ValueError:
        is_strange = True
    if not host or is_strange:
        raise UrlRefused("a URL of a provider has a host, and no name or password in it")
    if parts.scheme != "https" and not (parts.scheme == "http" and addresses.is_loopback(host)):
        raise UrlRefused("a provider is asked by https")


def _overridden(url: str) -> str:
    parts = urlsplit(url)
    for host, base in conf.get().social_host_overrides:
        if parts.hostname == host:
            other = urlsplit(base)
            return parts._replace(scheme=other.scheme, netloc=other.netloc).geturl()
    return url


@lru_cache(maxsize=4)
def _tls(bundle: str) -> ssl.SSLContext:
    """Certificates are judged as `requests` does; there is no way not to."""
    return ssl.create_default_context(cafile=bundle or certifi.where())


def _response(
    request: requests.PreparedRequest, answer: http.client.HTTPResponse, content: bytes
) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = answer.reason
    response.headers = CaseInsensitiveDict(answer.getheaders())
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    response._content = content
    return response
