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
