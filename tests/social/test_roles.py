"""Roles from claims."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from authkit.models import Assignment, AuditEvent, ClaimRole, Role, SocialAccount
from authkit.social import roles
from tests.social.liar import Liar, as_json
from tests.social.stand_ins import exchange, gitlab, lead_here, with_token
from tests.social.visitor import Visitor, query_of

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


def _give(row: Any, claim: str, value: str) -> None:
    ClaimRole.objects.create(provider=row, claim=claim, value=value, role="editor", mode="sync")


@pytest.fixture
def elsewhere(settings: Any, liar: Liar) -> None:
    lead_here(settings, liar)


@pytest.mark.usefixtures("staffed", "elsewhere")
def test_membership_of_an_organisation_of_github_gives_a_role(offer, liar):
    liar.issuer = "https://github.com"
    liar.authorization_url = "https://github.com/login/oauth/authorize"
    token = "/login/oauth/access_token"
    liar.answers[token] = exchange(liar, token, scope="user:email")
    liar.answers["/user"] = with_token(liar, "/user", {"id": 7, "login": "octo"})
    listed = [{"email": "o@example.org", "primary": True, "verified": True}]
    liar.answers["/user/emails"] = with_token(liar, "/user/emails", listed)
    row = offer(kind="github", issuer="")
    assert "read:org" not in query_of(Visitor().begin()["authorization_url"])["scope"]
    _give(row, "organisations", "acme")
    assert "read:org" in query_of(Visitor().begin()["authorization_url"])["scope"]
    for logins, held in ((["acme", "x"], {"editor"}), (["acmes"], set()), (["acme"], {"editor"})):
        orgs = [{"login": login} for login in logins]
        liar.answers["/user/orgs"] = with_token(liar, "/user/orgs", orgs)
        assert Visitor().sign_in(liar).status_code == 200
        assert _held() == held
        assert SocialAccount.objects.get().claims["organisations"] == logins
    liar.answers["/user/orgs"] = lambda: as_json({}, 500)
    assert Visitor().sign_in(liar).status_code == 503
    assert _held() == {"editor"}
    liar.answers["/user/orgs"] = lambda: as_json([])
    assert Visitor().sign_in(liar).status_code == 200
    assert _held() == set()


@pytest.mark.usefixtures("staffed", "elsewhere")
def test_membership_of_a_group_of_gitlab_gives_a_role(offer, liar):
    row = gitlab(liar, offer)
    _give(row, "groups", "example/team")
    for path, held in (("example/team", {"editor"}), ("example", set())):
        groups = [{"id": 1, "full_path": path}]
        liar.answers["/api/v4/groups"] = with_token(liar, "/api/v4/groups", groups)
        assert Visitor().sign_in(liar).status_code == 200
        assert _held() == held


@pytest.mark.usefixtures("staffed", "elsewhere")
def test_a_tenant_of_microsoft_gives_a_role(offer, liar):
    liar.issuer = "https://login.microsoftonline.com/common/v2.0"
    base = "/common/oauth2/v2.0"
    liar.authorization_url = f"https://login.microsoftonline.com{base}/authorize"
    liar.answers[f"{base}/token"] = exchange(liar, f"{base}/token", expires_in=3600)
    person = {"id": "87d349ed", "displayName": "A", "userPrincipalName": "a@contoso.example"}
    liar.answers["/v1.0/me"] = with_token(liar, "/v1.0/me", person)
    path = "/v1.0/organization"
    liar.answers[path] = with_token(liar, path, {"value": [{"id": "tenant-1"}]})
    _give(offer(kind="microsoft", issuer="", sign_up="anyone"), "groups", "tenant-1")
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert answer.status_code == 200
    assert _held() == {"editor"}
