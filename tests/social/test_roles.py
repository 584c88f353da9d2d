"""Roles from claims, and the provider's tokens."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from authkit import sealing
from authkit.models import Assignment, AuditEvent, ClaimRole, Role, SocialAccount, SocialProvider
from authkit.social import provider_tokens, roles
from authkit.social.refusals import ProviderUnknown
from tests.social.liar import Liar, as_json
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def staffed() -> None:
    for slug in ("editor", "author", "clerk"):
        Role.objects.create(slug=slug, name=slug)


def _held() -> set[str]:
    return set(Assignment.objects.values_list("role__slug", flat=True))


@pytest.mark.usefixtures("staffed")
def test_a_claim_gives_a_role(offer, liar):
    row = offer(default_roles=["author", "nobody knows"])
    ClaimRole.objects.create(provider=row, claim="groups", value="writers", role="editor")
    liar.person["groups"] = ["writers", "readers"]
    Visitor().sign_in(liar)
    assert _held() == {"author", "editor"}
    assert AuditEvent.objects.get(kind="social.roles").data["gained"] == ["author", "editor"]


@pytest.mark.usefixtures("staffed")
def test_in_step_takes_away_what_a_claim_gave_and_nothing_else(offer, liar):
    row = offer()
    for role, mode in (("editor", "sync"), ("clerk", "sync"), ("author", "add")):
        ClaimRole.objects.create(provider=row, claim="groups", value=role, role=role, mode=mode)
    liar.person["groups"] = ["editor", "author"]
    Visitor().sign_in(liar)
    by_hand = Role.objects.get(slug="clerk")
    Assignment.objects.create(role=by_hand, user_id=get_user_model().objects.get().pk)
    liar.person["groups"] = []
    Visitor().sign_in(liar)
    assert _held() == {"author", "clerk"}


@pytest.mark.usefixtures("staffed")
def test_roles_of_new_people_are_given_once(offer, liar):
    offer(default_roles=["author"])
    Visitor().sign_in(liar)
    Assignment.objects.all().delete()
    Visitor().sign_in(liar)
    assert _held() == set()


@pytest.mark.parametrize("slug", ["staff", "anyone", "authenticated", "superuser"])
def test_a_claim_makes_nobody_staff_or_superuser(offer, liar, slug):
    row = offer(default_roles=[slug])
    ClaimRole.objects.create(provider=row, claim="groups", value="x", role=slug)
    liar.person |= {"groups": ["x"], "is_staff": True, "is_superuser": True}
    Visitor().sign_in(liar)
    person: Any = get_user_model().objects.get()
    assert (person.is_staff, person.is_superuser) == (False, False)
    assert _held() == set()


def test_a_dry_run_changes_nothing(offer, liar):
    row = offer()
    ClaimRole(provider=row, claim="realm.roles", value="boss", role="editor").save()
    liar.person["realm"] = {"roles": ["boss"]}
    Visitor().sign_in(liar)
    account = SocialAccount.objects.get()
    assert account.claims == {"realm.roles": ["boss"]}
    found = roles.evaluate(ClaimRole.objects.all(), account.claims)
    assert (found.gained, found.lost) == (("editor",), ())


@pytest.mark.parametrize("value", [{"a": 1}, "x" * 10_000, [["a"]], None, 5, ["a\0b"], True])
def test_claims_may_be_anything(offer, liar, value):
    offer()
    liar.person["groups"] = value
    assert Visitor().sign_in(liar).status_code == 200


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
