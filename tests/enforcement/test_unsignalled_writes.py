"""Writes of which Django tells nobody are checked before and after like any other."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.testing import client_for
from demo_project.articles.models import Article
from tests.enforcement.urls import CARELESS

#: Of these nobody can tell whose row was written, so not even one's own is let through.
UNTOLD = {"add_without_keys", "upsert"}


def rows() -> list[Any]:
    return list(Article.objects.order_by("pk").values_list("pk", "title", "author"))


@pytest.mark.parametrize("kind", ["session", "token"])
@pytest.mark.parametrize("way", CARELESS)
def test_a_row_of_somebody_else_stays_as_it_was(world, way, kind):
    world.give(world.alice, "allow plain_careless:POST when own")
    before = rows()
    response = client_for(world.alice, kind).post(f"/careless/{way}/{world.his.pk}/")
    assert response.status_code == 403
    assert response.json()["reason"] == "condition_not_met"
    assert rows() == before


@pytest.mark.parametrize("way", sorted({*CARELESS} - UNTOLD))
def test_ones_own_row_may_be_written_so_and_nothing_more_need_be_checked(world, way):
    world.give(world.alice, "allow plain_at_once:POST when own")
    response = client_for(world.alice, "token").post(f"/at_once/{way}/{world.hers.pk}/")
    assert response.status_code == 200


@pytest.mark.parametrize("way", sorted(UNTOLD))
def test_what_nobody_can_tell_is_taken_back(world, way):
    world.give(world.alice, "allow plain_at_once:POST when own")
    before = rows()
    response = client_for(world.alice, "token").post(f"/at_once/{way}/{world.hers.pk}/")
    assert response.status_code == 403
    assert rows() == before


@pytest.mark.parametrize("way", ["rewrite", "remove"])
def test_a_write_of_no_row_checks_nothing(world, way):
    world.give(world.alice, "allow plain_at_once:POST when own")
    response = client_for(world.alice, "token").post(f"/at_once/{way}/1000000/")
    assert response.status_code == 403
    assert response.json()["code"] == "condition_not_applied"


@pytest.mark.parametrize("way", CARELESS)
def test_who_may_write_every_row_is_not_asked_about_any(world, way):
    world.give(world.alice, "allow plain_careless:POST")
    response = client_for(world.alice, "token").post(f"/careless/{way}/{world.his.pk}/")
    assert response.status_code == 200


def test_more_rows_than_a_query_takes_are_checked_too(world):
    world.give(world.alice, "allow plain_careless:POST when own")
    Article.objects.bulk_create(
        Article(title=str(n), body="b", author=world.alice) for n in range(1100)
    )
    client = client_for(world.alice, "token")
    assert client.post(f"/careless/rewrite/{world.hers.pk}/").status_code == 200
    before = rows()
    assert client.post(f"/careless/give/{world.hers.pk}/").status_code == 403
    assert rows() == before


def test_what_the_projects_own_code_answers_for_is_nobodys_write(world):
    world.give(world.alice, "allow plain_tidy:POST when own")
    client = client_for(world.alice, "token")
    assert client.post(f"/tidy/{world.his.pk}/").status_code == 403
    assert client.post(f"/tidy/{world.hers.pk}/").status_code == 200
    assert {title for _, title, _ in rows()} == {"first", "later"}
