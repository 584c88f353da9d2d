"""``GET access/``: what the caller may do."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from authkit import tokens
from authkit.access import conditions
from authkit.testing import client_for
from tests.access.some_roles import give, role
from tests.people import make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls_of_policies")]
URL = "/auth/access/"


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_registered", {})
    conditions.condition("themselves", model=get_user_model())(lambda user: Q(pk=user.pk))
    role("anyone", "allow api.person:list")
    role("clerk", "allow api.person:create", "allow api.person:update when themselves")


def found(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return {each["access"]: each for each in response.json()}


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_each_kind_of_credential_learns_what_its_holder_may_do(person, kind):
    give(person, role("clerk"))
    reach = found(client_for(person, kind).get(URL))
    assert {key for key in reach if key.startswith("api.person")} == {
        "api.person:list",
        "api.person:create",
        "api.person:update",
        "api.person:partial_update",
    }
    assert reach["api.person:create"] == {
        "access": "api.person:create",
        "methods": ["POST"],
        "routes": reach["api.person:create"]["routes"],
        "conditional": False,
    }
    assert reach["api.person:update"]["conditional"]
    assert any("people" in route for route in reach["api.person:update"]["routes"])


def test_a_stranger_learns_what_anyone_may_do():
    reach = found(Client().get(URL))
    assert set(reach) == {
        "api.person:list",
        "api.health:GET",
        "api.health:OPTIONS",
    }


def test_scopes_are_a_ceiling_for_superusers_too():
    token = tokens.issue_personal(
        make_superuser(),
        name="x",
        scopes=["api.person:read"],
        expires_at=None,
        now=timezone.now(),
    )
    response = Client().get(URL, headers={"Authorization": f"Bearer {token.text}"})
    assert "api.person:list" in found(response)
    assert not [key for key in found(response) if key.endswith(("create", "destroy", ":POST"))]


@pytest.mark.parametrize("kind", ["token", "jwt"])
def test_a_credential_that_is_over_is_401_and_no_stranger(person, kind):
    client = client_for(person, kind)
    assert client.delete(f"/auth/{kind}/").status_code == 204
    assert client.get(URL).status_code == 401


def test_nothing_else_can_be_asked_of_it(person):
    assert client_for(person, "token").post(URL, {}).status_code == 405
