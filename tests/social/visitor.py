"""Somebody who signs in through a provider, with a browser or a program."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.api.callers import Caller
from tests.social.liar import Liar

CALLBACK = "http://testserver/auth/social/{}/callback/"


class Visitor(Caller):
    """A caller who knows the way."""

    def begin(self, slug: str = "house", **body: Any) -> Any:
        answer = self.post(f"/auth/social/{slug}/begin/", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def complete(self, given: dict[str, Any], slug: str = "house", deliver: str = "token") -> Any:
        return self.post(f"/auth/social/{slug}/complete/", {**given, "deliver": deliver})

    def sign_in(self, liar: Liar, slug: str = "house", deliver: str = "token", **body: Any) -> Any:
        """The whole way, over JSON."""
        begun = self.begin(slug, **body)
        return self.complete(liar.authorize(begun["authorization_url"]), slug, deliver)

    def walk(self, liar: Liar, slug: str = "house", **query: str) -> Any:
        """The whole way, by redirects."""
        begun = self.client.get(f"/auth/social/{slug}/login/", query)
        assert begun.status_code == 302, begun.content
        back = liar.authorize(begun["Location"])
        return self.client.get(f"/auth/social/{slug}/callback/", back)


def sent_on_to(answer: Any) -> str:
    """Where a page that was posted to sends the browser."""
    assert answer.status_code == 200, answer.content
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
