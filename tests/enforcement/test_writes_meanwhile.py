"""A write under a condition writes rows that were looked at, whatever others do meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q

from authkit.access import conditions
from authkit.models import Rule
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
    conditions.condition("answering", model=Letter)(lambda user: Q(answered__owner_key=user.pk))
    conditions.condition("answering_some", model=Letter)(
        lambda user: Q(answered__in=every.filter(owner_key=user.pk)) | Q(text="anybody's")
    )


@pytest.fixture
def mail(world: Any) -> Any:
    Label.objects.create(name="urgent")
    Label.objects.create(name="done")
    world.give(world.alice, "allow write:* when own", "allow letter:* when own")
    world.deliver_more = lambda: None
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
    mail.deliver_more()


def moments(
    mail: Any, way: str, act: Any, *, is_his_due: bool = False, method: str = "POST"
) -> Iterator[Any]:
    """The answers to a request during which somebody acts: at its beginning, and so on."""
    for before in range(100):
        deliver(mail, is_his_due=is_his_due)
        other = Other(lambda: act(mail), before)
        with other.meanwhile():
            answer = mail.client.generic(method, f"/write/{way}/")
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
    for answer in moments(mail, way, is_handed_over):
        now = stored(mail.hers)
        if answer.status_code == 200:
            assert now is None or now[0] == mail.bob.pk
            is_written = now is None or now[1:] != ("due", False, 0, "urgent")
            assert is_written == bool(answer.json()["count"])
        else:
            assert answer.status_code == 403
            assert now == (mail.bob.pk, "due", False, 0, "urgent")


@pytest.mark.parametrize("way", sorted({*WAYS} - {"take_within"}))
def test_nor_where_the_condition_asks_of_another_row(mail, way):
    Rule.objects.all().delete()
    mail.give(mail.alice, "allow write:* when answering")
    questions: dict[str, Letter] = {}

    def is_passed_on(mail: Any) -> None:
        every.filter(pk=mail.hers.pk).update(answered=questions["his"])

    def deliver_answers() -> None:
        questions["hers"] = every.create(owner_key=mail.alice.pk)
        questions["his"] = every.create(owner_key=mail.bob.pk)
        every.filter(pk=mail.hers.pk).update(answered=questions["hers"])

    mail.deliver_more = deliver_answers
    for answer in moments(mail, way, is_passed_on):
        now = stored(mail.hers)
        if answer.status_code == 200:
            kept = every.filter(pk=mail.hers.pk).values_list("answered", flat=True)
            assert now is None or kept[0] == questions["his"].pk
        else:
            assert answer.status_code == 403
            assert now[1:] == ("due", False, 0, "urgent")


@pytest.mark.parametrize("way", WAYS)
def test_nor_by_a_view_that_writes_in_answer_to_a_get(mail, way):
    for answer in moments(mail, way, falls_due, method="GET"):
        assert stored(mail.his) == (mail.bob.pk, "due", False, 0, "urgent")
        assert answer.status_code == 403
    for _ in moments(mail, way, is_handed_over, method="GET"):
        now = stored(mail.hers)
        assert now is None or now[0] == mail.bob.pk


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith(("rewrite", "take"))])
def test_what_an_update_returns_is_how_many_rows_it_wrote(mail, way):
    def is_withdrawn(mail: Any) -> None:
        every.filter(pk=mail.second.pk, text="due").update(text="")
        Pair.objects.filter(letter_id=mail.second.pk).delete()

    def deliver_second() -> None:
        mail.second = every.create(owner_key=mail.alice.pk, text="due")
        mail.second.labels.add(Label.objects.get(name="urgent"))

    mail.deliver_more = deliver_second
    for answer in moments(mail, way, is_withdrawn):
        assert answer.status_code == 200
        assert answer.json()["count"] == every.filter(text="changed").count()


def test_an_update_that_names_one_row_of_each_kind_is_looked_at_as_the_database_does_it(mail):
    deliver(mail, is_his_due=False)
    assert mail.client.post("/write/rewrite_distinct/").status_code == 403
    assert stored(mail.his)[1] == ""


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", ["save_new", "rewrite_new", "update_or_create_new"])
def test_a_row_that_was_not_there_a_moment_before_is_not_taken(mail, way, method):
    def is_made(mail: Any) -> None:
        with suppress(IntegrityError):
            every.create(pk=777_777, owner_key=mail.bob.pk, text="his")
            mail.is_made = True

    def nothing_is_made() -> None:
        mail.is_made = False

    mail.deliver_more = nothing_is_made
    for _ in moments(mail, way, is_made, method=method):
        found = every.get(pk=777_777)
        expected = (mail.bob.pk, "his") if mail.is_made else (mail.alice.pk, "changed")
        assert (found.owner_key, found.text) == expected


@pytest.mark.parametrize("way", ["rewrite_all", "remove_all"])
def test_more_rows_than_a_statement_takes_are_written_in_parts(mail, way, monkeypatch):
    for _ in range(5):
        every.create(owner_key=mail.alice.pk)
    monkeypatch.setattr(connection.features, "max_query_params", 4)
    assert mail.client.post(f"/write/{way}/").json() == {"count": 5}


@contextmanager
def held(letter: Any) -> Iterator[None]:
    """Around what somebody else does not let a letter be locked for."""
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(connection), transaction.atomic():
            every.select_for_update().get(pk=letter.pk)
            begun.set()
            over.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    try:
        yield
    finally:
        over.set()
        thread.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def is_told_to_come_back(answer: Any) -> bool:
    return (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("way", sorted({*WAYS} - {"unlabel", "relabel"}))
def test_a_lock_that_is_not_got_is_no_failure_of_ours(mail, way, method):
    deliver(mail, is_his_due=False)
    before = stored(mail.hers)
    with held(mail.hers):
        assert is_told_to_come_back(mail.client.generic(method, f"/write/{way}/"))
    assert stored(mail.hers) == before


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_nor_is_it_with_django_rest_framework(mail, method):
    deliver(mail, is_his_due=False)
    before = stored(mail.hers)
    with held(mail.hers):
        answer = mail.client.generic(
            method, f"/letter/{mail.hers.pk}/", '{"text": "new"}', "application/json"
        )
    assert is_told_to_come_back(answer)
    assert stored(mail.hers) == before


def test_a_view_that_goes_on_regardless_has_written_nothing(mail):
    deliver(mail, is_his_due=False)
    kept = every.create(owner_key=mail.alice.pk, text="kept")
    with held(mail.hers):
        assert is_told_to_come_back(mail.client.post("/write/save_whatever_happens/"))
    assert stored(mail.hers)[1] == "due"
    assert every.get(pk=kept.pk).text == "kept"


def test_one_that_leaves_out_what_it_cannot_write_writes_the_rest(mail):
    deliver(mail, is_his_due=False)
    kept = every.create(owner_key=mail.alice.pk, text="kept")
    with held(mail.hers):
        assert mail.client.post("/write/rewrite_whatever_happens/").status_code == 200
    assert stored(mail.hers)[1] == "due"
    assert every.get(pk=kept.pk).text == "changed"


def test_of_two_that_wait_for_each_other_one_is_told_to_come_back(mail):
    deliver(mail, is_his_due=False)
    first, second = (every.create(owner_key=mail.alice.pk, text="due") for _ in range(2))
    every.filter(pk=mail.hers.pk).update(text="")
    has_second, failures = threading.Event(), []

    def against_the_order() -> None:
        try:
            with closing(connection), transaction.atomic():
                every.filter(pk=second.pk).update(is_archived=True)
                has_second.set()
                while not _somebody_waits():
                    time.sleep(0.01)
                every.filter(pk=first.pk).update(is_archived=True)
        except OperationalError as failure:
            failures.append(failure)

    thread = threading.Thread(target=against_the_order)
    thread.start()
    assert has_second.wait(10)
    answer = mail.client.post("/write/rewrite/")
    thread.join()
    if failures:  # one of the two, and not we
        assert answer.status_code == 200
    else:
        assert is_told_to_come_back(answer)
        assert set(every.filter(text="changed")) == set()


@pytest.mark.parametrize("condition", ["answering", "answering_some"])
def test_a_row_is_not_judged_by_what_other_rows_were_before_it_was_locked(mail, condition):
    Rule.objects.all().delete()
    mail.give(mail.alice, f"allow write:* when {condition}")
    deliver(mail, is_his_due=False)
    first, second = (every.create(owner_key=mail.alice.pk, text=t) for t in ("first", "second"))
    every.filter(pk=mail.hers.pk).update(answered=first)
    is_moved = threading.Event()

    def move_out_of_reach() -> None:
        """By two writes, each of which alone would leave it within."""
        with closing(connection), transaction.atomic():
            every.filter(pk=mail.hers.pk).update(answered=second)
            every.filter(pk=second.pk).update(owner_key=mail.bob.pk)
            is_moved.set()
            while not _somebody_waits():
                time.sleep(0.01)

    thread = threading.Thread(target=move_out_of_reach)
    thread.start()
    assert is_moved.wait(10)
    answer = mail.client.post("/write/answer_first/")
    thread.join()
    assert answer.status_code == 403
    assert every.get(pk=mail.hers.pk).answered == second


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])
