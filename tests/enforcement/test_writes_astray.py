"""Rows out of a condition's reach stay as they were, by whatever way they are written."""

from __future__ import annotations

from typing import Any

import pytest

from authkit.exceptions import ConditionNotApplied
from authkit.testing import client_for
from tests.enforcement import urls_letters
from tests.enforcement.urls_letters import ASTRAY, WAYS
from tests.letters.models import Label, Letter, Parcel, Sticker

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _with_letters(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.enforcement.urls_letters"
    urls_letters.register_conditions()


@pytest.fixture
def mail(world: Any) -> Any:
    """A letter of each; his has been answered by hers."""
    Label.objects.create(name="urgent")
    world.hers = Letter.every.create(owner_key=world.alice.pk)
    world.question = Letter.every.create(owner_key=world.alice.pk, text="asked")
    world.his = Letter.every.create(owner_key=world.bob.pk, answered=world.question)
    world.give(world.alice, "allow letters:POST when own")
    return world


def rows() -> list[Any]:
    return list(Letter.every.order_by("pk").values_list("pk", "owner_key", "text", "labels"))


def post(world: Any, way: str, letter: Any) -> Any:
    client = client_for(world.alice, "token")
    client.raise_request_exception = False
    return client.post(f"/letters/{way}/{letter.pk}/")


@pytest.mark.parametrize("way", WAYS)
def test_the_letter_of_somebody_else_stays_as_it_was(mail, way):
    before = rows()
    assert post(mail, way, mail.his).status_code >= 400
    assert rows() == before


@pytest.mark.parametrize("way", ["rewrite", "take", "remove", "remove_one", "label"])
def test_so_does_one_that_the_base_manager_hides(mail, way):
    Letter.every.filter(pk=mail.his.pk).update(is_archived=True)
    before = rows()
    assert post(mail, way, mail.his).status_code == 403
    assert rows() == before


#: Those that need no letter but the one.
ALONE = ["rewrite", "take", "remove", "remove_one", "rewrite_in_batches", "upsert_one", "label"]


@pytest.mark.parametrize("way", ALONE)
def test_a_row_is_also_what_is_stored_of_it_as_another_model(mail, way):
    mail.give(mail.alice, "allow parcels:POST when own")
    keys = [mail.alice.pk, mail.alice.pk, mail.bob.pk]
    _, mine, other = (Parcel.every.create(owner_key=key) for key in keys)
    client = client_for(mail.alice, "token")
    before = rows()
    assert client.post(f"/parcels/{way}/{other.pk}/").status_code == 403
    assert rows() == before
    assert client.post(f"/parcels/{way}/{mail.his.pk}/").status_code == 200  # no parcel
    assert client.post(f"/parcels/{way}/{mine.pk}/").status_code == 200


@pytest.mark.parametrize("way", sorted({*WAYS} - {"ignored_and_taken", "unanswer"}))
def test_ones_own_letter_may_be_written_so(mail, way):
    assert post(mail, way, mail.hers).status_code == 200


@pytest.mark.parametrize("way", sorted({*WAYS} - {"afterwards", "save_afterwards"}))
@pytest.mark.parametrize("kind", ["session", "token"])
def test_it_does_so_too_where_a_view_writes_in_answer_to_a_get(mail, way, kind):
    mail.give(mail.alice, "allow letters:GET when own")
    before = rows()
    answer = client_for(mail.alice, kind).get(f"/letters/{way}/{mail.his.pk}/")
    assert (answer.status_code, answer.json()["reason"]) == (403, "condition_not_met")
    assert rows() == before


@pytest.mark.parametrize("way", ["rewrite", "remove", "label", "save_afterwards"])
def test_ones_own_is_written_then_but_shows_nothing(mail, way):
    mail.give(mail.alice, "allow letters:GET when own")
    client = client_for(mail.alice, "token")
    before = rows()
    answer = client.get(f"/letters/{way}/{mail.hers.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "condition_not_applied")
    assert rows() != before


@pytest.mark.parametrize("way", ASTRAY)
def test_ones_own_letter_goes_nowhere(mail, way):
    before = rows()
    assert post(mail, way, mail.hers).status_code >= 400
    assert rows() == before


@pytest.mark.parametrize("way", ["remove", "remove_one"])
def test_what_hangs_from_ones_own_letter_does_as_its_model_says(mail, way):
    assert post(mail, way, mail.question).status_code == 200
    mail.his.refresh_from_db()
    assert mail.his.answered is None


@pytest.mark.parametrize("way", WAYS)
def test_who_may_write_every_letter_is_asked_about_none(mail, way):
    mail.give(mail.alice, "allow letters:POST")
    assert post(mail, way, mail.his).status_code == 200


def test_what_is_denied_is_not_shown_where_the_base_manager_hides_it(mail):
    mail.give(mail.alice, "allow seen:read", "deny seen:read when own")
    Letter.every.filter(pk=mail.hers.pk).update(is_archived=True)
    answer = client_for(mail.alice, "token").get("/seen/")
    assert answer.json()["keys"] == [mail.his.pk]


def test_a_file_response_that_is_made_while_it_is_sent_is_out_of_reach(mail):
    mail.give(mail.alice, "allow stream:POST when own")
    response: Any = client_for(mail.alice, "token").post(f"/stream/{mail.hers.pk}/")
    with pytest.raises(ConditionNotApplied):
        list(response.streaming_content)
    mail.hers.refresh_from_db(from_queryset=Letter.every)
    assert mail.hers.text == "first"


def test_whoever_hangs_up_brings_nothing_into_reach(mail):
    mail.give(mail.alice, "allow tidy_stream:POST when own")
    response: Any = client_for(mail.alice, "token").post(f"/tidy_stream/{mail.hers.pk}/")
    assert next(response.streaming_content) == b"begun "
    response.close()
    assert set(Letter.every.values_list("text", flat=True)) == {"first", "asked", ""}


def test_a_row_that_gets_its_key_from_the_database_is_checked_when_it_has_one(mail):
    mail.give(mail.alice, "allow stickers:POST when own")
    client = client_for(mail.alice, "token")
    assert client.post(f"/stickers/{mail.bob.pk}/").status_code == 403
    assert not Sticker.objects.exists()
    assert client.post(f"/stickers/{mail.alice.pk}/").status_code == 200
    assert Sticker.objects.exists()
