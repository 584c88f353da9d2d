"""The tokens of a sign-in: minted for it, and as simplejwt's classes.

A pair is minted from the row of its UserSession alone, without chance or clock: the same
session at the same generation gives the same two texts, to the byte. That is how two tabs
that refresh at once receive one child, and why no table of tokens is needed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.functional import classproperty
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from authkit import conf, sessions
from authkit.exceptions import TokenNotValid
from authkit.jwt import keys
from authkit.jwt.backend import StrictTokenBackend, backend_for
from authkit.kernel import base64url, jws
from authkit.kernel.claims import ACCESS, REFRESH, REGISTERED, TYP
from authkit.models import UserSession
from authkit.models.prepared import user_model

#: A longer text of the user is left out: a token is sent with every request.
_LONGEST_CLAIM = 512


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the refresh token that goes with it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


def mint_pair(
    session: UserSession, user: AbstractBaseUser, *, ring: keys.KeyRing | None = None
) -> Pair:
    """Make the two tokens of a session's generation; the same ones each time.

    They are issued at `rotated_at`, live as long as the settings say, and never longer
    than the session (`ends_at`).
    """
    ring = ring or keys.ring()
    settings = conf.get()
    access = _claims(session, user, ACCESS, settings.access_token_lifetime, ring)
    refresh = _claims(session, user, REFRESH, settings.refresh_token_lifetime, ring)
    access = {**dict(_user_claims(user)), **access}
    refresh["gen"] = session.generation
    return Pair(
        access=jws.sign(access, ring.access_signing, typ=TYP[ACCESS]),
        refresh=jws.sign(refresh, ring.refresh_signing, typ=TYP[REFRESH]),
    )


def user_pk_from_sub(sub: str) -> Any:
    """Return the primary key that a subject means.

    Raises:
        TokenNotValid: no primary key of the user model is written like this.
    """
    try:
        pk = user_model()._meta.pk.to_python(sub)
        is_canonical = str(pk) == sub
    except Exception as error:  # a project's own field may raise anything
        raise TokenNotValid("sub is no primary key") from error
    is_too_large = isinstance(pk, int) and not -(2**63) <= pk < 2**63
    if is_too_large or not is_canonical:
        raise TokenNotValid("sub is not canonical")
    return pk


def user_claim_problems(settings: conf.Settings) -> list[str]:
    """What is wrong with JWT_USER_CLAIMS, in words; see `mint_pair`."""
    if settings.jwt_user_claims == conf.default_of("JWT_USER_CLAIMS"):
        return []  # a user model without that field simply has no such claim
    return [
        f"AUTHKIT['JWT_USER_CLAIMS'] names {name!r}, which is not a field of the user model,"
        " or one that must not be copied."
        for name in settings.jwt_user_claims
        if not _may_be_copied(get_user_model(), name)
    ]


def _claims(
    session: UserSession,
    user: AbstractBaseUser,
    token_type: str,
    lifetime: timedelta,
    ring: keys.KeyRing,
) -> dict[str, Any]:
    settings = conf.get()
    issued_at = int(session.rotated_at.timestamp())
    ends_at = int(session.ends_at.timestamp())
    return {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "token_type": token_type,
        "sub": str(user.pk),
        "sid": str(session.id),
        "jti": _token_id(session, token_type, ring),
        "iat": issued_at,
        "exp": min(issued_at + int(lifetime.total_seconds()), ends_at),
        "auth_time": int(session.authenticated_at.timestamp()),
    }


def _token_id(session: UserSession, token_type: str, ring: keys.KeyRing) -> str:
    text = f"{session.id}|{session.generation}|{token_type}"
    mac = hmac.digest(ring.token_id_secret, text.encode(), "sha256")
    return base64url.encode(mac[:16]).decode()


def _user_claims(user: AbstractBaseUser) -> Iterator[tuple[str, str | int]]:
    for name in conf.get().jwt_user_claims:
        value = getattr(user, name, None) if _may_be_copied(user, name) else None
        if isinstance(value, int):
            yield name, value
        elif value is not None and len(str(value)) <= _LONGEST_CLAIM:
            yield name, str(value)


def _may_be_copied(user: Any, name: str) -> bool:
    if name in REGISTERED or name == "password":
        return False
    try:
        column = user._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return bool(column.concrete and not column.is_relation)


class _SessionToken(simplejwt.Token):
    """What both kinds of token have beyond simplejwt's."""

    @classproperty
    def lifetime(cls) -> timedelta | None:  # noqa: N805 - a property of the class
        """As the settings of this moment say; simplejwt freezes its own at import."""
        settings = conf.get()
        is_access = cls.token_type == ACCESS
        return settings.access_token_lifetime if is_access else settings.refresh_token_lifetime

    def get_token_backend(self) -> StrictTokenBackend:
        """Return a backend that reads strictly and has our keys."""
        return backend_for(str(self.token_type))

    def verify(self) -> None:
        """Do nothing: the backend has checked every claim."""

    def set_jti(self) -> None:
        """Give the token an id of chance; only `mint_pair` makes the same token again."""
        self.payload["jti"] = uuid4().hex

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.payload.get('jti')}>"

    @classmethod
    def _pair_for(cls, user: AbstractBaseUser) -> Pair:
        session = sessions.start(user, UserSession.Kind.JWT, now=timezone.now())
        return mint_pair(session, user)


class AccessToken(_SessionToken, simplejwt.AccessToken):
    """simplejwt's access token, read strictly. ``AccessToken(text)["sub"]``.

    Whether its sign-in still lives is not asked here, but by `JWTAuthentication`.
    """

    @classmethod
    def for_user(cls, user: AbstractBaseUser) -> Self:  # type: ignore[override]
        """Sign a person in, and return the access token.

        Raises:
            SignInRefused: the account is deactivated or gone.
        """
        return cls(cls._pair_for(user).access)  # type: ignore[arg-type]


class RefreshToken(_SessionToken, simplejwt.RefreshToken):
    """simplejwt's refresh token, read strictly; its sign-in must live (one query).

    It is meant for code that speaks simplejwt. Rotation, which alone notices theft, is in
    `authkit.jwt.rotation` and behind ``POST jwt/refresh/``.
    """

    access_token_class = AccessToken
    no_copy_claims = ("token_type", "exp", "jti", "iat", "gen")

    @classmethod
    def for_user(cls, user: AbstractBaseUser) -> Self:  # type: ignore[override]
        """Sign a person in, and return the refresh token.

        Raises:
            SignInRefused: the account is deactivated or gone.
        """
        return cls(cls._pair_for(user).refresh)  # type: ignore[arg-type]

    def verify(self) -> None:
        """Look whether the sign-in lives and this is its newest refresh token.

        Raises:
            TokenError: it is not.
        """
        sid, generation = self.payload["sid"], self.payload["gen"]
        found = UserSession.objects.select_related("user").filter(pk=sid, generation=generation)
        session = found.first()
        if session is None or not _is_in_force(session, self.payload["sub"]):
            raise TokenError("Token is invalid")

    @property
    def access_token(self) -> AccessToken:
        """An access token that ends no later than this refresh token."""
        access = super().access_token
        access.payload["exp"] = min(access.payload["exp"], self.payload["exp"])
        return access  # type: ignore[return-value]

    def outstand(self) -> None:
        """Do nothing: no token is ever stored."""

    def blacklist(self) -> None:  # type: ignore[override]
        """End the sign-in, and with it everything that hangs from it."""
        sessions.end([UUID(self.payload["sid"])], reason="signed_out", now=timezone.now())


def _is_in_force(session: UserSession, sub: str) -> bool:
    user = session.user
    is_same = session.credential_digest == sessions.credential_digest(user)
    is_live = session.is_live(now=timezone.now()) and user.is_active
    return is_same and is_live and str(user.pk) == sub
