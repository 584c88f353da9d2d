"""Whether a presented token is ours, and what it says.

Only the token is judged here; whether its sign-in still lives is asked elsewhere
(`resolve` for access tokens, `rotation` for refresh tokens).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from django.core.signals import setting_changed

from authkit import conf
from authkit.exceptions import CredentialRejected, TokenExpired, TokenMadeUp, TokenNotValid
from authkit.jwt.keys import CHANGING, KeyRing, ring
from authkit.jwt.tokens import user_pk_from_sub
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
from authkit.kernel.grant import Grant

# A named tuple is made by a function of Python around this one; every new token passes here.
_new = tuple.__new__
_moment_of = datetime.fromtimestamp

#: An entry has about one kilobyte.
REMEMBERED = 8192


def verify_access(text: str | bytes, *, now: float) -> AccessClaims:
    """Return what an access token says; `now` is Unix time in seconds.

    Raises:
        TokenExpired: genuine, and over.
        TokenNotValid: anything else that is not a valid access token of ours.
    """
    return verifier().recognise(text, now=now)[0]


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


#: A genuine access token: what it says, its person's primary key, and what it is worth.
Known: TypeAlias = tuple[AccessClaims, Any, Grant]


class AccessVerifier:
    """Verifies access tokens of one ring, issuer and audience, and remembers them.

    A token is presented many times in its short life, and its signature does not change
    in between: what a genuine token says is found again by the SHA-256 digest of its
    text. Its times are looked at on every use.

    What is remembered is in two halves. When the younger one is full it takes the place of
    the older one, which is forgotten; what is found in the older one goes into the younger.
    So what is in use stays, and each step is one operation on a dict, which threads may
    share without a lock: the worst that can happen is that a token is verified again.
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
        self._half = remembered // 2
        self._young: dict[bytes, Known] = {}
        self._old: dict[bytes, Known] = {}

    def recognise(self, text: str | bytes, *, now: float) -> Known:
        """Return what is known of an access token; `now` is Unix time in seconds.

        Raises:
            TokenExpired: genuine, and over.
            TokenNotValid: anything else that is not a valid access token of ours.
        """
        try:
            token = jws.octets_of(text)
            digest = sha256(token)
            young = self._young.get(digest)
            known = young or self._old.get(digest) or self._read(token)
            says = known[0]
            if not (says.not_before <= now + CLOCK_LEEWAY and now < says.exp):
                claims.require_timely(says, now=now)  # says why not
        except jws.InvalidToken as error:
            raise _refusal_of(error) from error
        if young is None:
            self._remember(digest, known)
        return known

    def _read(self, token: bytes) -> Known:
        payload = self._checker.payload_of(token)
        says = self._read_plain(payload) or claims.read_access(
            jws.read_payload(payload), issuer=self._issuer, audience=self._audience
        )
        return says, user_pk_from_sub(says.sub), _grant_of(says)

    def _remember(self, digest: bytes, known: Known) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[digest] = known


def _grant_of(says: AccessClaims) -> Grant:
    sub, sid, jti, _, exp, auth_time, _, scope = says
    authenticated_at, expires_at = _moment_of(auth_time, UTC), _moment_of(exp, UTC)
    return _new(Grant, ("jwt", sub, sid, jti, scope, authenticated_at, expires_at, None, ""))


@lru_cache(maxsize=1)
def verifier() -> AccessVerifier:
    """The verifier of this project's settings."""
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
    if setting in CHANGING or setting == "AUTH_USER_MODEL":  # whose primary keys are remembered
        verifier.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.jwt.verify")
