"""Rows whose keys are in several columns, or for the database to work out."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.testing import client_for
from tests.enforcement import urls_of_parts
from tests.enforcement.urls_of_parts import FILINGS, MISFILINGS, receipts
from tests.letters.models import Letter, Sticker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.enforcement.urls_of_parts"),
]


@pytest.fixture
def mail(world: Any, settings: Any) -> Any:
    settings.ROOT_URLCONF = "tests.enforcement.urls_of_parts"
    urls_of_parts.register_conditions()
    names = ["sticker", "new_letter", "filing", "misfiling"]
    world.give(world.alice, *(f"allow {name}:* when own" for name in names))
    world.client = client_for(world.alice, "token")
    receipts.create(office=1, number=1, owner_key=world.alice.pk)
    receipts.create(office=1, number=2, owner_key=world.bob.pk)
    return world


def test_rows_added_at_once_under_keys_that_nobody_knows_are_taken_back(mail):
    assert mail.client.post(f"/sticker/stickers/{mail.bob.pk}/").status_code == 403
    assert not Sticker.objects.exists()


@pytest.mark.vendor("postgresql")
def test_so_are_those_whose_key_is_an_expression(mail):
    assert mail.client.post(f"/new_letter/letters/{mail.bob.pk}/").status_code == 403
    assert not Letter.every.exists()


def stored() -> list[Any]:
    return list(receipts.order_by("office", "number").values_list("office", "number", "owner_key"))


@pytest.mark.parametrize("way", FILINGS)
def test_what_is_ones_own_under_a_key_of_two_columns_may_be_written(mail, way):
    assert mail.client.post(f"/filing/{way}/0/").status_code == 200


@pytest.mark.parametrize("way", MISFILINGS)
def test_nothing_else_may(mail, way):
    before = stored()
    assert mail.client.post(f"/misfiling/{way}/{mail.bob.pk}/").status_code == 403
    assert stored() == before
