"""Where a request to a provider goes, and where it never does."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import requests

from authkit.social import addresses, fetching
from authkit.social.fetching import Budget, send
from tests.social.liar import Liar, as_json

PRIVATE = [
    *("127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
    *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::"),
    *("::127.0.0.1", "::10.0.0.1", "::ffff:0:a00:1", "64:ff9b:1::a00:1"),
    *("fec0::1", "fe00::1", "100::1", "1::1", "4000::1", "5f00::1", "2001::1"),
]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_not_asked(settings, text):
    settings.AUTHKIT = {}
    assert not addresses.is_allowed(text)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are(settings, text):
    settings.AUTHKIT = {}
    assert addresses.is_allowed(text)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https:///x",
        "https://user:pass@example.org/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "javascript:alert(1)",
        "//example.org/",
        "",
        "http://10.0.0.1/",
    ],
)
def test_strange_urls_are_not_asked(url):
    assert not fetching.is_safe(url)
    with pytest.raises(requests.RequestException):
        send("GET", url, budget=Budget(1))


def test_loopback_is_asked_only_where_that_is_allowed(settings, liar):
    settings.AUTHKIT = {}
    with pytest.raises(fetching.UrlRefused):
        send("GET", f"{liar.url}/jwks", budget=Budget(1))
    assert liar.asked == []


def test_a_name_that_leads_inside_is_not_asked(settings, liar):
    settings.AUTHKIT = {}
    port = liar.url.rpartition(":")[2]
    with pytest.raises(fetching.UrlRefused):
        send("GET", f"http://localhost:{port}/jwks", budget=Budget(1))


def test_the_connection_goes_to_the_address_that_was_judged(settings, liar, monkeypatch):
    """The DNS says one thing when it is asked, and another thing a moment later."""
    port = int(liar.url.rpartition(":")[2])
    answers = iter(["127.0.0.1", "169.254.169.254", "169.254.169.254"])

    def lie(host: str, port: int, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", lie)
    asked: list[Any] = []
    real = socket.create_connection

    def connect(address: Any, **how: Any) -> Any:
        asked.append(address[0])
        monkeypatch.undo()
        return real(address, **how)

    monkeypatch.setattr(socket, "create_connection", connect)
    settings.AUTHKIT = {"SOCIAL_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
    assert send("GET", f"http://localhost:{port}/jwks", budget=Budget(2)).status_code == 200
    assert asked == ["127.0.0.1"]


def test_no_redirect_is_followed(liar):
    liar.answers["/jwks"] = lambda: (302, {"Location": f"{liar.url}/me"}, b"")
    assert send("GET", f"{liar.url}/jwks", budget=Budget(2)).status_code == 302
    assert liar.asked == ["/jwks"]


def test_what_drips_is_cut_off(liar):
    liar.answers["/jwks"] = lambda: None
    started = time.monotonic()
    with pytest.raises(requests.Timeout):
        send("GET", f"{liar.url}/jwks", budget=Budget(0.7))
    assert time.monotonic() - started < 1.5


def test_who_does_not_answer_at_all_is_cut_off(settings):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        started = time.monotonic()
        with pytest.raises(requests.Timeout):
            send("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/", budget=Budget(0.5))
        assert time.monotonic() - started < 1.5


def test_a_budget_is_for_all_requests_together(liar: Liar):
    budget = Budget(0.3)

    def answer() -> Any:
        time.sleep(0.2)
        return as_json({})

    liar.answers["/me"] = answer
    assert send("GET", f"{liar.url}/me", budget=budget).status_code == 200
    with pytest.raises(requests.Timeout):
        send("GET", f"{liar.url}/me", budget=budget)


def test_a_host_may_be_overridden_for_tests(settings, liar):
    settings.AUTHKIT = {
        "SOCIAL_ALLOWED_NETWORKS": ["127.0.0.0/8"],
        "SOCIAL_HOST_OVERRIDES": {"api.github.com": liar.url},
    }
    assert send("GET", "https://api.github.com/jwks?a=b", budget=Budget(2)).status_code == 200


def test_certificates_are_judged(settings):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with pytest.raises(requests.RequestException):
            send("GET", f"https://127.0.0.1:{listening.getsockname()[1]}/", budget=Budget(0.5))
