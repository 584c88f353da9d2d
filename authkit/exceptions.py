"""Every refusal that authkit makes, each with a code that clients may rely on.

Nothing here knows of HTTP. The boundary (`authentication`, `middleware`, `api`) turns
a refusal into a status and a body of ``{"code": …, "detail": …}``.
"""

from __future__ import annotations

from typing import ClassVar


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues: whoever shows it translates it.

    Django's function of this name, for files that do without Django.
    """
    return text


class AuthkitError(Exception):
    """Base of all refusals.

    `code` is stable and for programs; `public_message` is for people and never tells
    more than the caller may know.
    """

    code: ClassVar[str] = "refused"
    public_message: ClassVar[str] = gettext_noop("The request was refused.")

    def __init__(self, internal_reason: str = "") -> None:
        """Keep `internal_reason` for logs and tests; it is never sent to a client."""
        super().__init__(internal_reason or self.public_message)


class CredentialRejected(AuthkitError):
    """A credential was presented and is not valid (RFC 6750 §3.1 ``invalid_token``)."""

    code = "token_not_valid"
    public_message = gettext_noop("The credential is not valid.")


class TokenNotValid(CredentialRejected):
    """Malformed, unknown, forged, revoked, or of another kind than asked for."""


class TokenMadeUp(TokenNotValid):
    """Well formed, and none that was ever issued: its refusal took a look-up or a signature."""


class TokenExpired(CredentialRejected):
    """A genuine token after its end."""

    public_message = gettext_noop("The credential has expired.")


class SessionEnded(CredentialRejected):
    """The sign-in from which the credential hangs has ended."""

    code = "session_ended"
    public_message = gettext_noop("This sign-in has ended. Please sign in again.")


class ImpersonationOver(SessionEnded):
    """Acting as somebody else has ended; the cookie leads back to one's own sign-in."""

    code = "impersonation_over"
    public_message = gettext_noop(
        "You are no longer signed in as this person. Go back to your own account."
    )


class TokenReused(CredentialRejected):
    """A refresh token was presented a second time: its sign-in is ended (RFC 9700 §4.14.2)."""

    code = "token_reused"
    public_message = gettext_noop("This refresh token has been used before. Please sign in again.")


class UserInactive(CredentialRejected):
    """The account is deactivated or deleted."""

    code = "session_ended"
    public_message = gettext_noop("This sign-in has ended. Please sign in again.")


class SignInRefused(AuthkitError):
    """Unknown person, wrong password or inactive account: deliberately indistinguishable."""

    code = "invalid_credentials"
    public_message = gettext_noop("No active account was found with these credentials.")


class WrongPassword(AuthkitError):
    """Somebody signed in was asked for their own password, and gave another."""

    code = "invalid_credentials"
    public_message = gettext_noop("This is not your password.")


class NotPermitted(AuthkitError):
    """The caller is known and may not do this."""

    code = "permission_denied"
    public_message = gettext_noop("You may not do this.")


class SignInRequired(AuthkitError):
    """Nobody has signed in, and this is not for strangers."""

    code = "not_authenticated"
    public_message = gettext_noop("Please sign in first.")


class RecentSignInRequired(NotPermitted):
    """The person has to prove again who they are."""

    code = "recent_sign_in_required"
    public_message = gettext_noop("Please confirm that it is you: sign in again.")


class SecondFactorRequired(NotPermitted):
    """The person has to prove with a second factor who they are."""

    code = "second_factor_required"
    public_message = gettext_noop("Please sign in with a second factor.")


class ConditionNotApplied(NotPermitted):
    """Access depends on the object, and the view asked about none: nothing goes out."""

    code = "condition_not_applied"
    public_message = gettext_noop(
        "You may do this with some objects only, and this view does not tell which."
    )


class CannotImpersonate(NotPermitted):
    """Somebody would sign in as a person who is not theirs to be."""

    code = "cannot_impersonate"
    public_message = gettext_noop("You may not sign in as this person.")


class RegistrationClosed(NotPermitted):
    """REGISTRATION lets nobody, or only the invited, make an account."""

    code = "registration_closed"
    public_message = gettext_noop("Registration is closed.")


class LastSuperuser(NotPermitted):
    """Without this account nobody could run the house any more."""

    code = "last_superuser"
    public_message = gettext_noop("The last superuser cannot be deactivated.")


class KeyNotValid(AuthkitError):
    """The key of a link is unknown, used, over, or made for something else."""

    code = "key_not_valid"
    public_message = gettext_noop(
        "This link is not valid. It may be too old, or have been used before."
    )


class ScopeInsufficient(NotPermitted):
    """The credential is valid and not meant for this (RFC 6750 §3.1)."""

    code = "insufficient_scope"
    public_message = gettext_noop("This credential is not meant for this.")


class StoreUnavailable(AuthkitError):
    """The database cannot be asked or written to, so nobody gets in (fail closed)."""

    code = "unavailable"
    public_message = gettext_noop("The service is temporarily unavailable.")


class TooManyAttempts(AuthkitError):
    """A limit is reached; the same for accounts that exist and for those that do not."""

    code = "too_many_attempts"
    public_message = gettext_noop("Too many attempts. Please try again later.")

    def __init__(self, retry_after: int, internal_reason: str = "") -> None:
        """`retry_after` is in whole seconds, at least 1 (RFC 9110 §10.2.3)."""
        super().__init__(internal_reason)
        self.retry_after = max(1, retry_after)


class Busy(StoreUnavailable):
    """So many passwords are being hashed that this one did not get its turn."""

    code = "busy"
    public_message = gettext_noop("The service is busy. Please try again in a moment.")
