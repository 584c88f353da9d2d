"""simplejwt's token backend, with authkit's keys and authkit's strict reading."""

from __future__ import annotations

import time
from typing import Any

from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from authkit import conf
from authkit.jwt.keys import KeyRing, Keys, ring
from authkit.kernel import claims, jws
from authkit.kernel.claims import ACCESS, TYP, AccessClaims, RefreshClaims
from authkit.kernel.keys import SigningKey


class StrictTokenBackend(TokenBackend):
    """Writes and reads one kind of token: "access" or "refresh".

    It never signs what it would not read, and reads as `authkit.kernel.jws` does.
    """

    def __init__(self, token_type: str, ring: KeyRing, settings: conf.Settings) -> None:
        self.token_type = token_type
        self.signing, self.keys = _keys_of(token_type, ring)
        self.origin = {"issuer": settings.jwt_issuer, "audience": settings.jwt_audience}
        super().__init__(self.signing.alg, **self.origin)  # type: ignore[arg-type]

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign a payload; issuer, audience and kind of token are put in.

        Raises:
            TokenBackendError: a claim is missing or of the wrong type.
        """
        kind = {"iss": self.issuer, "aud": self.audience, "token_type": self.token_type}
        complete = {**payload, **kind}
        try:
            self._read(complete)
            return jws.sign(complete, self.signing, typ=TYP[self.token_type])
        except (ValueError, TypeError) as error:
            raise TokenBackendError(f"Such a token cannot be made: {error}") from error

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the payload of a valid token.

        With ``verify=False`` only the clock is not asked: signature and claims are
        checked all the same.

        Raises:
            TokenBackendExpiredToken: genuine, and over.
            TokenBackendError: anything else that is not a valid token of this kind.
        """
        try:
            payload = jws.verify(token, self.keys, typ=TYP[self.token_type])
            found = self._read(payload)
            if verify:
                claims.require_timely(found, now=time.time())
        except claims.ExpiredToken as error:
            raise TokenBackendExpiredToken("Token is expired") from error
        except jws.InvalidToken as error:
            raise TokenBackendError("Token is invalid") from error
        return payload

    def _read(self, payload: dict[str, Any]) -> AccessClaims | RefreshClaims:
        if self.token_type == ACCESS:
            return claims.read_access(payload, **self.origin)
        return claims.read_refresh(payload, **self.origin)


def backend_for(token_type: str) -> StrictTokenBackend:
    """Return the backend of "access" or "refresh" tokens, for the settings of this moment."""
    return StrictTokenBackend(token_type, ring(), conf.get())


def _keys_of(token_type: str, ring: KeyRing) -> tuple[SigningKey, Keys]:
    if token_type == ACCESS:
        return ring.access_signing, ring.access_verifying
    return ring.refresh_signing, ring.refresh_verifying
