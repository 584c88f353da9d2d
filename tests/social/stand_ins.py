"""Endpoints of the stand-ins for well-known providers, and the hosts that lead to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.social.liar import Answer, Liar, as_json

HOSTS = (
    *("accounts.google.com", "oauth2.googleapis.com", "openidconnect.googleapis.com"),
    *("www.googleapis.com", "github.com", "api.github.com", "twitter.com", "api.twitter.com"),
    *("login.microsoftonline.com", "graph.microsoft.com", "gitlab.com"),
)


def lead_here(settings: Any, liar: Liar) -> None:
    """Let the providers' hosts lead to this one."""
    overrides = dict.fromkeys(HOSTS, liar.url)
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_HOST_OVERRIDES": overrides}


def exchange(liar: Liar, path: str, **answer: Any) -> Callable[[], Answer]:
    """A token endpoint that insists on everything; it answers in JSON because it was asked to."""

    def exchange() -> Answer:
        body, headers = liar.bodies[path], liar.headers[path]
        assert headers["Accept"] == "application/json"
        if liar.redeem(body) is None:
            return as_json({"error": "invalid_grant"}, 400)
        return as_json({"access_token": "at-1", "token_type": "bearer", **answer})

    return exchange


def with_token(liar: Liar, path: str, answer: Any) -> Callable[[], Answer]:
    """An endpoint for whoever shows the access token in a header."""

    def show() -> Answer:
        is_shown = liar.headers[path]["Authorization"] in {"Bearer at-1", "token at-1"}
        return as_json(answer) if is_shown else as_json({"message": "Requires auth"}, 401)

    return show


def gitlab(liar: Liar, offer: Any) -> Any:
    """As https://docs.gitlab.com/api/oauth2/ and https://docs.gitlab.com/api/groups/ say."""
    liar.issuer = "https://gitlab.com"
    liar.authorization_url = "https://gitlab.com/oauth/authorize"
    liar.answers["/oauth/token"] = exchange(liar, "/oauth/token", expires_in=7200)
    person = {"id": 7, "username": "ida", "name": "Ida", "email": "ida@example.org"}
    person["confirmed_at"] = "2026-01-01T00:00:00Z"
    me = "/api/v4/user"
    liar.answers[me] = with_token(liar, me, person)
    return offer(kind="gitlab", issuer="")
