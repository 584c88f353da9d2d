"""A personal access token reaches as far as its scopes, whoever made it."""

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone

from authkit import tokens
from tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.access.urls"


def bearer(scopes, **of_person):
    person = make_person("root", is_superuser=True, is_staff=True, **of_person)
    token = tokens.issue_personal(person, name="script", scopes=scopes, now=timezone.now())
    return {"Authorization": f"Bearer {token.text}"}


def test_a_superusers_read_only_token_cannot_delete():
    headers, client = bearer(["api.*:read"]), Client()
    assert client.get("/api/people/", headers=headers).status_code == 200
    refused = client.delete("/api/people/1/", headers=headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
    assert 'error="insufficient_scope"' in refused["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/api/people/", "/api/people.json", "/api/people/?format=json"])
def test_every_spelling_of_a_path_has_the_same_verdict(path):
    headers, client = bearer(["api.person:retrieve"]), Client()
    assert client.get(path, headers=headers).status_code == 403
    assert client.head(path, headers=headers).status_code == 403


def test_a_scope_names_one_action_of_a_viewset():
    headers, client = bearer(["api.person:greet"]), Client()
    assert client.post("/api/people/1/greet/", headers=headers).status_code == 200
    assert client.post("/api/people/", headers=headers).status_code == 403


def test_plain_views_are_bound_as_well():
    headers, client = bearer(["plain:read"]), Client()
    assert client.get("/plain/", headers=headers).status_code == 200
    assert client.post("/plain/", headers=headers).status_code == 403
    assert client.get("/outer/inner/page/", headers=headers).status_code == 403


async def _status_async(path, headers):
    return (await AsyncClient().get(path, headers=headers)).status_code


@pytest.mark.django_db(transaction=True)
def test_the_middleware_binds_in_an_async_stack():
    headers = bearer(["plain:read"])
    assert async_to_sync(_status_async)("/plain/", headers) == 200
    assert async_to_sync(_status_async)("/outer/inner/page/", headers) == 403


@pytest.mark.parametrize("path", ["/nameless/", "/odd/", "/shared/"])
def test_no_scope_reaches_a_view_without_a_key(path):
    assert Client().get(path, headers=bearer(["*:*"])).status_code == 403


def test_a_token_without_scopes_goes_where_its_owner_goes():
    headers, client = bearer(None), Client()
    assert client.get("/api/people/", headers=headers).status_code == 200
    assert client.post("/api/report/", headers=headers).status_code == 200
    assert client.get("/nameless/", headers=headers).status_code == 403  # nor does anybody


def test_a_token_with_an_empty_list_of_scopes_goes_nowhere():
    assert Client().get("/api/people/", headers=bearer([])).status_code == 403


def test_no_personal_access_token_opens_the_admin_site():
    refused = Client().get("/admin/", headers=bearer(None))
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
