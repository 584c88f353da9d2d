"""python-social-auth's errors as refusals of ours."""

from __future__ import annotations

from social_core import exceptions as psa

from authkit.social import refusals

_LONGEST = 300
UNAVAILABLE = frozenset(
    {"timeout", "connection_failed", "unavailable", "rate_limited", "tls_error"}
)
_KINDS: tuple[tuple[type[psa.SocialAuthBaseException], type[refusals.SocialRefused]], ...] = (
    (psa.AuthCanceled, refusals.Declined),
    (psa.AuthConfigurationError, refusals.ProviderMisconfigured),
    (psa.AuthPolicyError, refusals.NotAdmitted),
    (psa.AuthSessionError, refusals.StateNotValid),
    (psa.AuthInputError, refusals.StateNotValid),
    (psa.AuthCredentialError, refusals.StateNotValid),
    (psa.AuthAssociationError, refusals.AccountInUse),
)


def refusal_of(error: psa.SocialAuthBaseException) -> refusals.SocialRefused:
    """The refusal that tells the person what to do, and the audit why."""
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), None)
    if kind is None:
        is_down = error.code in UNAVAILABLE
        kind = refusals.ProviderUnavailable if is_down else refusals.ProviderNotBelieved
    claim = f" ({error.claim})" if error.claim else ""
    told = " ".join(str(part) for part in (error.provider_code or "", error.detail) if part)
    return kind(f"{error.code}{claim}", one_line(told))


def one_line(text: str) -> str:
    """A provider's words for the audit: short, and nothing in them forges a line."""
    printable = (
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_LONGEST]
    )
    return "".join(printable)[:_LONGEST]
