"""What an access token and a refresh token say, read with exact types.

Registered claims are those of RFC 7519 §4.1; an access token's are RFC 9068 §2.2. Each is
required, and of exactly one type and spelling: ``true`` is no number, a float is no time,
a list is no audience, and an upper-case UUID is no session. A claim that is not named
here has no meaning to authkit; it can grant nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from authkit.kernel.jws import InvalidToken
from authkit.kernel.uuids import uuid_of

ACCESS = "access"
REFRESH = "refresh"

#: The `typ` header that goes with each kind of token (RFC 9068 §2.1, RFC 8725 §3.11).
TYP = {ACCESS: "at+jwt", REFRESH: "rt+jwt"}

#: The clocks of two machines may differ by so many seconds.
CLOCK_LEEWAY = 60

_OF_RFC_7519 = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
REGISTERED = frozenset(_OF_RFC_7519 | {"sid", "auth_time", "token_type", "gen", "scope"})

MAX_TIME = 253_402_300_799  # the end of the year 9999, where datetime ends
_MAX_GENERATION = 2**31 - 1
_MAX_SUBJECT = 255
_SID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_JTI = re.compile("[A-Za-z0-9_-]{1,128}", re.ASCII)
_SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*", re.ASCII)  # RFC 6749 §3.3


class ExpiredToken(InvalidToken):
    """A genuine token after its end."""


class AccessClaims(NamedTuple):
    """What an access token says.

    Attributes:
        sub: the user's primary key as text.
        sid: the UserSession that it hangs from.
        jti: its own id.
        iat, exp, auth_time: Unix time of minting, of its end, and of the last proof of
            who the person is.
        not_before: the latest of the times that must have come; mostly `iat`.
        scope: what it may be used for; None when nothing narrows it.
    """

    sub: str
    sid: UUID
    jti: str
    iat: int
    exp: int
    auth_time: int
    not_before: int
    scope: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"<AccessClaims {self.jti}>"


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says; `generation` counts the refreshes of its session."""

    sub: str
    sid: UUID
    jti: str
    iat: int
    exp: int
    auth_time: int
    not_before: int
    generation: int


def read_access(payload: Mapping[str, Any], *, issuer: str, audience: str) -> AccessClaims:
    """Read the payload of an access token; `require_timely` is asked separately.

    Raises:
        InvalidToken: a claim is missing, of the wrong type, or not ours.
    """
    _require_origin(payload, issuer, audience, ACCESS)
    return AccessClaims(*_common(payload), _scope(payload))


def read_refresh(payload: Mapping[str, Any], *, issuer: str, audience: str) -> RefreshClaims:
    """Read the payload of a refresh token; `require_timely` is asked separately.

    Raises:
        InvalidToken: a claim is missing, of the wrong type, or not ours.
    """
    _require_origin(payload, issuer, audience, REFRESH)
    return RefreshClaims(*_common(payload), _generation(payload))


def require_timely(
    claims: AccessClaims | RefreshClaims, *, now: float, leeway: int = CLOCK_LEEWAY
) -> None:
    """Look at the clock: `now` is Unix time, `leeway` is granted to the start only.

    Raises:
        ExpiredToken: its end has come.
        InvalidToken: it is from the future.
    """
    if claims.not_before > now + leeway:
        raise InvalidToken("from the future")
    if not now < claims.exp:
        raise ExpiredToken("expired")


def _require_origin(
    payload: Mapping[str, Any], issuer: str, audience: str, token_type: str
) -> None:
    if payload.get("iss") != issuer:
        raise InvalidToken("another issuer")
    if payload.get("aud") != audience:
        raise InvalidToken("another audience")
    if payload.get("token_type") != token_type:
        raise InvalidToken("another kind of token")


def _common(payload: Mapping[str, Any]) -> tuple[str, UUID, str, int, int, int, int]:
    """The claims of both kinds. Written out: it is run for each token never seen before."""
    get: Callable[..., Any] = payload.get
    iat, exp, auth_time = get("iat"), get("exp"), get("auth_time")
    nbf = get("nbf", iat)
    for moment in (iat, exp, auth_time, nbf):
        if type(moment) is not int or not 0 < moment <= MAX_TIME:
            raise InvalidToken("iat, exp, auth_time or nbf is missing or no such number")
    if exp <= iat:
        raise InvalidToken("ends before it begins")
    sub, sid, jti = get("sub"), get("sid"), get("jti")
    if type(sub) is not str or not 0 < len(sub) <= _MAX_SUBJECT or not sub.isprintable():
        raise InvalidToken("sub is missing or not canonical")
    if type(sid) is not str or _SID.fullmatch(sid) is None:
        raise InvalidToken("sid is missing or not canonical")
    if type(jti) is not str or _JTI.fullmatch(jti) is None:
        raise InvalidToken("jti is missing or not canonical")
    return sub, uuid_of(sid), jti, iat, exp, auth_time, max(iat, nbf, auth_time)


def _generation(payload: Mapping[str, Any]) -> int:
    value = payload.get("gen")
    if type(value) is not int or not 0 < value <= _MAX_GENERATION:
        raise InvalidToken("gen is missing or no such number")
    return value


def _scope(payload: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "scope" not in payload:
        return None
    value = payload["scope"]
    if type(value) is not str or _SCOPE.fullmatch(value) is None:
        raise InvalidToken("scope is not canonical")
    return tuple(value.split(" "))
