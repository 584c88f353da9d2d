"""Why a sign-in through a provider is refused. Each tells its reader what to do."""

from __future__ import annotations

from authkit.exceptions import AuthkitError, gettext_noop


class SocialRefused(AuthkitError):
    """Base of these refusals.

    `reason` is for the audit: python-social-auth's code, or a word of ours. `said` is what
    the provider gave as its reason; anybody may have written that.
    """

    def __init__(self, reason: str = "", said: str = "") -> None:
        """Keep both for the audit; neither is sent to the client."""
        super().__init__(reason)
        self.reason = reason or self.code
        self.said = said


class ProviderUnknown(SocialRefused):
    """No such provider, or it is switched off."""

    code = "provider_unknown"
    public_message = gettext_noop("Signing in with this provider is not possible here.")


class ProviderUnavailable(SocialRefused):
    """It does not answer, or not in time."""

    code = "provider_unavailable"
    public_message = gettext_noop(
        "The provider does not answer. Please try again later, or sign in otherwise."
    )


class ProviderNotBelieved(SocialRefused):
    """It answered, and the answer does not hold."""

    code = "provider_not_believed"
    public_message = gettext_noop(
        "The provider's answer could not be verified. Please try again; if it happens again, "
        "tell the administrator."
    )


class ProviderMisconfigured(SocialRefused):
    """It is set up wrongly, here or there."""

    code = "provider_misconfigured"
    public_message = gettext_noop(
        "This provider is not set up correctly. Please tell the administrator."
    )


class StateNotValid(SocialRefused):
    """What came back does not belong to a sign-in that this client began, or came twice."""

    code = "social_state_not_valid"
    public_message = gettext_noop(
        "This sign-in has expired or was not begun here. Please begin again."
    )


class Declined(SocialRefused):
    """The person said no at the provider."""

    code = "social_declined"
    public_message = gettext_noop("You cancelled the sign-in at the provider. Nothing has changed.")


class NotAdmitted(SocialRefused):
    """Who it is, is known; the provider's row says that they do not get in."""

    code = "social_not_admitted"
    public_message = gettext_noop("Your account at this provider does not give you access here.")


class SignUpClosed(SocialRefused):
    """Nobody here has linked this identity, and new people are not taken."""

    code = "social_sign_up_closed"
    public_message = gettext_noop(
        "No account here is linked to this one. If you have an account, sign in and link it."
    )


class EmailInUse(SocialRefused):
    """A new account would need an address that is another account's."""

    code = "social_email_in_use"
    public_message = gettext_noop(
        "An account has this address already. Sign in to it and link the provider."
    )


class WrongPerson(SocialRefused):
    """A link comes back while somebody else, or nobody, is signed in."""

    code = "social_wrong_person"
    public_message = gettext_noop(
        "You are not signed in as the person who began this. Please begin again."
    )


class AccountInUse(SocialRefused):
    """The identity is linked to another person."""

    code = "social_account_in_use"
    public_message = gettext_noop("This account of the provider is linked to another account here.")


class LastWayIn(SocialRefused):
    """Without it the person could not sign in any more."""

    code = "last_way_in"
    public_message = gettext_noop(
        "This is your last way to sign in. Set a password or link another account first."
    )


class RedirectNotRegistered(SocialRefused):
    """A redirect URI that nobody has registered."""

    code = "redirect_uri_not_registered"
    public_message = gettext_noop("This redirect URI is not registered.")
