"""Only members: who is of the organisation gets in, and who is outside does not.

GitHub's and Google's are beside their other tests, in test_stand_ins.
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
TENANT = "5f3c9c1e-0000-4000-8000-2b1e5d9f0a11"


@pytest.fixture(autouse=True)
def _elsewhere(settings: Any, liar: Liar) -> None:
    lead_here(settings, liar)


@pytest.fixture
def house(liar: Liar, offer: Any) -> Any:
    return gitlab(liar, offer)


def _gitlab_groups(liar: Liar, *paths: str) -> None:
    groups = [{"id": number, "full_path": path} for number, path in enumerate(paths, 1)]
    liar.answers["/api/v4/groups"] = with_token(liar, "/api/v4/groups", groups)


def _not_admitted(answer: Any) -> bool:
    return bool((answer.status_code, answer.json().get("code")) == (403, "social_not_admitted"))


def test_gitlab_for_one_group_and_for_no_neighbour_of_it(house, liar):
    house.organisations = ["example/team"]
    house.save()
    assert "read_api" in query_of(Visitor().begin()["authorization_url"])["scope"]
    for paths in ((), ("else",), ("example", "example/teams", "team", "evil/example/team")):
        _gitlab_groups(liar, *paths)
        assert _not_admitted(Visitor().sign_in(liar)), paths
    assert not SocialAccount.objects.exists()
    _gitlab_groups(liar, "else", "example/team")
    assert Visitor().sign_in(liar).status_code == 200


def test_who_has_left_the_group_does_not_get_in_again(house, liar):
    house.organisations = ["example"]
    house.save()
    _gitlab_groups(liar, "example")
    assert Visitor().sign_in(liar).status_code == 200
    _gitlab_groups(liar)
    assert _not_admitted(Visitor().sign_in(liar))
    liar.answers["/api/v4/groups"] = lambda: as_json({"message": "500"}, 500)
    assert Visitor().sign_in(liar).status_code == 503


@pytest.mark.parametrize("groups", [{}, None, "example", ["example"], [{"full_path": ["example"]}]])
def test_groups_of_another_shape_let_nobody_in(house, liar, groups):
    house.organisations = ["example"]
    house.save()
    liar.answers["/api/v4/groups"] = lambda: as_json(groups)
    assert Visitor().sign_in(liar).status_code == 502
    assert not SocialAccount.objects.exists()


@pytest.fixture
def microsoft(liar: Liar, offer: Any) -> Any:
    """As https://learn.microsoft.com/en-us/graph/api/organization-list says."""
    liar.issuer = "https://login.microsoftonline.com/common/v2.0"
    base = "/common/oauth2/v2.0"
    liar.authorization_url = f"https://login.microsoftonline.com{base}/authorize"
    liar.answers[f"{base}/token"] = exchange(liar, f"{base}/token", expires_in=3600)
    person = {"id": "87d349ed", "displayName": "A", "userPrincipalName": "a@contoso.example"}
    liar.answers["/v1.0/me"] = with_token(liar, "/v1.0/me", person)
    return offer(kind="microsoft", issuer="", sign_up="anyone", organisations=[TENANT])


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"value": [{"id": "another tenant"}]}, 200),
        ({"value": []}, 200),
        ({"error": {"code": "Authorization_RequestDenied"}}, 403),  # a personal account
    ],
)
def test_microsoft_for_one_tenant_and_nobody_of_another(microsoft, liar, told, status):
    liar.answers["/v1.0/organization"] = lambda: as_json(told, status)
    assert _not_admitted(Visitor().sign_in(liar))
    liar.answers["/v1.0/me"] = lambda: as_json(  # what a tenant's administrator may write
        {"id": "1", "userPrincipalName": "a@b.example", "groups": "g", "companyName": TENANT}
    )
    assert _not_admitted(Visitor().sign_in(liar))
    assert not SocialAccount.objects.exists()


def test_microsoft_for_one_tenant_and_who_is_of_it(microsoft, liar):
    path = "/v1.0/organization"
    liar.answers[path] = with_token(liar, path, {"value": [{"id": TENANT}]})
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert answer.status_code == 200, answer.content
    assert SocialAccount.objects.get().subject == "87d349ed"


@pytest.mark.parametrize("told", [{}, [], {"value": None}, {"value": ["x"]}, {"value": [{}]}])
def test_a_tenant_of_another_shape_lets_nobody_in(microsoft, liar, told):
    liar.answers["/v1.0/organization"] = lambda: as_json(told)
    assert Visitor().sign_in(liar).status_code == 502
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("groups", "is_inside"),
    [
        (["staff", "shop"], True),
        ("shop", True),
        (["staff"], False),
        ("shopping", False),
        ({"shop": True}, False),
        ([["shop"]], False),
        (None, False),
    ],
)
def test_openid_for_one_group(liar, offer, groups, is_inside):
    offer(organisations=["shop"])
    liar.id_token["groups"] = groups
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 200 if is_inside else _not_admitted(answer)


def test_a_kind_that_tells_of_no_organisation_lets_nobody_into_one(liar, offer):
    offer(kind="x", issuer="", sign_up="anyone", organisations=["acme"])
    liar.issuer = "https://twitter.com"
    liar.authorization_url = "https://twitter.com/i/oauth2/authorize"
    token, me = "/2/oauth2/token", "/2/users/me"
    liar.answers[token] = exchange(liar, token, expires_in=7200, scope="users.read")
    data = {"id": "1", "name": "X", "username": "x", "groups": ["acme"], "": "acme"}
    liar.answers[me] = with_token(liar, me, {"data": data, "groups": ["acme"], "": "acme"})
    assert _not_admitted(Visitor().sign_in(liar))
