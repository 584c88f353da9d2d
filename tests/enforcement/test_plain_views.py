"""Plain Django views, sync and async: no view is reached without a decision."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.db import DatabaseError
from django.test import AsyncClient, Client

from authkit.access import loading
from authkit.testing import Kind, client_for
from demo_project.articles.models import Article
from tests.people import make_superuser

pytestmark = pytest.mark.default_user_only

KINDS: list[Kind] = ["session", "token", "jwt"]
PLAIN = ["/plain/", "/page/", "/later/", "/report/"]


def bearer(user, kind):
    client: Any = client_for(user, kind)
    return client._credentials["HTTP_AUTHORIZATION"]


@pytest.mark.parametrize("url", [*PLAIN, "/nameless/"])
def test_without_a_rule_nobody_is_let_in(world, url):
    assert Client().get(url).status_code == 401
    for kind in KINDS:
        response = client_for(world.alice, kind).get(url)
        assert response.status_code == 403, kind
        assert response.json()["code"] == "permission_denied"


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_lets_in(world, kind):
    world.give(world.alice, "allow plain:GET", "allow page:read", "allow later:*", "allow report:*")
    client = client_for(world.alice, kind)
    for url in PLAIN:
        assert client.get(url).status_code == 200, url
    assert client.post("/page/").status_code == 403
    assert client.post("/plain/").status_code == 403
    assert client.post("/report/").status_code == 200


def test_a_browser_is_sent_to_the_sign_in_page(world, settings):
    settings.LOGIN_URL = "/auth/login/"
    response = Client().get("/page/?a=1", headers={"accept": "text/html"})
    assert response.status_code == 302
    assert response["Location"] == "/auth/login/?next=/page/%3Fa%3D1"


def test_a_person_who_follows_a_link_is_refused_by_a_page(world):
    client = client_for(world.alice, "session")
    page = client.get("/page/", headers={"accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page["Cache-Control"]) == (403, "no-store")
    assert page["Content-Type"].startswith("text/html")
    assert "<h1>Refused</h1>" in page.content.decode()
    assert "Nothing was changed" not in page.content.decode()
    assert client.get("/page/", headers={"accept": "*/*"}).json()["code"] == "permission_denied"


def test_public_is_open_to_all_named_or_not(world):
    for url in ("/health/", "/open/"):
        assert Client().get(url).status_code == 200
        assert Client().post(url).status_code == 200
        assert client_for(world.alice, "token").get(url).status_code == 200


def test_a_view_without_a_name_is_closed_to_superusers_too(world):
    response = client_for(make_superuser()).get("/nameless/")
    assert response.status_code == 403
    assert response.json()["reason"] == "unknown_endpoint"


def test_what_code_requires_is_required(world):
    world.give(world.alice, "allow demanding:*")
    response = client_for(world.alice).get("/demanding/")
    assert response.status_code == 403
    assert response.json()["reason"] == "requirement_not_met"
    world.alice.user_permissions.add(Permission.objects.get(codename="view_group"))
    assert client_for(world.alice).get("/demanding/").status_code == 200


@pytest.mark.parametrize("method", ["PROPFIND", "FOO", "TRACE"])
def test_a_method_that_nobody_knows_is_405(world, method):
    world.give(world.alice, "allow *:*")
    for url in ("/plain/", "/page/"):
        assert client_for(world.alice).generic(method, url).status_code == 405
        assert Client().generic(method, url).status_code == 405


def test_a_method_that_a_class_does_not_have_is_405(world):
    world.give(world.alice, "allow page:*")
    assert client_for(world.alice).delete("/page/").status_code == 405


@pytest.mark.parametrize(
    "url", ["//plain/", "/plain//", "/PLAIN/", "/%70lain/", "/plain/%2e%2e/plain/", "/./plain/"]
)
def test_other_spellings_of_a_path_reach_nothing_more(world, url):
    assert client_for(world.alice).get(url).status_code in {403, 404}
    world.give(world.alice, "allow plain:*")
    assert client_for(world.alice).get("/plain/").status_code == 200


def test_a_conditional_decision_is_applied_by_the_view(world):
    world.give(world.alice, "allow plain_list:read when own")
    response = client_for(world.alice).get("/list/")
    assert response.json() == {"ids": [world.hers.pk]}


def test_a_view_that_forgets_the_condition_gets_no_answer_out(world):
    world.give(world.alice, "allow plain_leak:read when own")
    response = client_for(world.alice).get("/leak/")
    assert response.status_code == 403
    assert response.json()["code"] == "condition_not_applied"
    assert str(world.his.pk) not in response.content.decode().replace("403", "")


def test_a_view_may_ask_about_one_object(world):
    world.give(world.alice, "allow article_of:read when own")
    client = client_for(world.alice)
    assert client.get(f"/article/{world.hers.pk}/").status_code == 200
    assert client.get(f"/article/{world.his.pk}/").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_out_of_reach_is_taken_back(world, kind):
    world.give(world.alice, "allow plain_write:POST when own")
    client = client_for(world.alice, kind)
    assert client.post(f"/write/{world.hers.pk}/").status_code == 200
    assert client.post(f"/write/{world.his.pk}/").status_code == 403
    assert set(Article.objects.values_list("title", flat=True)) == {"changed", "his"}


@pytest.mark.parametrize("kind", ["token", "jwt"])
def test_an_async_chain_decides_too(world, kind):
    world.give(world.alice, "allow later:*", "allow plain_list:* when own")
    authorization = bearer(world.alice, kind)

    def get(url, **headers):
        return async_to_sync(AsyncClient().get)(url, headers=headers)

    assert get("/later/").status_code == 401
    assert get("/plain/").status_code == 401
    assert get("/health/").status_code == 200
    assert get("/later/", authorization=authorization).status_code == 200
    assert get("/plain/", authorization=authorization).status_code == 403
    assert get("/list/", authorization=authorization).json() == {"ids": [world.hers.pk]}
    assert get("/leak/", authorization=authorization).status_code == 403


def test_an_async_chain_lets_no_conditional_write_in(world):
    world.give(world.alice, "allow plain_write:* when own")
    authorization = bearer(world.alice, "token")
    url, headers = f"/write/{world.hers.pk}/", {"authorization": authorization}
    response = async_to_sync(AsyncClient().post)(url, headers=headers)
    assert response.status_code in {200, 403}
    world.hers.refresh_from_db()
    assert (world.hers.title == "changed") == (response.status_code == 200)


def test_rules_that_cannot_be_read_are_503_but_for_what_is_public(world, monkeypatch):
    world.give(world.alice, "allow plain:*")
    client = client_for(world.alice)
    assert client.get("/plain/").status_code == 200

    def fail(*_):
        raise DatabaseError("gone")

    monkeypatch.setattr(loading, "_rules", fail)
    world.rules("another", "allow page:*")
    assert client.get("/plain/").status_code == 503
    assert client_for(make_superuser()).get("/plain/").status_code == 503
    assert client.get("/health/").status_code == 200


def test_a_personal_token_reaches_the_own_api_of_authkit_as_before(world):
    assert client_for(world.alice, "token").get("/auth/me/").status_code == 200
    assert Client().get("/auth/session/").status_code == 200
