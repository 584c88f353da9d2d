"""What a request presents, and what it is worth.

The one place that both Django REST framework's classes and the middleware ask.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from authkit import conf, cookies, tokens
from authkit.exceptions import TokenNotValid
from authkit.jwt import resolve as jwt
from authkit.kernel.grant import Grant
from authkit.models.unloaded import Refuse

Kind = Literal["token", "jwt", "unknown"]

#: The longest header that is looked at; a JWT of ours has 8 KiB at most.
MAX_LENGTH = 8300

_SCHEMES = ("bearer", "token")
_PRESENTED = "_authkit_presented"


@dataclass(slots=True, eq=False)
class Presented:
    """An Authorization header. `kind` is "unknown" for what none of our classes accepts.

    `is_ours` says whether the scheme is one that authkit judges.
    """

    scheme: str
    kind: Kind
    text: str = field(repr=False)
    is_ours: bool


def presented_in(request: HttpRequest) -> Presented | None:
    """The Authorization header of a request; None if it has none (RFC 9110 §11.6.2).

    The scheme's case does not matter. What follows ``Bearer`` is a JWT if it has its two
    dots, and an opaque token if it begins like one; ``Token`` is followed by an opaque
    token only.
    """
    header: str | None = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    known = request.__dict__.get(_PRESENTED)
    if known is None or known[0] is not header:
        known = request.__dict__[_PRESENTED] = (header, _parse(header))
    return known[1]


def _parse(header: str) -> Presented | None:
    header = header.lstrip()
    parts = header[:MAX_LENGTH].split(None, 1)
    if not parts:
        return None
    scheme = parts[0].lower()
    text = parts[1] if len(parts) > 1 and len(header) < MAX_LENGTH else ""
    is_ours = scheme in _SCHEMES
    kind: Kind = "unknown"
    if is_ours and text.count(".") == 2:
        kind = "jwt" if scheme == "bearer" else "unknown"
    elif is_ours and text.startswith(conf.get().token_prefix):
        kind = "token"
    return Presented(scheme, kind, text, is_ours)


def resolve(
    presented: Presented, *, refuse: Refuse | None = None
) -> tuple[AbstractBaseUser, Grant]:
    """The person and the Grant behind a bearer credential.

    Raises:
        CredentialRejected: it is not valid.
        django.db.Error: the database cannot be asked.
    """
    if presented.kind == "token":
        return tokens.resolve(presented.text, now=timezone.now())
    if presented.kind == "jwt":
        if refuse is None:
            return jwt.resolve(presented.text, now=time.time())
        return jwt.resolve(presented.text, now=time.time(), refuse=refuse)
    raise TokenNotValid("neither an opaque token nor a JWT")


def drop_impossible_cookie(request: HttpRequest) -> None:
    """Put a fresh session in the place of one whose key no session can have.

    A database might fail on it (PostgreSQL takes no NUL), whoever looks it up.
    """
    store: Any = getattr(request, "session", None)
    key = getattr(store, "session_key", None)
    if key is not None and not (key.isascii() and key.isprintable()):
        request.session = type(store)()


def resolve_cookie(request: HttpRequest) -> tuple[AbstractBaseUser, Grant] | None:
    """The person and the Grant behind the session cookie; None if nobody signed in with it.

    Raises:
        CredentialRejected: somebody did, and it does not count any more.
        django.db.Error: the database cannot be asked.
    """
    drop_impossible_cookie(request)
    store = getattr(request, "session", None)
    return None if store is None else cookies.resolve(store, now=timezone.now())
