"""A row is also what is stored of it under another model: whose that is, is asked as well."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import IntegrityError

from authkit.testing import client_for
from tests.enforcement import urls_of_parts
from tests.enforcement.meanwhile import Other
from tests.enforcement.urls_of_parts import ADOPTIONS, STAMPINGS, Labelled
from tests.letters.models import Box, Enclosure, Label, Letter, Parcel

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.enforcement.urls_of_parts"),
]

every = Letter.every


@pytest.fixture
def mail(world: Any, settings: Any) -> Any:
    settings.ROOT_URLCONF = "tests.enforcement.urls_of_parts"
    urls_of_parts.register_conditions()
    names = ["stamping", "labelling", "choosing", "letter", "parcel", "enclosure", "leave"]
    world.give(world.alice, *(f"allow {name}:* when own" for name in names))
    world.client = client_for(world.alice, "token")
    world.client.raise_request_exception = False
    Enclosure.every.create(owner_key=world.alice.pk)
    world.hers = every.create(owner_key=world.alice.pk, text="hers")
    world.his = every.create(owner_key=world.bob.pk, text="his")
    return world


def kept(row: Letter) -> tuple[int | None, str]:
    return every.values_list("owner_key", "text").get(pk=row.pk)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", ADOPTIONS)
def test_nobody_makes_the_letter_of_somebody_else_a_part_of_a_row_of_their_own(mail, way, method):
    answer = mail.client.generic(method, f"/letter/{way}/{mail.his.pk}/")
    assert answer.status_code == 403
    assert kept(mail.his) == (mail.bob.pk, "his")


@pytest.mark.parametrize("way", sorted({*ADOPTIONS} - {"enclose_at_once", "enclose_each"}))
def test_one_of_ones_own_may_become_one(mail, way):
    assert mail.client.post(f"/letter/{way}/{mail.hers.pk}/").status_code == 200
    assert kept(mail.hers) == (mail.alice.pk, "changed")


def test_what_is_new_may_name_its_key(mail):
    for way in ("save", "save_by_two_keys", "create", "update_or_create"):
        every.filter(pk=777_777).delete()
        assert mail.client.post(f"/letter/{way}/777777/").status_code == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", ["save", "rewrite"])
def test_a_part_is_not_written_by_way_of_another_row_that_shares_it(mail, way, method):
    his = Parcel.every.create(owner_key=mail.bob.pk, text="his")
    if way == "rewrite":
        Box(letter_ptr_id=his.pk).save_base(raw=True)
    answer = mail.client.generic(method, f"/parcel/{way}/{his.pk}/")
    assert answer.status_code == 403
    assert kept(his) == (mail.bob.pk, "his")


LINKED = ["save_by_link", "rewrite_by_link"]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", LINKED)
def test_nor_by_one_that_shares_it_under_another_key(mail, way, method):
    his = Parcel.every.create(owner_key=mail.bob.pk, text="his")
    Enclosure(sheet_id=his.pk).save_base(raw=True)
    answer = mail.client.generic(method, f"/parcel/{way}/{his.pk}/")
    assert answer.status_code == 403
    assert kept(his) == (mail.bob.pk, "his")


@pytest.mark.parametrize("way", LINKED)
def test_what_is_ones_own_is_written_by_that_too(mail, way):
    mine = Parcel.every.create(owner_key=mail.alice.pk, text="mine")
    Enclosure(sheet_id=mine.pk).save_base(raw=True)
    assert mail.client.post(f"/parcel/{way}/{mine.pk}/").status_code == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", ["save", "rewrite"])
def test_a_part_under_another_key_is_one_as_well(mail, way, method):
    his = Enclosure.every.create(owner_key=mail.bob.pk, text="his")
    answer = mail.client.generic(method, f"/enclosure/{way}/{his.sheet_id}/")
    assert answer.status_code == 403
    assert kept(his.sheet) == (mail.bob.pk, "his")


@pytest.mark.parametrize("way", ["save", "rewrite"])
def test_that_of_ones_own_may_be_written(mail, way):
    mine = Enclosure.every.get()
    assert mail.client.post(f"/enclosure/{way}/{mine.sheet_id}/").status_code == 200
    assert kept(mine.sheet) == (mail.alice.pk, "changed")


def test_a_part_that_is_left_behind_is_checked_at_the_end(mail):
    assert mail.client.post(f"/leave/so/{mail.bob.pk}/").status_code == 403
    assert not every.filter(text="planted").exists()


def boxed(owner: Any) -> Box:
    urgent, _ = (Label.objects.create(name=name) for name in ("urgent", "done"))
    box = Box.every.create(owner_key=owner.pk)
    box.stamps.add(urgent)
    box.labels.add(urgent)
    return box


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", STAMPINGS)
def test_pairs_that_only_some_of_our_rows_have_are_of_these_rows(mail, way, method):
    his = boxed(mail.bob)
    assert mail.client.generic(method, f"/stamping/{way}/{his.pk}/").status_code == 403
    for pairs in (his.stamps, his.labels):
        assert list(pairs.values_list("name", flat=True)) == ["urgent"]


@pytest.mark.parametrize("way", STAMPINGS)
def test_those_of_ones_own_may_be_written(mail, way):
    assert mail.client.post(f"/stamping/{way}/{boxed(mail.alice).pk}/").status_code == 200


@pytest.mark.parametrize("whose", ["alice", "bob"])
def test_pairs_of_a_part_under_another_key_are_of_that(mail, whose):
    Label.objects.create(name="done")
    row = Enclosure.every.create(owner_key=getattr(mail, whose).pk)
    answer = mail.client.post(f"/labelling/so/{row.sheet_id}/")
    assert answer.status_code == (200 if whose == "alice" else 403)
    assert row.labels.exists() == (whose == "alice")


@pytest.mark.vendor("postgresql")
@pytest.mark.parametrize("way", ["save", "create", "update_or_create", "save_new_enclosure"])
def test_a_part_that_somebody_adds_meanwhile_stays_theirs(mail, way):
    for before in range(100):
        every.filter(pk=777_777).delete()
        theirs: list[Letter] = []

        def add(theirs: list[Letter] = theirs) -> None:
            with suppress(IntegrityError):
                theirs.append(every.create(pk=777_777, owner_key=mail.bob.pk, text="his"))

        other = Other(add, before)
        with other.meanwhile():
            answer = mail.client.post(f"/letter/{way}/777777/")
        if not other.has_acted:
            assert (before > 1, answer.status_code) == (True, 200)
            return
        assert not theirs or kept(theirs[0]) == (mail.bob.pk, "his")
    raise AssertionError("never done")


@pytest.mark.vendor("postgresql")
def test_a_pair_that_somebody_adds_meanwhile_stays_theirs(mail):
    urgent, _ = (Label.objects.create(name=name) for name in ("urgent", "done"))
    for before in range(100):
        Labelled.objects.all().delete()
        theirs: list[Any] = []

        def add(theirs: list[Any] = theirs) -> None:
            with suppress(IntegrityError):
                theirs.append(Labelled.objects.create(pk=777_777, letter=mail.his, label=urgent))

        other = Other(add, before)
        with other.meanwhile():
            answer = mail.client.post("/choosing/so/777777/")
        if not other.has_acted:
            assert (before > 1, answer.status_code) == (True, 200)
            return
        assert not theirs or Labelled.objects.filter(pk=777_777, letter=mail.his).exists()
    raise AssertionError("never done")
