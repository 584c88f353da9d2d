"""Views of Django REST framework: let in, filtered, checked, and nothing left behind."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from authkit import tokens
from authkit.testing import Kind, client_for
from demo_project.articles.models import Article
from tests.enforcement.urls import ArticleViewSet

pytestmark = pytest.mark.default_user_only

KINDS: list[Kind] = ["session", "token", "jwt"]


def ids(response):
    assert response.status_code == 200, response.content
    return sorted(row["id"] for row in response.json())


@pytest.mark.parametrize("kind", KINDS)
def test_silence_refuses_and_says_why(world, kind):
    response = client_for(world.alice, kind).get("/api/articles/")
    assert response.status_code == 403
    assert response.json()["code"] == "permission_denied"
    assert response.json()["reason"] == "no_rule"
    assert response.json()["access"] == "api.article:list"


def test_a_stranger_is_asked_to_sign_in(world):
    response = APIClient().get("/api/articles/")
    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_holds_what_the_condition_allows(world, kind):
    world.give(world.alice, "allow api.article:read when own")
    client = client_for(world.alice, kind)
    assert ids(client.get("/api/articles/")) == [world.hers.pk]
    assert client.get(f"/api/articles/{world.hers.pk}/").status_code == 200
    assert client.get(f"/api/articles/{world.his.pk}/").status_code == 404


def test_an_allow_for_all_beside_an_allow_for_ones_own_sees_all(world):
    world.give(world.alice, "allow api.article:read when own", "allow api.article:read")
    client = client_for(world.alice, "token")
    assert ids(client.get("/api/articles/")) == [world.hers.pk, world.his.pk]
    assert client.get(f"/api/articles/{world.his.pk}/").status_code == 200


def test_an_unconditional_deny_empties_everything(world):
    world.give(world.alice, "allow api.article:*", "deny api.article:read")
    client = client_for(world.alice, "token")
    assert client.get("/api/articles/").status_code == 403
    assert client.get(f"/api/articles/{world.hers.pk}/").status_code == 403


def test_seen_and_not_to_be_changed_is_403_unseen_is_404(world):
    world.give(
        world.alice,
        "allow api.article:read when published",
        "allow api.article:read,update when own",
    )
    draft = Article.objects.create(title="draft", body="b", author=world.bob)
    client = client_for(world.alice, "token")
    assert client.patch(f"/api/articles/{world.hers.pk}/", {"title": "x"}).status_code == 200
    assert client.patch(f"/api/articles/{world.his.pk}/", {"title": "x"}).status_code == 403
    assert client.patch(f"/api/articles/{draft.pk}/", {"title": "x"}).status_code == 404
    world.his.refresh_from_db()
    assert world.his.title == "his"


def test_a_row_that_is_given_away_is_taken_back(world):
    world.give(world.alice, "allow api.article:read,update when own")
    client = client_for(world.alice, "token")
    response = client.patch(f"/api/articles/{world.hers.pk}/", {"author": world.bob.pk})
    assert response.status_code in {400, 403}
    world.hers.refresh_from_db()
    assert world.hers.author == world.alice


def test_a_row_is_not_created_out_of_reach(world):
    world.give(world.alice, "allow api.article:create when own", "allow api.person:read")
    client = client_for(world.alice, "token")
    good = {"title": "t", "body": "b", "author": world.alice.pk}
    bad = {"title": "t", "body": "b", "author": world.bob.pk}
    assert client.post("/api/articles/", good).status_code == 201
    before = Article.objects.count()
    response = client.post("/api/articles/", bad)
    assert response.status_code == 403
    assert response.json()["reason"] == "condition_not_met"
    assert Article.objects.count() == before


def test_an_extra_action_is_an_action_of_its_own(world):
    world.give(world.alice, "allow api.article:read,update")
    client = client_for(world.alice, "token")
    url = f"/api/articles/{world.hers.pk}/publish/"
    assert client.post(url).status_code == 403
    world.give(world.alice, "allow api.article:publish when own")
    assert client.post(url).status_code == 200
    assert client.post(f"/api/articles/{world.his.pk}/publish/").status_code == 403


def test_deleting_ones_own_is_allowed_and_leaves_nothing_to_check(world):
    world.give(world.alice, "allow api.article:read,delete when own")
    assert client_for(world.alice).delete(f"/api/articles/{world.hers.pk}/").status_code == 204


def test_a_related_object_that_the_caller_may_not_see_does_not_exist_for_them(world):
    world.give(world.alice, "allow api.article:*", "allow api.person:read when themselves")
    client = client_for(world.alice, "token")
    response = client.patch(f"/api/articles/{world.hers.pk}/", {"author": world.bob.pk})
    assert response.status_code == 400
    nobody = client.patch(f"/api/articles/{world.hers.pk}/", {"author": 10**6})
    assert (
        nobody.json()["author"][0].replace("1000000", str(world.bob.pk))
        == (response.json()["author"][0])
    )
    world.give(world.alice, "allow api.person:read")
    again = client.patch(f"/api/articles/{world.hers.pk}/", {"author": world.bob.pk})
    assert again.status_code == 200


@pytest.mark.parametrize("suffix", [".json", "/"])
def test_spellings_of_a_route_agree(world, suffix):
    world.give(world.alice, "allow api.article:list")
    client = client_for(world.alice, "token")
    assert client.get(f"/api/articles{suffix}").status_code == 200
    assert client.head(f"/api/articles{suffix}").status_code == 200
    assert client.get(f"/api/articles/{world.hers.pk}{suffix}").status_code == 403
    assert client.head(f"/api/articles/{world.hers.pk}{suffix}").status_code == 403
    assert client.options(f"/api/articles{suffix}").status_code == 403


def test_the_metadata_of_a_view_is_for_readers(world):
    world.give(world.alice, "allow api.article:read when own")
    client = client_for(world.alice, "token")
    response = client.options("/api/articles/")
    assert response.status_code == 200
    assert "actions" not in response.json()  # nothing may be created


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "FOO"])
def test_a_method_that_a_view_does_not_have_is_405_for_everybody(world, method):
    for client in (APIClient(), client_for(world.alice, "token")):
        assert client.generic(method, "/api/articles/").status_code == 405


def test_a_method_override_changes_nothing(world):
    world.give(world.alice, "allow api.article:read")
    client = client_for(world.alice, "token")
    for header in ("x-http-method-override", "x-method-override"):
        response = client.post("/api/articles/", {}, headers={header: "GET"})
        assert response.status_code == 403


def test_a_view_that_lists_no_class_of_ours_is_decided_about_all_the_same(world):
    for client in (APIClient(), client_for(world.alice), client_for(world.alice, "jwt")):
        assert client.get("/api/trusting/").status_code in {401, 403}
    world.give(world.alice, "allow api.trusting:read")
    for kind in KINDS:
        assert client_for(world.alice, kind).get("/api/trusting/").status_code == 200


def test_a_view_that_overrides_what_asks_is_decided_about_all_the_same(world):
    assert APIClient().get("/lazy/").status_code == 401
    assert client_for(world.alice, "token").get("/lazy/").status_code == 403
    world.give(world.alice, "allow lazy:GET")
    assert client_for(world.alice, "token").get("/lazy/").status_code == 200


def test_a_list_that_forgets_to_filter_gets_no_answer_out(world):
    world.give(world.alice, "allow api.forgetful:* when own")
    client = client_for(world.alice, "token")
    response = client.get("/api/forgetful/")
    assert response.status_code == 403
    assert response.json()["code"] == "condition_not_applied"
    assert client.get(f"/api/forgetful/{world.his.pk}/").status_code == 403


def test_a_write_that_forgets_to_check_leaves_nothing_behind(world):
    world.give(world.alice, "allow api.forgetful:* when own", "allow api.person:read")
    client = client_for(world.alice, "token")
    body = {"title": "x", "body": "b", "author": world.bob.pk}
    assert client.patch(f"/api/forgetful/{world.his.pk}/", {"title": "x"}).status_code == 403
    assert client.delete(f"/api/forgetful/{world.his.pk}/").status_code == 403
    assert client.post("/api/forgetful/", body).status_code == 403
    assert sorted(Article.objects.values_list("title", flat=True)) == ["hers", "his"]


def test_a_conditional_write_through_a_view_without_our_class_leaves_nothing_behind(world):
    world.give(world.alice, "allow api.trusting:read", "allow api.trusting:update when own")
    client = client_for(world.alice, "token")
    assert client.patch(f"/api/trusting/{world.his.pk}/", {"title": "x"}).status_code == 403
    world.his.refresh_from_db()
    assert world.his.title == "his"


def test_scopes_are_a_ceiling_for_a_superuser_too(world, superuser):
    token = tokens.issue_personal(
        superuser, name="t", scopes=["api.article:read"], now=timezone.now()
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.text}")
    assert client.get("/api/articles/").status_code == 200
    response = client.delete(f"/api/articles/{world.hers.pk}/")
    assert response.status_code == 403
    assert response.json()["code"] == "insufficient_scope"


@pytest.mark.usefixtures("no_look_at_the_feed_is_due")
@pytest.mark.parametrize(("kind", "queries"), [("jwt", 1), ("token", 2), ("session", 2)])
def test_a_decision_costs_no_query(world, kind, queries, django_assert_num_queries):
    world.give(world.alice, "allow api.article:read")
    client = client_for(world.alice, kind)
    client.get("/api/articles/")
    with django_assert_num_queries(queries):  # one of them is the list itself
        assert client.get("/api/articles/").status_code == 200


@pytest.mark.usefixtures("no_look_at_the_feed_is_due")
@pytest.mark.parametrize(("kind", "queries"), [("jwt", 1), ("token", 2), ("session", 2)])
def test_an_object_is_found_and_checked_in_one_query(
    world, kind, queries, django_assert_num_queries
):
    world.give(world.alice, "allow api.article:read when own")
    client = client_for(world.alice, kind)
    url = f"/api/articles/{world.hers.pk}/"
    client.get(url)
    with django_assert_num_queries(queries):  # one of them finds the object
        assert client.get(url).status_code == 200


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_what_a_condition_lets_one_write_is_checked_by_one_query(
    world, method, django_assert_num_queries
):
    world.give(world.alice, "allow api.article:* when own")
    client = client_for(world.alice, "token")
    new = {"title": "new", "body": "b", "author": world.alice.pk}
    made = client.post("/api/articles/", new).json()
    ask = {
        "post": lambda: client.post("/api/articles/", new),
        "patch": lambda: client.patch(f"/api/articles/{made['id']}/", {"title": "newer"}),
        "delete": lambda: client.delete(f"/api/articles/{made['id']}/"),
    }
    # The token, the author or the object, the write, the check; a savepoint around them.
    # Where rows can be locked, a stored one is: it is looked at once more as it is locked.
    is_locked = method != "post" and connection.features.has_select_for_update
    with django_assert_num_queries(7 if is_locked else 6):
        assert ask[method]().status_code < 300


@pytest.mark.parametrize("way", ["or", "union", "elsewhere", "kept", "another_key"])
def test_an_object_that_came_another_way_is_checked_by_itself(world, way, monkeypatch):
    world.give(world.alice, "allow api.article:read when own", "allow api.article:update when own")
    filtered = ArticleViewSet.filter_queryset
    kept: list[Article] = []

    def get_object(self):
        rows = filtered(self, Article.objects.order_by())
        every = Article.objects.order_by()
        if way == "or":
            found = (rows | every).filter(pk=world.his.pk).get()
        elif way == "union":
            found = next(row for row in rows.union(every) if row.pk == world.his.pk)
        elif way == "elsewhere":
            list(rows)
            found = every.get(pk=world.his.pk)
        elif way == "kept":
            kept[:] = kept or list(rows)
            found = kept[0]
        else:
            found = rows.get(pk=world.hers.pk)
            found.pk = world.his.pk
        self.check_object_permissions(self.request, found)
        return found

    monkeypatch.setattr(ArticleViewSet, "get_object", get_object)
    url = f"/api/articles/{world.his.pk}/"
    if way == "kept":
        assert client_for(world.alice, "token").get(url).status_code == 200
        world.give(world.bob, "allow api.article:read when own")
        assert client_for(world.bob, "token").get(url).status_code == 404
        return
    assert client_for(world.alice, "token").get(url).status_code == 404
    assert client_for(world.alice, "token").patch(url, {"title": "x"}).status_code == 404
