"""Providers of rows and of settings, and which wins."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import authenticate, get_user_model
from django.test import Client, override_settings

from authkit import sealing
from authkit.models import SocialProvider
from authkit.social import kinds, providers
from authkit.social.backends import guarded
from authkit.social.refusals import ProviderMisconfigured
from authkit.social.strategy import SocialStrategy
from tests.api.callers import SIGN_INS, browser, sign_in
from tests.people import PASSWORD, make_person
from tests.social.visitor import Visitor, query_of

pytestmark = pytest.mark.django_db

OIDC = "social_core.backends.open_id_connect.OpenIdConnectAuth"
GITHUB = "social_core.backends.github.GithubOAuth2"
OURS = "authkit.backends.AuthkitBackend"


@pytest.fixture
def by_settings(settings: Any, liar: Any) -> Any:
    settings.AUTHENTICATION_BACKENDS = [OURS, OIDC, GITHUB]
    settings.SOCIAL_AUTH_OIDC_KEY = liar.client_id
    settings.SOCIAL_AUTH_OIDC_SECRET = liar.secret
    settings.SOCIAL_AUTH_OIDC_OIDC_ENDPOINT = liar.issuer
    return settings


def test_a_provider_of_the_settings_signs_in(by_settings, liar):
    answer = Visitor().sign_in(liar, "oidc")
    assert answer.status_code == 200, answer.content


def test_the_offers_name_those_of_the_settings_that_have_a_key(by_settings):
    assert [each[0] for each in providers.on_offer()] == ["oidc"]
    by_settings.SOCIAL_AUTH_GITHUB_KEY = "key"
    assert [each[0] for each in providers.on_offer()] == ["oidc", "github"]


def test_django_gets_along_with_the_backends_of_the_settings(by_settings, person):
    """It makes each of them, whoever signs in or is asked for a permission."""
    assert authenticate(username=person.get_username(), password=PASSWORD) == person
    assert authenticate(username=person.get_username(), password="wrong") is None
    fresh: Any = get_user_model().objects.get(pk=person.pk)
    assert not fresh.has_perm("authkit.view_role")
    clerk = make_person("clerk", is_staff=True)
    form = {"username": clerk.get_username(), "password": PASSWORD}
    client = Client()
    assert client.post("/admin/login/?next=/admin/", form).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_a_row_wins_over_the_settings(by_settings, offer):
    offer(slug="oidc", client_id="of the row", name="Of the row")
    begun = Visitor().begin("oidc")
    assert query_of(begun["authorization_url"])["client_id"] == "of the row"
    assert [each[:2] for each in providers.on_offer()] == [("oidc", "Of the row")]


def test_a_row_that_is_switched_off_switches_the_settings_off(by_settings, offer):
    offer(slug="oidc", is_enabled=False)
    assert Visitor().post("/auth/social/oidc/begin/", {}).status_code == 404
    assert providers.on_offer() == []


@pytest.mark.parametrize("kind", SIGN_INS)
def test_passwords_still_work_where_the_settings_list_providers(kind, by_settings, person):
    assert sign_in(kind, person).get("/auth/me/").status_code == 200
    wrong = {"username": person.get_username(), "password": "wrong"}
    assert browser().post(f"/auth/{kind}/", wrong).status_code == 401


def test_permissions_are_still_known_where_the_settings_list_providers(by_settings, person):
    assert not person.has_perm("authkit.view_role")
    assert not async_to_sync(person.ahas_module_perms)("authkit")
    assert Visitor().get("/admin/login/").status_code == 200


def test_other_options_of_python_social_auth_are_read_for_a_row(settings, offer):
    offer()
    settings.SOCIAL_AUTH_HOUSE_AUTH_EXTRA_ARGUMENTS = {"prompt": "login"}
    assert query_of(Visitor().begin()["authorization_url"])["prompt"] == "login"


def test_no_setting_turns_pkce_off(settings, offer):
    offer()
    settings.SOCIAL_AUTH_USE_PKCE = settings.SOCIAL_AUTH_HOUSE_USE_PKCE = False
    settings.SOCIAL_AUTH_PKCE_CODE_CHALLENGE_METHOD = "plain"
    assert query_of(Visitor().begin()["authorization_url"])["code_challenge_method"] == "S256"


@pytest.mark.parametrize("kind", [kind for kind in SocialProvider.Kind if kind != "oidc"])
def test_every_kind_begins_with_pkce_and_an_exact_redirect_uri(offer, kind, settings):
    settings.AUTHKIT = {}
    offer(kind=kind, backend="discord" if kind == "other" else "", issuer="")
    if kind == "google":
        return  # asks Google for its discovery document: see test_stand_ins
    query = query_of(Visitor().begin()["authorization_url"])
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == "http://testserver/auth/social/house/callback/"
    assert len(query["state"]) >= 32


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("discord", "social_core.backends.discord.DiscordOAuth2"),
        ("linkedin-openidconnect", "social_core.backends.linkedin.LinkedinOpenIdConnect"),
        ("keycloak", "social_core.backends.keycloak.KeycloakOAuth2"),
        ("twitter", "social_core.backends.twitter.TwitterOAuth"),
        ("tumblr", "social_core.backends.tumblr.TumblrOAuth"),
        ("fitbit", "social_core.backends.fitbit.FitbitOAuth2"),  # not the one of OAuth 1
    ],
)
def test_other_backends_are_found_by_their_name(name, path):
    found = kinds.backend_class("other", name)
    assert f"{found.__module__}.{found.__qualname__}" == path


@pytest.mark.parametrize("name", ["", "os", "nothing", "../x", "a.b", "utils", "base", "saml"])
def test_what_is_no_backend_is_not_found(name):
    with pytest.raises(kinds.BackendUnknown) as refused:
        kinds.backend_class("other", name)
    assert not isinstance(refused.value, kinds.BackendTooOld)


@pytest.mark.parametrize("name", ["drip", "coursera", "mixcloud"])
def test_a_backend_that_knows_people_by_an_address_or_a_name_is_refused(name):
    with pytest.raises(kinds.NoSubject):
        kinds.backend_class("other", name)


@pytest.mark.parametrize("name", ["steam", "email", "mediawiki"])
def test_what_cannot_be_bound_is_refused(name):
    """OpenID 2, a form that believes what it is told, a dialect of OAuth 1."""
    with pytest.raises(kinds.BackendTooOld):
        kinds.backend_class("other", name)


def test_copies_keep_the_class_and_bear_the_providers_name(offer):
    offer()
    provider = providers.find("house")
    copy = guarded(provider.backend, "house")
    assert issubclass(copy, provider.backend)
    assert (copy.name, copy.__qualname__) == ("house", "OpenIdConnectAuth")
    assert guarded(provider.backend, "house") is copy


def test_secrets_are_sealed_and_follow_the_secret_key(offer, settings):
    row = offer(secret="a very secret secret")
    assert "very secret" not in row.sealed_secret
    assert providers.of_row(row).secret == "a very secret secret"
    assert "very secret" not in repr(providers.of_row(row))
    old = settings.SECRET_KEY
    with override_settings(SECRET_KEY="another " * 5, SECRET_KEY_FALLBACKS=[old]):
        assert providers.of_row(row).secret == "a very secret secret"
        resealed = sealing.reseal(sealing.PROVIDER_SECRET, row.sealed_secret)
    with override_settings(SECRET_KEY="another " * 5, SECRET_KEY_FALLBACKS=[]):
        with pytest.raises(ProviderMisconfigured):
            providers.of_row(row)
        assert sealing.unseal(sealing.PROVIDER_SECRET, resealed) == "a very secret secret"


def test_what_is_sealed_for_one_purpose_opens_nothing_else():
    text = sealing.seal("one", "value")
    with pytest.raises(sealing.Unsealable):
        sealing.unseal("two", text)


def test_the_strategy_finds_a_backend_by_the_name_of_a_row(offer):
    offer()
    found = SocialStrategy(provider=providers.find("house")).get_backend_class("house")
    assert found.name == "house"


def test_without_a_provider_it_is_python_social_auths_own(by_settings):
    assert SocialStrategy().get_backend_class("github").name == "github"
    assert "authkit" not in str(SocialStrategy().get_pipeline())


def test_a_pipeline_without_our_steps_lets_nobody_in(settings, offer, liar):
    offer()
    settings.SOCIAL_AUTH_PIPELINE = [
        "social_core.pipeline.social_auth.social_details",
        "social_core.pipeline.social_auth.social_uid",
    ]
    answer = Visitor().sign_in(liar)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_misconfigured")
