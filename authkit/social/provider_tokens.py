"""The provider's own tokens of a person, for projects that call its API.

Kept only where the provider's row asks for it, sealed, and refreshed when they are over.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables
from social_core.exceptions import SocialAuthBaseException

from authkit import sealing
from authkit.models import SocialAccount
from authkit.social import providers
from authkit.social.refusals import ProviderUnavailable
from authkit.social.strategy import SocialStrategy

_SECRET = "access_token_secret"  # noqa: S105 - a name
NAMES = ("access_token", "refresh_token", "token_type", "expires_in", "scope", _SECRET)
_EARLY = 30  # seconds before its end at which a token counts as over


class NoTokens(LookupError):
    """None are kept, or the person has to sign in at the provider again."""


@sensitive_variables("told")
def told_in(response: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens in a provider's answer; over OAuth 1 they are a pair, the secret with it."""
    told = response.get("access_token")
    if isinstance(told, Mapping):
        return {"access_token": told.get("oauth_token"), _SECRET: told.get("oauth_token_secret")}
    return {name: response[name] for name in NAMES if name in response and name != _SECRET}


@sensitive_variables("tokens", "kept")
def keep(account: SocialAccount, tokens: Mapping[str, Any]) -> None:
    """Keep what the provider gave; a refresh token that it does not repeat stays."""
    kept = {**_kept(account), **{name: tokens[name] for name in NAMES if tokens.get(name)}}
    lifetime = tokens.get("expires_in")
    is_number = isinstance(lifetime, int | float | str) and str(lifetime).isdigit()
    kept["expires_at"] = int(time.time()) + int(lifetime) if is_number else None  # type: ignore[arg-type]
    account.sealed_tokens = sealing.seal_object(sealing.PROVIDER_TOKENS, kept)
    account.save(update_fields=["sealed_tokens"])


@sensitive_variables("kept", "token", "fresh")
def access_token_of(account: SocialAccount) -> str:
    """A token with which the provider's API may be called now; refreshed if it has to be.

    Raises:
        NoTokens: see there.
        SocialRefused: the provider is switched off or does not answer.
    """
    with transaction.atomic():
        row = SocialAccount.objects.select_for_update().get(pk=account.pk)
        kept = _kept(row)
        if not kept:
            raise NoTokens("none are kept")
        expires_at = kept.get("expires_at")
        if expires_at is None or time.time() < expires_at - _EARLY:
            return str(kept["access_token"])
        fresh = _refreshed(row, str(kept.get("refresh_token") or ""))
        keep(row, fresh)
        return str(fresh["access_token"])


@sensitive_variables()
def access_token_secret_of(account: SocialAccount) -> str:
    """What requests are signed with beside the access token, over OAuth 1.

    Raises:
        NoTokens: none is kept.
    """
    found = _kept(account).get(_SECRET)
    if not found:
        raise NoTokens("none is kept")
    return str(found)


def _kept(account: SocialAccount) -> dict[str, Any]:
    if not account.sealed_tokens:
        return {}
    try:
        return sealing.unseal_object(sealing.PROVIDER_TOKENS, account.sealed_tokens)
    except sealing.Unsealable:
        return {}


@sensitive_variables("refresh_token")
def _refreshed(account: SocialAccount, refresh_token: str) -> dict[str, Any]:
    if not refresh_token:
        raise NoTokens("they are over, and the provider gave no refresh token")
    provider = providers.find(account.provider)
    strategy = SocialStrategy(provider=provider, data={}, values={})
    backend: Any = strategy.get_backend(provider.slug)
    try:
        answer: dict[str, Any] = backend.refresh_token(refresh_token)
    except SocialAuthBaseException as error:
        if error.source == "provider_response" and error.code != "reauthentication_required":
            raise ProviderUnavailable(error.code) from error
        raise NoTokens("the provider wants the person to sign in again") from error
    return answer
