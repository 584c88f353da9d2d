"""Clients that are signed in, each in its way."""

from __future__ import annotations

from typing import Any, Literal

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone
from rest_framework.test import APIClient

from authkit import sessions, tokens
from authkit.exceptions import SignInRefused
from authkit.jwt import tokens as jwt_tokens

Kind = Literal["session", "token", "jwt"]


def client_for(user: Any, kind: Kind = "session") -> APIClient:
    """A client that is signed in as `user`, without a password.

    The sign-in is a real one: it has its UserSession, and it can be listed and ended.

        client = client_for(ada, "jwt")
        assert client.get("/api/articles/").status_code == 200

    Args:
        user: a stored, active person.
        kind: "session" (cookie; a CSRF token is not asked for), "token" or "jwt".

    Raises:
        SignInRefused: the account is deactivated, deleted, or has changed since it was loaded.
        ValueError: there is no such kind.
    """
    client = APIClient()
    if kind == "session":
        client.force_login(user)
        if SESSION_KEY not in client.session:
            raise SignInRefused("the account is inactive or has changed")
    elif kind in {"token", "jwt"}:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {_bearer_text(user, kind)}")
    else:
        raise ValueError(f"{kind!r} is none of session, token, jwt")
    return client


def _bearer_text(user: AbstractBaseUser, kind: str) -> str:
    now = timezone.now()
    session = sessions.start(user, kind, now=now)
    if kind == "token":
        return tokens.issue_for(session, now=now).text
    return jwt_tokens.mint_pair(session, user).access
