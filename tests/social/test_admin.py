"""Providers and linked accounts in the admin site."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from authkit import sealing
from authkit.models import AuditEvent, ClaimRole, Role, SocialAccount, SocialProvider
from authkit.social import providers
from tests.people import make_person
from tests.social.liar import as_json, jwk
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db

LIST = "/admin/authkit/socialprovider/"
CANARY = "canary-secret-of-a-provider"


@pytest.fixture
def admin(superuser: Any) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


def _form(liar: Any, **fields: Any) -> dict[str, Any]:
    inline = {f"claim_roles-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM")}
    usual = {
        "name": "The house",
        "slug": "house",
        "kind": "oidc",
        "is_enabled": "on",
        "position": 0,
        "issuer": liar.issuer,
        "client_id": liar.client_id,
        "secret": CANARY,
        "sign_up": "verified",
        "claim_roles-MAX_NUM_FORMS": 100,
    }
    return {**usual, **inline, **fields}


def _errors(answer: Any) -> Any:
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


def _messages(client: Client, row: SocialProvider) -> list[str]:
    answer = client.post(f"{LIST}{row.pk}/try/", follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_a_provider_is_set_up_and_signs_people_in(admin, liar):
    answer = admin.post(f"{LIST}add/", _form(liar, scopes="a\n b \n", email_domains="@Example.org"))
    assert answer.status_code == 302, _errors(answer)
    row = SocialProvider.objects.get()
    assert (row.scopes, row.email_domains) == (["a", "b"], ["example.org"])
    assert providers.of_row(row).secret == CANARY
    event = AuditEvent.objects.get(kind="social.provider_saved")
    assert event.subject == "house"
    assert CANARY not in str(event.data)
    assert Visitor().sign_in(liar).status_code == 200


def test_the_secret_comes_out_nowhere(admin, liar, offer):
    row = offer(secret=CANARY)
    for url in (LIST, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/history/", "/auth/social/"):
        content = admin.get(url).content.decode()
        assert CANARY not in content
        assert row.sealed_secret not in content


def test_an_empty_secret_keeps_the_one_that_is_there(admin, liar, offer):
    row = offer(secret=CANARY)
    url = f"{LIST}{row.pk}/change/"
    assert admin.post(url, _form(liar, secret="", name="Else")).status_code == 302
    row.refresh_from_db()
    assert (row.name, providers.of_row(row).secret) == ("Else", CANARY)
    assert admin.post(url, _form(liar, secret="", forget_secret="on")).status_code == 302
    row.refresh_from_db()
    assert row.sealed_secret == ""


def test_the_redirect_uri_is_shown_to_be_copied(admin, offer):
    row = offer()
    content = admin.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "http://testserver/auth/social/house/callback/" in content
    assert "data-authkit-copy" in content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", ""),
        ("issuer", "http://example.org"),
        ("issuer", "javascript:alert(1)"),
        ("issuer", "https://169.254.169.254"),
        ("issuer", "https://[::1]/"),
        ("issuer", "https://10.0.0.1"),
        ("slug", "No Slug"),
        ("slug", "../x"),
        ("redirect_uris", "http://example.org/"),
        ("redirect_uris", "javascript:alert(1)"),
        ("redirect_uris", "https://app.example/#x"),
        ("kind", "nothing"),
    ],
)
def test_what_would_not_work_or_not_be_safe_is_not_saved(admin, liar, field, value):
    assert field in _errors(admin.post(f"{LIST}add/", _form(liar, **{field: value})))
    assert not SocialProvider.objects.exists()


def test_organisations_that_a_kind_does_not_tell_are_not_saved(admin, liar):
    form = _form(liar, kind="x", issuer="", organisations="acme")
    assert "tells of no organisations" in str(_errors(admin.post(f"{LIST}add/", form)))
    form["kind"] = "github"
    assert admin.post(f"{LIST}add/", form).status_code == 302


def test_another_backend_must_exist(admin, liar):
    form = _form(liar, kind="other", issuer="", backend="no-such")
    assert "backend" in _errors(admin.post(f"{LIST}add/", form))
    form["backend"] = "steam"
    assert "neither OAuth nor OpenID" in str(_errors(admin.post(f"{LIST}add/", form)))
    form["backend"] = "discord"
    assert admin.post(f"{LIST}add/", form).status_code == 302


def test_a_good_provider_passes_its_test(admin, liar, offer):
    liar.discovery["code_challenge_methods_supported"] = ["S256"]
    found = _messages(admin, offer())
    assert "The discovery document names this issuer." in found
    assert "It takes PKCE with S256." in found
    assert "Keys that sign: 1." in found


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda liar: liar.discovery.update(issuer="https://else.example"), "calls itself"),
        (
            lambda liar: liar.discovery.update(issuer="https://login.example/{tenantid}/v2.0"),
            "every tenant",
        ),
        (lambda liar: liar.discovery.update(token_endpoint=None), "token_endpoint"),
        (lambda liar: liar.discovery.update(jwks_uri="http://10.0.0.1/"), "not encrypted"),
        (lambda liar: liar.keys.clear(), "no key"),
        (lambda liar: liar.keys.__setitem__(0, jwk(use="enc")), "no key"),
        (
            lambda liar: liar.answers.update(
                {"/.well-known/openid-configuration": lambda: as_json({}, 404)}
            ),
            "Is the issuer right?",
        ),
        (
            lambda liar: liar.answers.update(
                {"/.well-known/openid-configuration": lambda: (200, {}, b"<html>")}
            ),
            "no JSON object",
        ),
        (
            lambda liar: liar.answers.update(
                {
                    "/.well-known/openid-configuration": lambda: (
                        301,
                        {"Location": "https://<script>"},
                        b"",
                    )
                }
            ),
            "leads elsewhere",
        ),
        (
            lambda liar: liar.answers.update({"/.well-known/openid-configuration": lambda: None}),
            "in time",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(admin, liar, offer, lie, words):
    lie(liar)
    assert any(words in text for text in _messages(admin, offer()))


def test_a_secret_of_another_key_is_said_in_words(admin, offer):
    row = offer()
    row.sealed_secret = "nonsense"
    row.save()
    assert _messages(admin, row) == [
        "Its secret was encrypted under another SECRET_KEY. Enter it again."
    ]


def test_providers_of_the_settings_are_listed(admin, settings, offer):
    settings.AUTHENTICATION_BACKENDS = [
        "authkit.backends.AuthkitBackend",
        "social_core.backends.github.GithubOAuth2",
    ]
    settings.SOCIAL_AUTH_GITHUB_KEY = "key"
    assert b"GitHub (github): in force" in admin.get(LIST).content
    offer(slug="github", kind="github")
    assert b"GitHub (github): overridden" in admin.get(LIST).content


def test_only_superusers_decide_about_roles(liar, offer):
    row = offer()
    helper: Any = make_person("helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__endswith="socialprovider"))
    client = Client()
    client.force_login(helper)
    form = _form(liar, secret="", default_roles="boss")
    form |= {
        "claim_roles-TOTAL_FORMS": 1,
        "claim_roles-0-claim": "groups",
        "claim_roles-0-value": "x",
        "claim_roles-0-role": "boss",
        "claim_roles-0-mode": "add",
    }
    assert client.post(f"{LIST}{row.pk}/change/", form).status_code == 302
    row.refresh_from_db()
    assert row.default_roles == []
    assert not ClaimRole.objects.exists()


def test_a_superuser_maps_claims_to_roles(admin, liar, offer):
    row = offer()
    form = _form(liar, secret="", default_roles="author")
    form |= {
        "claim_roles-TOTAL_FORMS": 1,
        "claim_roles-0-claim": "groups",
        "claim_roles-0-value": "x",
        "claim_roles-0-role": "boss",
        "claim_roles-0-mode": "sync",
    }
    assert admin.post(f"{LIST}{row.pk}/change/", form).status_code == 302
    assert ClaimRole.objects.get().role == "boss"


def test_strangers_and_staff_without_permission_see_nothing(offer):
    row = offer()
    client = Client()
    clerk: Any = make_person("clerk", is_staff=True)
    client.force_login(clerk)
    for url in (LIST, f"{LIST}{row.pk}/change/", "/admin/authkit/socialaccount/"):
        assert client.get(url).status_code == 403
    assert client.post(f"{LIST}{row.pk}/try/").status_code == 403


def test_linked_accounts_are_shown_with_a_dry_run_and_unlinked(admin, liar, offer):
    row = offer(keeps_tokens=True)
    liar.person["groups"] = ["writers"]
    Visitor().sign_in(liar)
    Role.objects.create(slug="editor", name="Editor")
    ClaimRole.objects.create(provider=row, claim="groups", value="writers", role="editor")
    account = SocialAccount.objects.get()
    page = admin.get(reverse("admin:authkit_socialaccount_change", args=[account.pk]))
    assert b"would have: editor" in page.content
    assert account.sealed_tokens.encode() not in page.content
    assert admin.get("/admin/authkit/socialaccount/?q=vera").status_code == 200
    url = reverse("admin:authkit_socialaccount_press", args=[account.pk, "unlink_accounts"])
    assert admin.post(url).status_code == 302
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(kind="social.unlinked").exists()


def test_tokens_and_digests_are_not_found_out_letter_by_letter(admin, offer):
    for column in ("sealed_tokens", "digest"):
        answer = admin.get(f"/admin/authkit/socialaccount/?{column}__startswith=g")
        assert answer.status_code == 400
    assert admin.get(f"{LIST}?sealed_secret__startswith=g").status_code == 400


def test_secrets_are_sealed_for_one_purpose(offer):
    row = offer(secret=CANARY)
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(sealing.PROVIDER_TOKENS, row.sealed_secret)


def _helper(*kinds: str) -> Client:
    """An administrator who is no superuser."""
    person: Any = make_person("helper", is_staff=True)
    names = [f"{kind}_socialprovider" for kind in kinds]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(person)
    return client


def test_a_delegated_administrator_takes_nobodys_place(liar, offer, settings):
    """To delete a row and add it again without its limits would let in whom they kept out."""
    row = offer()
    Visitor().sign_in(liar)
    row.email_domains = ["else.example"]
    row.save()
    client = _helper("view", "add", "delete")
    row.delete()
    assert "superuser" in str(_errors(client.post(f"{LIST}add/", _form(liar)))["slug"])
    settings.AUTHENTICATION_BACKENDS = [
        "authkit.backends.AuthkitBackend",
        "social_core.backends.github.GithubOAuth2",
    ]
    settings.SOCIAL_AUTH_GITHUB_KEY = "key"
    form = _form(liar, slug="github", kind="github", issuer="")
    assert "superuser" in str(_errors(client.post(f"{LIST}add/", form))["slug"])
    assert not SocialProvider.objects.exists()
    assert client.post(f"{LIST}add/", {**form, "slug": "new"}).status_code == 302


def test_a_superuser_puts_a_provider_back(admin, liar, offer):
    row = offer()
    Visitor().sign_in(liar)
    row.delete()
    assert admin.post(f"{LIST}add/", _form(liar)).status_code == 302


def test_a_delegated_administrator_cannot_repoint_a_provider(liar, offer):
    row = offer(default_roles=["boss"])
    person: Any = make_person("helper", is_staff=True)
    kinds = ("view", "change")
    names = [f"{kind}_socialprovider" for kind in kinds]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(person)
    form = _form(
        liar,
        name="Renamed",
        slug="evil",
        kind="github",
        issuer="https://evil.example",
        client_id="evil",
        redirect_uris="https://evil.example/",
        sign_up="anybody",
        email_domains="evil.example",
        default_roles="root",
        is_enabled="",
    )
    before = {name: getattr(row, name) for name in ("slug", "kind", "issuer", "client_id")}
    before |= {name: getattr(row, name) for name in ("redirect_uris", "sign_up", "default_roles")}
    before |= {"email_domains": row.email_domains, "organisations": row.organisations}
    answer = client.post(f"{LIST}{row.pk}/change/", form)
    assert answer.status_code == 302, _errors(answer)
    row.refresh_from_db()
    assert row.name == "Renamed"
    assert not row.is_enabled
    assert {name: getattr(row, name) for name in before} == before
