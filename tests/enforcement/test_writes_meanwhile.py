"""A write under a condition writes rows that were looked at, whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from authkit.testing import client_for
from tests.enforcement import urls_letters
from tests.enforcement.meanwhile import Other
from tests.enforcement.urls_meanwhile import WAYS, Pair
from tests.letters.models import Label, Letter, Parcel

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.vendor("postgresql"),
    pytest.mark.urls("tests.enforcement.urls_meanwhile"),
]

every = Letter.every


@pytest.fixture(autouse=True)
def _with_letters(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.enforcement.urls_meanwhile"
    urls_letters.register_conditions()


@pytest.fixture
def mail(world: Any) -> Any:
    Label.objects.create(name="urgent")
    Label.objects.create(name="done")
    world.give(world.alice, "allow write:POST when own", "allow letter:* when own")
    world.client = client_for(world.alice, "token")
    world.client.raise_request_exception = False
    return world


def deliver(mail: Any, *, is_his_due: bool) -> None:
    """Her letter is due; his is, or is not."""
    for rows in (Pair.objects, Parcel.every, every):
        rows.all().delete()
    urgent = Label.objects.get(name="urgent")
    mail.hers = Parcel.every.create(owner_key=mail.alice.pk, text="due")
    mail.his = Parcel.every.create(owner_key=mail.bob.pk, text="due" if is_his_due else "")
    mail.hers.labels.add(urgent)
    if is_his_due:
        mail.his.labels.add(urgent)


def moments(mail: Any, way: str, act: Any, *, is_his_due: bool) -> Iterator[Any]:
    """The answers to a request during which somebody acts: at its beginning, and so on."""
    for before in range(100):
        deliver(mail, is_his_due=is_his_due)
        other = Other(lambda: act(mail), before)
        with other.meanwhile():
            answer = mail.client.post(f"/write/{way}/")
        if not other.has_acted:
            assert before > 1
            return
        yield answer
    raise AssertionError("never done")


def stored(letter: Any) -> Any:
    rows = Parcel.every.filter(pk=letter.pk)
    return rows.values_list("owner_key", "text", "is_archived", "weight", "labels__name").first()


def falls_due(mail: Any) -> None:
    every.filter(pk=mail.his.pk).update(text="due")
    Pair.objects.create(letter_id=mail.his.pk, label=Label.objects.get(name="urgent"))


def is_done_with(mail: Any) -> None:
    every.filter(pk=mail.his.pk).update(text="")
    Pair.objects.filter(letter_id=mail.his.pk).update(label=Label.objects.get(name="done"))


def is_handed_over(mail: Any) -> None:
    every.filter(pk=mail.hers.pk).update(owner_key=mail.bob.pk)


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_comes_into_the_filter_is_not_written(mail, way):
    for answer in moments(mail, way, falls_due, is_his_due=False):
        assert stored(mail.his) == (mail.bob.pk, "due", False, 0, "urgent")
        assert answer.status_code in {200, 403}


@pytest.mark.parametrize("way", WAYS)
def test_nor_one_that_leaves_it(mail, way):
    for answer in moments(mail, way, is_done_with, is_his_due=True):
        assert stored(mail.his) == (mail.bob.pk, "", False, 0, "done")
        assert answer.status_code in {200, 403}


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_is_handed_over_is_written_before_or_not_at_all(mail, way):
    for answer in moments(mail, way, is_handed_over, is_his_due=False):
        now = stored(mail.hers)
        if answer.status_code == 200:
            is_gone = now is None
            assert is_gone or now[0] == mail.bob.pk
            assert is_gone or answer.json()["count"] == 0 or now[1:] != ("due", False, 0, "urgent")
        else:
            assert answer.status_code == 403
            assert now == (mail.bob.pk, "due", False, 0, "urgent")
