"""Google, GitHub, X, Microsoft and GitLab: stand-ins that answer as their documentation says.

The real backends of python-social-auth run; only their hosts are overridden.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from authkit.models import SocialAccount
from tests.social.liar import Liar, as_json
from tests.social.stand_ins import exchange, gitlab, lead_here, with_token
from tests.social.visitor import Visitor, query_of

pytestmark = pytest.mark.django_db

NEEDS_EMAIL = "social_email_needed"


@pytest.fixture(autouse=True)
def _elsewhere(settings: Any, liar: Liar) -> None:
    lead_here(settings, liar)


@pytest.fixture
def google(liar: Liar, offer: Any) -> Any:
    """As https://developers.google.com/identity/openid-connect/openid-connect says."""
    liar.issuer = "https://accounts.google.com"
    liar.authorization_url = "https://accounts.google.com/o/oauth2/auth"
    liar.discovery = {
        "authorization_endpoint": liar.authorization_url,
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "authorization_response_iss_parameter_supported": True,
    }
    person = {"sub": liar.subject, **liar.person, "picture": "https://lh3.example/x"}
    liar.answers["/v1/userinfo"] = lambda: as_json({**person, **liar.userinfo})
    liar.answers["/oauth2/v3/certs"] = lambda: as_json({"keys": liar.keys})
    return offer(kind="google", issuer="")


@pytest.fixture
def github(liar: Liar, offer: Any) -> Any:
    """As https://docs.github.com/en/apps/oauth-apps says."""
    liar.issuer = "https://github.com/login/oauth"
    liar.authorization_url = "https://github.com/login/oauth/authorize"
    token = "/login/oauth/access_token"
    liar.answers[token] = exchange(liar, token, scope="user:email")
    person = {"login": "octocat", "id": 583231, "name": "The Octocat", "email": None}
    liar.answers["/user"] = with_token(liar, "/user", person)
    _github_mails(liar, _mail("octo@example.org"), _mail("other@example.org", primary=False))
    return offer(kind="github", issuer="")


def _mail(address: str, **more: Any) -> dict[str, Any]:
    return {"email": address, "primary": True, "verified": True, "visibility": None, **more}


def _github_mails(liar: Liar, *mails: dict[str, Any]) -> None:
    liar.answers["/user/emails"] = with_token(liar, "/user/emails", list(mails))


def test_google_begins_with_pkce_and_a_nonce(google):
    url = Visitor().begin()["authorization_url"]
    assert url.startswith("https://accounts.google.com/o/oauth2/")
    query = query_of(url)
    assert query["code_challenge_method"] == "S256"
    assert set(query["scope"].split()) == {"openid", "email", "profile"}
    assert query["nonce"]


def test_google_signs_in(google, liar):
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 200, answer.content
    account = SocialAccount.objects.get()
    assert (account.issuer, account.subject) == ("https://accounts.google.com", liar.subject)
    assert account.is_email_verified
    assert not any("access_token" in path for path in liar.asked)


def test_google_without_a_verified_address_signs_nobody_in(google, liar):
    liar.userinfo["email_verified"] = False
    assert Visitor().sign_in(liar).status_code == 502
    assert not SocialAccount.objects.exists()


def test_google_for_one_organisation(google, liar):
    google.organisations = ["example.org"]
    google.save()
    assert Visitor().sign_in(liar).json()["code"] == "social_not_admitted"
    liar.userinfo["hd"] = "example.org"
    assert Visitor().sign_in(liar).status_code == 200


def test_github_begins_with_pkce_and_asks_for_addresses(github):
    query = query_of(Visitor().begin()["authorization_url"])
    assert query["code_challenge_method"] == "S256"
    assert query["scope"] == "user:email"


def test_github_signs_in_with_its_verified_primary_address(github, liar):
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["email"] == "octo@example.org"
    account = SocialAccount.objects.get()
    assert (account.issuer, account.subject) == ("https://github.com", "583231")


def test_an_unverified_primary_address_of_github_counts_for_nothing(github, liar, superuser):
    _github_mails(liar, _mail(superuser.email, verified=False))
    github.sign_up = "anyone"
    github.save()
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == NEEDS_EMAIL
        return
    assert answer.json()["user"]["email"] == ""
    assert not SocialAccount.objects.get().is_email_verified


def test_a_public_address_of_github_that_is_not_listed_counts_for_nothing(github, liar, superuser):
    liar.answers["/user"] = lambda: as_json({"login": "x", "id": 1, "email": superuser.email})
    liar.answers["/user/emails"] = lambda: as_json({}, 404)
    answer = Visitor().sign_in(liar)
    assert answer.status_code in {202, 403}
    assert not SocialAccount.objects.exists()


def test_github_for_one_organisation(github, liar):
    github.organisations = ["octo-org"]
    github.save()
    path = "/user/orgs"
    liar.answers[path] = with_token(liar, path, [{"login": "else"}])
    assert "read:org" in query_of(Visitor().begin()["authorization_url"])["scope"]
    assert Visitor().sign_in(liar).json()["code"] == "social_not_admitted"
    liar.answers[path] = with_token(liar, path, [{"login": "else"}, {"login": "octo-org"}])
    assert Visitor().sign_in(liar).status_code == 200


@pytest.mark.parametrize("answer", [{}, [], None, {"id": None}, {"id": ["1"]}, {"id": {}}])
def test_a_person_without_an_id_is_nobody(github, liar, answer):
    liar.answers["/user"] = lambda: as_json(answer)
    assert Visitor().sign_in(liar).status_code == 502
    assert not SocialAccount.objects.exists()


def test_x_signs_in_without_an_address(liar, offer):
    """As https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code says."""
    row = offer(kind="x", issuer="", sign_up="anyone")
    liar.issuer = "https://twitter.com"
    liar.authorization_url = "https://twitter.com/i/oauth2/authorize"
    token, me = "/2/oauth2/token", "/2/users/me"
    liar.answers[token] = exchange(liar, token, expires_in=7200, scope="users.read")
    person = {"data": {"id": "2244994945", "name": "X Dev", "username": "XDevelopers"}}
    liar.answers[me] = with_token(liar, me, person)
    query = query_of(Visitor().begin()["authorization_url"])
    assert query["code_challenge_method"] == "S256"
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == NEEDS_EMAIL
        return
    assert answer.json()["user"]["username"] == "xdevelopers"
    assert liar.headers[token]["Authorization"].startswith("Basic ")
    row.sign_up = "verified"
    row.save()
    person["data"]["id"] = "5"
    assert Visitor().sign_in(liar).json()["code"] == "social_sign_up_closed"
    liar.answers[me] = lambda: as_json({"errors": []})
    assert Visitor().sign_in(liar).status_code == 502


def test_microsoft_signs_in_and_its_address_is_not_believed(liar, offer, superuser):
    """As https://learn.microsoft.com/en-us/graph/auth-v2-user says."""
    offer(kind="microsoft", issuer="", sign_up="anyone")
    liar.issuer = "https://login.microsoftonline.com/common/v2.0"
    base = "/common/oauth2/v2.0"
    liar.authorization_url = f"https://login.microsoftonline.com{base}/authorize"
    liar.answers[f"{base}/token"] = exchange(liar, f"{base}/token", expires_in=3600)
    person = {"id": "87d349ed", "displayName": "A", "mail": superuser.email}
    person["userPrincipalName"] = "a@contoso.example"
    liar.answers["/v1.0/me"] = with_token(liar, "/v1.0/me", person)
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == NEEDS_EMAIL
        return
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["email"] == ""


@pytest.fixture
def entra(liar: Liar, offer: Any) -> Any:
    """As https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc says.

    And, of the optional claim `xms_edov`, the page migrate-off-email-claim-authorization.
    """
    tenant = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    liar.issuer = tenant
    path = tenant.partition(".com")[2] + "/.well-known/openid-configuration"
    liar.answers[path] = lambda: as_json({**liar.document(), **liar.discovery})
    liar.person = {"email": "vera@example.org", "name": "Vera"}
    return offer(issuer=tenant)


def _has_verified_address(answer: Any) -> bool:
    """Where only verified addresses sign up."""
    assert answer.status_code in {200, 202, 403}, answer.content
    return bool(answer.status_code == 200)


@pytest.mark.parametrize("told", [True, 1, "1", "true"])
def test_an_address_whose_domain_microsoft_has_verified_counts(entra, liar, told):
    liar.id_token["xms_edov"] = told
    answer = Visitor().sign_in(liar)
    assert _has_verified_address(answer)
    assert answer.json()["user"]["email"] == "vera@example.org"
    assert SocialAccount.objects.get().is_email_verified


@pytest.mark.parametrize("told", [None, False, 0, "0", "", "false", [True], {}])
def test_an_address_of_microsoft_without_that_word_does_not(entra, liar, told):
    liar.id_token["xms_edov"] = told
    assert not _has_verified_address(Visitor().sign_in(liar))


def test_the_word_is_of_the_address_beside_it(entra, liar, superuser):
    liar.id_token["xms_edov"] = True
    liar.userinfo["email"] = superuser.email
    assert not _has_verified_address(Visitor().sign_in(liar))


def test_nobody_but_microsoft_says_it(liar, offer):
    offer()
    liar.person = {"email": "vera@example.org", "xms_edov": True}
    assert not _has_verified_address(Visitor().sign_in(liar))


def test_of_two_addresses_the_verified_one_counts(liar, offer):
    offer()
    liar.userinfo |= {"email": "else@example.org", "email_verified": None}
    liar.id_token |= {"email": "vera@example.org", "email_verified": True}
    assert not _has_verified_address(Visitor().sign_in(liar))


def test_gitlab_signs_in_and_its_token_is_in_no_url(liar, offer):
    gitlab(liar, offer)
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["email"] == "ida@example.org"
    assert "/api/v4/groups" not in liar.asked
