"""What careless or hostile views try, and what comes of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from rest_framework.test import APIClient

from authkit.access import conditions, strangers
from authkit.testing import client_for
from demo_project.articles.models import Article

pytestmark = pytest.mark.default_user_only


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_a_row_of_another_is_not_moved_into_ones_own_reach(world, kind):
    world.give(world.alice, "allow plain_take:POST when own")
    client = client_for(world.alice, kind)
    assert client.post(f"/take/{world.his.pk}/").status_code == 403
    world.his.refresh_from_db()
    assert world.his.author == world.bob
    assert client.post(f"/take/{world.hers.pk}/").status_code == 200


def test_nor_through_a_view_that_lists_no_class_of_ours(world):
    world.give(
        world.alice,
        "allow api.trusting:read",
        "allow api.trusting:update when own",
        "allow api.person:read",
    )
    client = client_for(world.alice, "token")
    url, mine = f"/api/trusting/{world.his.pk}/", {"author": world.alice.pk}
    assert client.patch(url, mine).status_code == 403
    world.his.refresh_from_db()
    assert world.his.author == world.bob


@pytest.mark.parametrize("url", ["/remembered/", "/unasking/", "/lookalike/plain/"])
def test_no_disguise_reaches_a_view_without_a_decision(world, url):
    assert client_for(world.alice).get(url).status_code == 403


def test_a_field_that_works_its_rows_out_itself_is_narrowed_too(world):
    world.give(world.alice, "allow api.any_author:*", "allow api.person:read when themselves")
    client = client_for(world.alice, "token")
    url = f"/api/any_author/{world.hers.pk}/"
    assert client.patch(url, {"author": world.bob.pk}).status_code == 400
    assert client.patch(url, {"author": world.alice.pk}).status_code == 200


@pytest.mark.parametrize("name", ["username", "email"])
def test_a_stranger_has_no_name_that_an_empty_column_could_match(world, name):
    condition = conditions.Condition(
        "named", Article, lambda user: Q(title=getattr(user, name)), "named"
    )
    assert condition.as_q(AnonymousUser()) == strangers.NOTHING


def test_a_form_of_the_browsable_api_names_nobody_whom_the_caller_may_not_see(world):
    world.give(world.alice, "allow api.article:*", "allow api.person:read when themselves")
    world.bob.username = "bob-of-the-secret-service"
    world.bob.save()
    client = client_for(world.alice)
    for url in ("/api/articles/", f"/api/articles/{world.hers.pk}/"):
        page = client.get(url, HTTP_ACCEPT="text/html").content.decode()
        assert "<form" in page
        assert "alice" in page
        assert "bob-of-the-secret-service" not in page


def test_saving_a_row_of_ones_own_does_not_stand_for_filtering_a_list(world):
    world.give(world.alice, "allow plain_count:read when own")
    response = client_for(world.alice).get("/count/")
    assert response.status_code == 403
    assert response.json()["code"] == "condition_not_applied"


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_a_view_that_works_its_classes_out_is_decided_about_all_the_same(world, kind):
    client = client_for(world.alice, kind)
    assert APIClient().get("/computed/").status_code == 401
    assert client.get("/computed/").status_code == 403
    assert client.post("/computed/", {}, format="json").status_code == 403
    world.give(world.alice, "allow computed:*", "allow api.person:read when themselves")
    assert client.get("/computed/").json() == {"secret": True}
    assert client.post("/computed/", {}, format="json").status_code == 200
    named = client.post("/computed/", {"one": world.bob.pk}, format="json")
    assert named.status_code == 400
