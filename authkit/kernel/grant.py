"""What a presented credential turned out to be worth: `request.auth`, one shape for all."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

Kind = Literal["session", "token", "jwt"]


class Grant(NamedTuple):
    """A credential, resolved.

    Attributes:
        kind: "session" (cookie), "token" (opaque bearer token) or "jwt".
        user_id: the user's primary key as text.
        session_id: the UserSession it hangs from; None for a personal access token.
        token_id: public id of an opaque token, `jti` of a JWT; None for a cookie.
        scopes: what the credential may be used for; None when nothing narrows it.
        authenticated_at: when the person last proved who they are; None when a
            credential proves only itself (personal access tokens).
        expires_at: when this credential ends by itself.
        impersonator_id: primary key, as text, of the administrator who sees what this user
            sees; None where it is the user themselves.
        impersonator_name: the name of that administrator.
    """

    kind: Kind
    user_id: str
    session_id: UUID | None = None
    token_id: str | None = None
    scopes: tuple[str, ...] | None = None
    authenticated_at: datetime | None = None
    expires_at: datetime | None = None
    impersonator_id: str | None = None
    impersonator_name: str = ""

    @property
    def is_impersonated(self) -> bool:
        """Whether an administrator acts here in the name of the user."""
        return self.impersonator_id is not None

    @property
    def is_personal(self) -> bool:
        """Whether this is a personal access token, which hangs from no sign-in."""
        return self.session_id is None
