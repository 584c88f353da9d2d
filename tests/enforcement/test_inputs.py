"""Whom one cannot see, one cannot name: wherever a view makes its serializers."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.testing import client_for

pytestmark = pytest.mark.default_user_only

VIEWS = ["naming", "trusting_naming", "plain_naming", "later_naming"]


def ways_to_name(person: Any) -> list[Any]:
    naming = [{"one": person.pk}, {"several": [person.pk]}, {"called": person.username}]
    return [
        *naming,
        *({"inner": each} for each in naming),
        *({"listed": [{}, each]} for each in naming),
        *([{}, each] for each in naming),
    ]


@pytest.fixture
def client(world):
    world.give(world.alice, *(f"allow {name}:*" for name in [*VIEWS, "open_naming"]))
    world.give(world.alice, "allow api.person:read when themselves")
    return client_for(world.alice, "token")


@pytest.mark.parametrize("view", VIEWS)
def test_whom_one_cannot_see_one_cannot_name(client, world, view):
    for body in ways_to_name(world.bob):
        assert client.post(f"/{view}/", body, format="json").status_code == 400, body
    for body in ways_to_name(world.alice):
        response = client.post(f"/{view}/", body, format="json")
        assert response.status_code == 200, response.content


@pytest.mark.parametrize("view", VIEWS)
def test_the_refusal_is_that_of_somebody_who_does_not_exist(client, world, view):
    pk = world.bob.pk
    answers = [client.post(f"/{view}/", {"one": one}, format="json") for one in (pk, pk + 1000)]
    texts = [answer.content.decode().replace(str(pk + 1000), str(pk)) for answer in answers]
    assert texts[0] == texts[1]


def test_relations_that_are_meant_to_be_open_are(client, world):
    for body in ({"one": world.bob.pk}, {"several": [world.bob.pk]}):
        assert client.post("/open_naming/", body, format="json").status_code == 200
    assert client.post("/open_naming/", {"called": "bob"}, format="json").status_code == 400


def test_what_is_narrowed_for_one_request_is_not_for_the_next(client, world):
    client.post("/plain_naming/", {"one": world.bob.pk}, format="json")
    client.post("/naming/", {"one": world.bob.pk}, format="json")
    world.give(world.bob, "allow naming:*", "allow plain_naming:*", "allow api.person:read")
    seeing = client_for(world.bob, "token")
    for view in ("naming", "plain_naming"):
        body = {"one": world.alice.pk}
        assert seeing.post(f"/{view}/", body, format="json").status_code == 200


# Bare keys


@pytest.fixture
def keyed(world):
    world.give(world.alice, "allow keyed:*", "allow open_keyed:*")
    world.give(world.alice, "allow api.person:read when themselves")
    return client_for(world.alice, "token")


def ways_to_give_a_key(pk: Any) -> list[Any]:
    return [
        {"inner": {"title": "t", "author_id": pk}},
        {"inner": {"title": "t", "whose": pk}},
        {"listed": [{"title": "t"}, {"title": "t", "author_id": pk}]},
        {"plain": {"author_id": pk}},
    ]


def test_whom_one_cannot_see_one_cannot_name_by_a_bare_key(keyed, world):
    for body in ways_to_give_a_key(world.bob.pk):
        assert keyed.post("/keyed/", body, format="json").status_code == 400, body
    for body in [*ways_to_give_a_key(world.alice.pk), {"inner": {"title": "t", "author_id": None}}]:
        response = keyed.post("/keyed/", body, format="json")
        assert response.status_code == 200, response.content


def test_a_key_of_nobody_is_refused_in_the_same_words(keyed, world):
    pk = world.bob.pk
    bodies = [ways_to_give_a_key(one) for one in (pk, pk + 1000)]
    for one, other in zip(*bodies, strict=True):
        answers = [keyed.post("/keyed/", body, format="json") for body in (one, other)]
        texts = [answer.content.decode().replace(str(pk + 1000), str(pk)) for answer in answers]
        assert texts[0] == texts[1]


def test_bare_keys_that_are_meant_to_be_open_are(keyed, world):
    body = {"inner": {"title": "t", "author_id": world.bob.pk}}
    assert keyed.post("/open_keyed/", body, format="json").status_code == 200
    body = {"inner": {"title": "t", "whose": world.bob.pk}}
    assert keyed.post("/open_keyed/", body, format="json").status_code == 400


# Forms of Django


@pytest.fixture
def pages(world):
    world.give(
        world.alice, *(f"allow {name}:*" for name in ("form", "new", "open_new", "choosing"))
    )
    world.give(world.alice, "allow api.person:read when themselves")
    return client_for(world.alice)


def test_whom_one_cannot_see_one_cannot_choose(pages, world):
    for name, person in (("one", "pk"), ("several", "pk"), ("called", "username")):
        theirs, own = getattr(world.bob, person), getattr(world.alice, person)
        assert pages.post("/choosing/", {name: theirs}, format="multipart").status_code == 400, name
        assert pages.post("/choosing/", {name: own}, format="multipart").status_code == 200, name


def test_nor_by_a_page_that_makes_or_changes_a_row(pages, world):
    body = {"title": "t", "body": "b", "author": world.bob.pk}
    assert pages.post("/new/", body, format="multipart").status_code == 400
    assert pages.post(f"/new/?author={world.bob.pk}", body, format="multipart").status_code == 400
    response = pages.post(f"/form/{world.hers.pk}/", body, format="multipart")
    assert response.status_code == 400
    assert "bob" not in response.json()["form"]
    assert (
        pages.post("/new/", {**body, "author": world.alice.pk}, format="multipart").status_code
        == 302
    )
    assert pages.post("/open_new/", body, format="multipart").status_code == 302


def test_what_a_row_is_related_to_already_may_stay(pages, world):
    body = {"title": "another", "body": "b", "author": world.bob.pk}
    assert pages.post(f"/form/{world.his.pk}/", body, format="multipart").status_code == 302
    world.his.refresh_from_db()
    assert world.his.title == "another"


def test_a_form_is_as_it_was_for_who_sees_everybody(pages, world):
    world.give(world.alice, "allow api.person:read")
    body = {"title": "t", "body": "b", "author": world.bob.pk}
    assert pages.post("/new/", body, format="multipart").status_code == 302
