"""What a JWT access token is worth, under the revocation mode that the project chose."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from django.contrib.auth.base_user import AbstractBaseUser

from authkit import changes, conf, lookups
from authkit.exceptions import SessionEnded, TokenNotValid, UserInactive
from authkit.jwt.verify import verifier
from authkit.kernel.claims import AccessClaims
from authkit.kernel.grant import Grant
from authkit.models import UserSession
from authkit.models.prepared import alias_of, user_model
from authkit.models.unloaded import Refuse, is_told_by_columns, loaded, unloaded


def _refuse() -> NoReturn:
    raise UserInactive


def resolve(text: str, *, now: float, refuse: Refuse = _refuse) -> tuple[AbstractBaseUser, Grant]:
    """The person and the Grant behind an access token.

    "stateless" and "denylist" ask the database nothing for the token; the user that they
    return has its primary key and loads the rest when it is touched, or calls `refuse`
    if by then the account is deactivated or gone. Where a project's own code says whether an
    account is active, the user is loaded at once, and asked.

    Args:
        text: the token, as presented.
        now: Unix time in seconds.
        refuse: raises what the caller's framework takes for a refused credential.

    Raises:
        TokenNotValid, TokenExpired, SessionEnded, UserInactive: as they say.
    """
    claims, pk, grant = verifier().recognise(text, now=now)
    mode = conf.get().jwt_revocation
    if mode == "stateful":
        return _user_of_live_session(claims, now), grant
    if mode == "denylist" and changes.is_on_denylist(claims.sid):
        raise SessionEnded("on the denylist")
    model = user_model()
    if not is_told_by_columns(model):
        return loaded(model, pk, using=alias_of(model), refuse=_refuse), grant
    return unloaded(model, pk, using=alias_of(model), refuse=refuse), grant


def resolve_live(text: str, *, now: float) -> tuple[AbstractBaseUser, Grant]:
    """The same, with the session looked up whatever the mode.

    Raises:
        TokenNotValid, TokenExpired, SessionEnded, UserInactive: as they say.
    """
    claims, _, grant = verifier().recognise(text, now=now)
    return _user_of_live_session(claims, now), grant


def _user_of_live_session(claims: AccessClaims, now: float) -> AbstractBaseUser:
    found = lookups.find_by_id(alias_of(UserSession), claims.sid)
    if found is None:
        raise SessionEnded("unknown session")
    session, user = found
    session.check(user, now=datetime.fromtimestamp(now, UTC))
    if str(user.pk) != claims.sub:
        raise TokenNotValid("somebody else's session")
    return user  # type: ignore[no-any-return]
