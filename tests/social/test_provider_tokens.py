"""The provider's own tokens: kept where asked for, and refreshed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection

from authkit import sealing, signals
from authkit.models import SocialAccount, SocialProvider
from authkit.social import provider_tokens
from authkit.social.refusals import ProviderUnavailable, ProviderUnknown
from tests.social.liar import Liar, as_json
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db


def test_tokens_are_not_kept_unless_asked_for(offer, liar):
    row = offer()
    Visitor().sign_in(liar)
    assert SocialAccount.objects.get().sealed_tokens == ""
    row.keeps_tokens = True
    row.save()
    Visitor().sign_in(liar)
    account = SocialAccount.objects.get()
    kept = sealing.unseal_object(sealing.PROVIDER_TOKENS, account.sealed_tokens)
    assert kept["refresh_token"] == "rt-1"
    assert "rt-1" not in account.sealed_tokens
    assert provider_tokens.access_token_of(account) == kept["access_token"]


def _kept_and_over(offer: Any, liar: Liar) -> SocialAccount:
    offer(keeps_tokens=True)
    liar.token["expires_in"] = 1
    Visitor().sign_in(liar)
    return SocialAccount.objects.get()


def test_tokens_that_are_over_are_refreshed(offer, liar):
    account = _kept_and_over(offer, liar)
    liar.answers["/token"] = lambda: as_json({"access_token": "fresh", "expires_in": 300})
    assert provider_tokens.access_token_of(account) == "fresh"
    liar.answers["/token"] = lambda: as_json({}, 500)
    assert provider_tokens.access_token_of(account) == "fresh"


def test_a_refused_refresh_asks_for_a_new_sign_in(offer, liar):
    account = _kept_and_over(offer, liar)
    liar.answers["/token"] = lambda: as_json({"error": "invalid_grant"}, 400)
    with pytest.raises(provider_tokens.NoTokens):
        provider_tokens.access_token_of(account)


def test_a_provider_that_is_switched_off_refreshes_nothing(offer, liar):
    account = _kept_and_over(offer, liar)
    SocialProvider.objects.update(is_enabled=False)
    with pytest.raises(ProviderUnknown):
        provider_tokens.access_token_of(account)


@pytest.mark.parametrize("lifetime", ["\u00b2", "9" * 5000, -1, 1e400, [], {}, True, "300.0"])
def test_a_lifetime_may_be_anything(offer, liar, lifetime):
    offer(keeps_tokens=True)
    liar.token["expires_in"] = lifetime
    assert Visitor().sign_in(liar).status_code == 200
    assert provider_tokens.access_token_of(SocialAccount.objects.get()).startswith("at-")


@pytest.mark.parametrize("told", [{}, [], None, "x", {"access_token": ""}, {"access_token": {}}])
def test_a_refresh_that_brings_no_token_is_told(offer, liar, told):
    account = _kept_and_over(offer, liar)
    liar.answers["/token"] = lambda: as_json(told)
    with pytest.raises(ProviderUnavailable):
        provider_tokens.access_token_of(account)
    liar.answers["/token"] = lambda: as_json({"access_token": "fresh", "expires_in": 300})
    assert provider_tokens.access_token_of(account) == "fresh"


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_database_while_a_provider_is_asked(offer, liar):
    """SQLite has one writer: a transaction would keep everybody else from writing."""
    account = _kept_and_over(offer, liar)
    liar.answers["/token"] = lambda: as_json({"access_token": "fresh", "expires_in": 300})
    seen: list[bool] = []

    def look(**_: Any) -> None:
        seen.append(connection.in_atomic_block)

    signals.provider_asked.connect(look)
    try:
        assert provider_tokens.access_token_of(account) == "fresh"
    finally:
        signals.provider_asked.disconnect(look)
    assert seen
    assert not any(seen)


def _claimed_by_another(account: SocialAccount, until: float) -> None:
    kept = sealing.unseal_object(sealing.PROVIDER_TOKENS, account.sealed_tokens)
    sealed = sealing.seal_object(sealing.PROVIDER_TOKENS, {**kept, "refreshing_until": until})
    SocialAccount.objects.update(sealed_tokens=sealed)


def test_a_token_that_another_is_refreshing_is_waited_for(offer, liar, monkeypatch):
    """A refresh token that is used twice at once is taken for stolen by many providers."""
    account = _kept_and_over(offer, liar)
    _claimed_by_another(account, time.time() + 60)
    liar.asked.clear()

    def meanwhile(_: float) -> None:
        account.refresh_from_db()
        provider_tokens.keep(account, {"access_token": "theirs", "expires_in": 300})

    monkeypatch.setattr(time, "sleep", meanwhile)
    assert provider_tokens.access_token_of(account) == "theirs"
    assert liar.asked == []


def test_who_refreshes_and_never_ends_is_not_waited_for(offer, liar, settings):
    account = _kept_and_over(offer, liar)
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_TIMEOUT": 1}
    _claimed_by_another(account, time.time() + 60)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        provider_tokens.access_token_of(account)
    assert time.monotonic() - started < 3
    _claimed_by_another(account, time.time() - 1)  # it was killed
    liar.answers["/token"] = lambda: as_json({"access_token": "fresh", "expires_in": 300})
    assert provider_tokens.access_token_of(account) == "fresh"


def test_a_sign_in_meanwhile_is_not_overwritten(offer, liar):
    account = _kept_and_over(offer, liar)

    def sign_in_meanwhile() -> Any:
        return as_json({"access_token": "fresh", "expires_in": 300})

    liar.answers["/token"] = sign_in_meanwhile

    def look(**_: Any) -> None:
        row = SocialAccount.objects.get()
        provider_tokens.keep(row, {"access_token": "newer", "expires_in": 300})

    signals.provider_asked.connect(look)
    try:
        assert provider_tokens.access_token_of(account) == "fresh"
    finally:
        signals.provider_asked.disconnect(look)
    assert provider_tokens.access_token_of(account) == "newer"


@pytest.mark.parametrize("brought", ["", "rt-9"])
def test_the_next_refresh_token_is_kept_beside_what_a_sign_in_meanwhile_brought(
    offer, liar, brought
):
    """The one before works no more, and not every sign-in brings another."""
    account = _kept_and_over(offer, liar)
    next_ones = {"access_token": "fresh", "refresh_token": "rt-2", "expires_in": 300}
    liar.answers["/token"] = lambda: as_json(next_ones)

    def sign_in(**_: Any) -> None:
        row = SocialAccount.objects.get()
        told = {"access_token": "newer", "refresh_token": brought, "expires_in": 300}
        provider_tokens.keep(row, told)

    signals.provider_asked.connect(sign_in)
    try:
        assert provider_tokens.access_token_of(account) == "fresh"
    finally:
        signals.provider_asked.disconnect(sign_in)
    account.refresh_from_db()
    kept = sealing.unseal_object(sealing.PROVIDER_TOKENS, account.sealed_tokens)
    assert (kept["access_token"], kept["refresh_token"]) == ("newer", brought or "rt-2")
