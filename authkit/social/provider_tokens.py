"""The provider's own tokens of a person, for projects that call its API.

Kept only where the provider's row asks for it, sealed, and refreshed when they are over.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables
from social_core.exceptions import SocialAuthBaseException

from authkit import conf, sealing
from authkit.models import SocialAccount
from authkit.social import providers
from authkit.social.fetching import Budget
from authkit.social.refusals import ProviderUnavailable
from authkit.social.strategy import SocialStrategy

_SECRET = "access_token_secret"  # noqa: S105 - a name
NAMES = ("access_token", "refresh_token", "token_type", "expires_in", "scope", _SECRET)
_EARLY = 30  # seconds before its end at which a token counts as over
_CLAIMED = "refreshing_until"
_LOOK_AGAIN_AFTER = 0.05  # seconds
_MOST_DIGITS = 10


class NoTokens(LookupError):
    """None are kept, or the person has to sign in at the provider again."""


@sensitive_variables("told")
def told_in(response: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens in a provider's answer; over OAuth 1 they are a pair, the secret with it."""
    told = response.get("access_token")
    if isinstance(told, Mapping):
        return {"access_token": told.get("oauth_token"), _SECRET: told.get("oauth_token_secret")}
    return {name: response[name] for name in NAMES if name in response and name != _SECRET}


@sensitive_variables("tokens")
def keep(account: SocialAccount, tokens: Mapping[str, Any]) -> None:
    """Keep what the provider gave; a refresh token that it does not repeat stays."""
    account.sealed_tokens = _sealed(_kept(account), tokens)
    account.save(update_fields=["sealed_tokens"])


@sensitive_variables("kept", "mine")
def access_token_of(account: SocialAccount) -> str:
    """A token with which the provider's API may be called now; refreshed if it has to be.

    One refreshes at a time: a refresh token that is used twice is taken for stolen. No
    transaction is open meanwhile, so that a provider that hangs keeps nobody from writing.
    Call it in none: rolled back, a refresh token would be forgotten that is needed next time.

    Raises:
        NoTokens: see there.
        SocialRefused: the provider is switched off or does not answer.
    """
    patience = Budget(conf.get().social_timeout.total_seconds())
    while True:
        row = SocialAccount.objects.get(pk=account.pk)
        kept = _kept(row)
        if not kept:
            raise NoTokens("none are kept")
        expires_at = kept.get("expires_at")
        if expires_at is None or time.time() < expires_at - _EARLY:
            return str(kept["access_token"])
        mine = _claim(row, kept)
        if mine:
            return _refresh(row, kept, mine)
        if not patience.left:
            raise ProviderUnavailable("refreshing")
        time.sleep(_LOOK_AGAIN_AFTER)


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


@sensitive_variables("kept", "tokens")
def _sealed(kept: Mapping[str, Any], tokens: Mapping[str, Any]) -> str:
    """What was kept, with what the provider has given now."""
    told = {name: tokens[name] for name in NAMES if tokens.get(name)}
    merged = {**kept, **told, "expires_at": _end_of(tokens.get("expires_in"))}
    merged.pop(_CLAIMED, None)
    return sealing.seal_object(sealing.PROVIDER_TOKENS, merged)


def _end_of(lifetime: object) -> int | None:
    """When a token is over that lives so many seconds; None where that is not told."""
    text = str(lifetime) if isinstance(lifetime, int | float | str) else ""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(time.time()) + int(text) if is_number else None


@sensitive_variables("kept", "mine")
def _claim(row: SocialAccount, kept: Mapping[str, Any]) -> str:
    """What stands in the row while we refresh, and nobody else; "" if another does.

    Whoever is killed over it is in nobody's way when the time of a request is over.
    """
    now = time.time()
    if now < kept.get(_CLAIMED, 0):
        return ""
    until = now + conf.get().social_timeout.total_seconds() + 1
    mine = sealing.seal_object(sealing.PROVIDER_TOKENS, {**kept, _CLAIMED: until})
    return mine if _put(row, row.sealed_tokens, mine) else ""


@sensitive_variables("kept", "mine", "fresh")
def _refresh(row: SocialAccount, kept: Mapping[str, Any], mine: str) -> str:
    try:
        fresh = _refreshed(row, str(kept.get("refresh_token") or ""))
    except Exception:
        _put(row, mine, row.sealed_tokens)
        raise
    if not _put(row, mine, _sealed(kept, fresh)):
        _hand_on(row, kept, fresh)
    return str(fresh["access_token"])


@sensitive_variables("used", "fresh", "following", "kept", "new")
def _hand_on(row: SocialAccount, used: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    """Keep the next refresh token beside what was written meanwhile, if the old one stands there.

    A sign-in need not bring another, and the old one may have worked for the last time.
    """
    written, following = SocialAccount.objects.filter(pk=row.pk).first(), fresh.get("refresh_token")
    kept = {} if written is None else _kept(written)
    if written is not None and following and kept.get("refresh_token") == used["refresh_token"]:
        new = {**kept, "refresh_token": following}
        _put(written, written.sealed_tokens, sealing.seal_object(sealing.PROVIDER_TOKENS, new))


@sensitive_variables("old", "new")
def _put(row: SocialAccount, old: str, new: str) -> bool:
    """Replace what is kept, if it is still that; a sign-in may have brought newer ones."""
    rows = SocialAccount.objects.filter(pk=row.pk, sealed_tokens=old)
    return bool(rows.update(sealed_tokens=new))


@sensitive_variables()
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
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        raise ProviderUnavailable("malformed_response")
    return answer
