"""A pair of a many-to-many relation that is made by hand says nothing of whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Q

from authkit.access import conditions
from authkit.testing import client_for
from tests.enforcement import urls_letters
from tests.enforcement.urls_meanwhile import MEMBER_WAYS
from tests.letters.models import Label, Letter


@pytest.fixture
def mail(world: Any, settings: Any) -> Any:
    """A letter of each, both urgent."""
    settings.ROOT_URLCONF = "tests.enforcement.urls_meanwhile"
    urls_letters.register_conditions()
    world.give(world.alice, "allow write:* when own")
    urgent, _ = (Label.objects.create(name=name) for name in ("urgent", "done"))
    world.hers = Letter.every.create(owner_key=world.alice.pk, text="due")
    world.his = Letter.every.create(owner_key=world.bob.pk, text="theirs")
    for letter in (world.hers, world.his):
        letter.labels.add(urgent)
    return world


WAYS = ["label_by_hand", "relabel_by_hand", "relabel_each_by_hand", "unlabel_by_hand"]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", WAYS)
def test_a_pair_is_of_the_row_that_it_is_stored_with(mail, way, method):
    client: Any = client_for(mail.alice, "token")
    assert client.generic(method, f"/write/{way}/").status_code == 403
    assert list(mail.his.labels.values_list("name", flat=True)) == ["urgent"]


@pytest.mark.parametrize("way", WAYS)
def test_one_of_a_row_of_ones_own_may_be_written_so(mail, way):
    Letter.every.filter(pk=mail.his.pk).delete()
    Letter.every.create(owner_key=mail.alice.pk, text="theirs").labels.add(*Label.objects.all()[:1])
    assert client_for(mail.alice, "token").post(f"/write/{way}/").status_code == 200


@pytest.fixture
def groups(world: Any, settings: Any) -> Any:
    """Each is in a group, and there is another."""
    settings.ROOT_URLCONF = "tests.enforcement.urls_meanwhile"
    conditions.condition("own", model=User)(lambda user: Q(pk=user.pk))
    world.give(world.alice, "allow members:* when own")
    old, _ = (Group.objects.create(name=name) for name in ("old", "new"))
    for person in (world.alice, world.bob):
        person.groups.add(old)
    return world


def groups_of(person: Any) -> list[str]:
    return list(person.groups.order_by("name").values_list("name", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", MEMBER_WAYS)
def test_nor_does_one_that_authkit_itself_watches(groups, way, method):
    client: Any = client_for(groups.alice, "token")
    assert client.generic(method, f"/members/{way}/{groups.bob.pk}/").status_code == 403
    assert groups_of(groups.bob) == ["old"]


@pytest.mark.parametrize("way", sorted({*MEMBER_WAYS} - {"adopt"}))
def test_one_of_a_person_in_reach_may_be_written_so(groups, way):
    client = client_for(groups.alice, "token")
    assert client.post(f"/members/{way}/{groups.alice.pk}/").status_code == 200
    assert groups_of(groups.alice) == MEMBER_WAYS[way][1]
