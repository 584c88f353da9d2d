"""After a write that fails, a request under a condition goes on as any other would."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Q
from django.test import Client

from authkit.access import conditions
from authkit.testing import client_for
from tests.enforcement import urls_letters
from tests.letters.models import Letter, Seal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def letter(world: Any, settings: Any) -> Letter:
    """One of hers, that is due."""
    settings.ROOT_URLCONF = "tests.enforcement.urls_meanwhile"
    urls_letters.register_conditions()
    conditions.condition("due", model=Letter)(lambda user: Q(text="due"))
    return Letter.every.create(owner_key=world.alice.pk, text="due")


@pytest.mark.parametrize("who", ["somebody", "nobody"])
def test_what_may_not_be_removed_may_be_written_instead(world, letter, who):
    world.rules("anyone", "allow write:* when due")
    Seal.objects.create(letter=letter)
    client: Any = client_for(world.alice, "token") if who == "somebody" else Client()
    assert client.post("/write/remove_whatever_happens/").json() == {"count": 1}
    assert Letter.every.get(pk=letter.pk).is_archived


def test_a_save_that_fails_leaves_nothing_on_the_row(world, letter):
    world.give(world.alice, "allow write:* when own")
    client: Any = client_for(world.alice, "token")
    assert client.post("/write/save_in_vain/").json() == {"count": 0}
