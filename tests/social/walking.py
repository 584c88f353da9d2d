"""A browser that follows the redirects of a real provider, up to ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import requests

from tests.social.visitor import query_of

_MOST_STEPS = 12


def back_from(authorization_url: str, *, redirect_uri: str, **more: str) -> dict[str, str]:
    """What the provider sends back to the redirect URI, in the end."""
    url: Any = requests.Request("GET", authorization_url, params=more).prepare().url
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(_MOST_STEPS):
            answer = session.get(url, allow_redirects=False, timeout=20)
            if not answer.is_redirect:
                raise AssertionError((answer.status_code, url, answer.text[:2000]))
            url = urljoin(url, answer.headers["Location"])
            if url.startswith(redirect_uri):
                return query_of(url)
    raise AssertionError("it leads in circles")
