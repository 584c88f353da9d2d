"""A pair of a many-to-many relation that is made by hand says nothing of whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.testing import client_for
from tests.enforcement import urls_letters
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
