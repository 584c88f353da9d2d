"""Whether a presented token is ours, and what it says.

Only the token is judged here; whether its sign-in still lives is asked elsewhere
(`resolve` for access tokens, `rotation` for refresh tokens).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from authkit import conf
from authkit.exceptions import CredentialRejected, TokenExpired, TokenMadeUp, TokenNotValid
from authkit.jwt.keys import CHANGING, KeyRing, ring
from authkit.kernel import claims, jws, plain_access
from authkit.kernel.claims import (
    ACCESS,
    CLOCK_LEEWAY,
    REFRESH,
    TYP,
    AccessClaims,
    RefreshClaims,
)
from authkit.kernel.digest import sha256

#: An entry has about one kilobyte.
REMEMBERED = 8192


def verify_access(text: str | bytes, *, now: float) -> AccessClaims:
    """Return what an access token says; `now` is Unix time in seconds.

    Raises:
        TokenExpired: genuine, and over.
        TokenNotValid: anything else that is not a valid access token of ours.
    """
    return recognise(text, now=now).claims


def recognise(text: str | bytes, *, now: float) -> Known:
    """The same, with what was worked out for this token before.

    Raises:
        TokenExpired: genuine, and over.
        TokenNotValid: anything else that is not a valid access token of ours.
    """
    try:
        return _verifier().recognise(text, now=now)
    except jws.InvalidToken as error:
        raise _refusal_of(error) from error


def verify_refresh(text: str | bytes, *, now: float) -> RefreshClaims:
    """Return what a refresh token says; `now` is Unix time in seconds.

    Raises:
        TokenExpired: genuine, and over.
        TokenNotValid: anything else that is not a valid refresh token of ours.
    """
    settings = conf.get()
    origin = {"issuer": settings.jwt_issuer, "audience": settings.jwt_audience}
    try:
        payload = jws.verify(text, ring().refresh_verifying, typ=TYP[REFRESH])
        found = claims.read_refresh(payload, **origin)
        claims.require_timely(found, now=now)
    except jws.InvalidToken as error:
        raise _refusal_of(error) from error
    return found


class Known:
    """What a genuine access token says, and a place for what follows from it alone."""

    __slots__ = ("claims", "worth")

    def __init__(self, claims: AccessClaims) -> None:
        """Nothing follows yet."""
        self.claims = claims
        self.worth: Any = None


class AccessVerifier:
    """Verifies access tokens of one ring, issuer and audience, and remembers them.

    A token is presented many times in its short life, and its signature does not change
    in between: what a genuine token says is found again by the SHA-256 digest of its
    text. Its times are looked at on every use.
    """

    def __init__(
        self,
        ring: KeyRing,
        issuer: str,
        audience: str,
        *,
        extra: Iterable[str] = (),
        remembered: int = REMEMBERED,
    ) -> None:
        """Know what is ours; `extra` names the claims that usual tokens have besides."""
        self._checker = jws.Checker(ring.access_verifying, typ=TYP[ACCESS])
        self._issuer = issuer
        self._audience = audience
        self._read_plain = plain_access.reader(issuer, audience, extra)
        self._remembered = remembered
        self._seen: OrderedDict[bytes, Known] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, text: str | bytes, *, now: float) -> AccessClaims:
        """Return what an access token says; raises as `recognise` does."""
        return self.recognise(text, now=now).claims

    def recognise(self, text: str | bytes, *, now: float) -> Known:
        """Return what is known of an access token.

        Raises:
            claims.ExpiredToken: genuine, and over.
            jws.InvalidToken: anything else that is not a valid access token.
        """
        token = jws.octets_of(text)
        digest = sha256(token)
        known = self._seen.get(digest)
        is_new = known is None
        if known is None:
            known = Known(self._read(token))
        says = known.claims
        if not (says.not_before <= now + CLOCK_LEEWAY and now < says.exp):
            claims.require_timely(says, now=now)  # says why not
        if is_new:
            self._remember(digest, known)
        return known

    def _read(self, token: bytes) -> AccessClaims:
        payload = self._checker.payload_of(token)
        return self._read_plain(payload) or claims.read_access(
            jws.read_payload(payload), issuer=self._issuer, audience=self._audience
        )

    def _remember(self, digest: bytes, known: Known) -> None:
        with self._lock:
            while len(self._seen) >= self._remembered:
                self._seen.popitem(last=False)  # the oldest
            self._seen[digest] = known


@lru_cache(maxsize=1)
def _verifier() -> AccessVerifier:
    settings = conf.get()
    return AccessVerifier(
        ring(), settings.jwt_issuer, settings.jwt_audience, extra=settings.jwt_user_claims
    )


def _refusal_of(error: jws.InvalidToken) -> CredentialRejected:
    if isinstance(error, claims.ExpiredToken):
        return TokenExpired(str(error))
    is_forged = isinstance(error, jws.ForgedToken)
    return TokenMadeUp(str(error)) if is_forged else TokenNotValid(str(error))


def _forget(*, setting: str, **_: object) -> None:
    if setting in CHANGING:
        _verifier.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.jwt.verify")
