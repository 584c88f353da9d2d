"""A request decides by no older policy than the one that it has heard of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from authkit import changes, freshness, lookups, sessions
from authkit.access import can, holdings, policies
from authkit.models import AccessRevision, Assignment, Rule
from tests.access.some_roles import give, role
from tests.people import make_person
from tests.races.processes import Process, database_for_processes
from tests.test_changes import SNAPSHOTS

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db(transaction=True)]

Make = Callable[..., Process]

LIST = "api.person:list"


@pytest.fixture(autouse=True)
def _heard_of_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(freshness._Heard, "number", None)
    monkeypatch.setattr(freshness._Heard, "highest", 0)
    policies.forget()
    holdings.forget()
    yield
    policies.forget()
    holdings.forget()


@pytest.fixture
def make(db: None, tmp_path: Path, settings: Any) -> Iterator[Make]:
    """``make()``: one more process. Each request looks, unless a test says otherwise."""
    settings.ROOT_URLCONF = "tests.access.urls"
    settings.AUTHKIT = {"MAX_STALENESS": 0}
    with database_for_processes(tmp_path) as make_process:
        yield make_process


def _set_number(make: Make, number: int) -> None:
    with make().working():
        AccessRevision.objects.update_or_create(
            pk=1, defaults={"number": number, "policy": number, "people": number}
        )


# Which number is believed


def test_a_higher_number_is_news_and_a_lower_one_is_doubt():
    freshness.hear_of(6)
    freshness.hear_of(5)
    assert freshness.heard() is None
    freshness.hear_of(5)
    assert freshness.heard() is None
    freshness.hear_of(6)
    assert freshness.heard() == 6
    freshness.hear_of(7)
    assert freshness.heard() == 7


def test_the_newest_state_of_a_restored_database_ends_the_doubt():
    freshness.hear_of(6)
    freshness.hear_of(5)
    freshness.settle(5, since=freshness.asked())
    assert freshness.heard() == 5
    freshness.hear_of(5)
    assert freshness.heard() == 5


def test_an_answer_that_comes_late_ends_no_doubt():
    freshness.hear_of(5)
    since = freshness.asked()
    freshness.hear_of(6)
    freshness.settle(5, since=since)
    assert freshness.heard() == 6


def test_an_answer_that_comes_late_is_news_if_it_is_higher():
    since = freshness.asked()
    freshness.hear_of(5)
    freshness.settle(6, since=since)
    assert freshness.heard() == 6


# Who decides by it


@pytest.mark.vendor("postgresql", "mysql")
def test_a_number_that_was_read_first_and_heard_last_is_no_news(make: Make):
    """No transaction, no snapshot: a thread that loses its turn between reading and hearing."""
    slow = make()
    fast = make(slow.feed)
    session_id = sessions.start(make_person("ada"), "jwt", now=timezone.now()).id
    heard: list[int | None] = []

    def loses_its_turn(execute: Any, sql: str, *more: Any) -> Any:
        answer = execute(sql, *more)
        if not heard:
            _set_number(make, 6)  # somebody takes a right away, and it is committed
            with fast.working():  # then a request comes, with an opaque token
                lookups.find_by_id("default", session_id)
                heard.append(freshness.heard())
        return answer

    _set_number(make, 5)
    freshness._Heard.highest = 0  # whatever came with the person
    with fast.working():
        assert policies.current().revision.number == 5
    with slow.connection.execute_wrapper(loses_its_turn), slow.working():
        changes.look()
    assert heard == [6]
    with fast.working():
        assert policies.current(is_heard=True).revision.number == 6


def test_what_an_old_snapshot_says_of_access_is_not_taken_for_news(make: Make):
    slow = make(**SNAPSHOTS[connection.vendor])
    fast = make(slow.feed)
    _set_number(make, 5)
    slow.begin()
    with slow.working():
        changes.look()
    _set_number(make, 6)
    with fast.working():
        changes.look()
    assert freshness.heard() == 6
    with slow.working():
        changes.look()  # sees 5
    assert freshness.heard() != 5
    with fast.working():
        changes.look()
    assert freshness.heard() == 6
    slow.commit()


@pytest.mark.vendor("postgresql", "mysql")
@pytest.mark.parametrize("number", [0, 5])
def test_a_database_that_was_restored_is_noticed_and_asked_about_once(make: Make, number):
    process = make()
    _set_number(make, 6)
    with process.working():
        assert policies.current().revision.number == 6
        if number:
            _set_number(make, number)
        else:
            AccessRevision.objects.all().delete()
        assert policies.current().revision.number == number
        assert freshness.heard() == number
        known = policies.current()
        assert policies.current() is known


@pytest.mark.vendor("postgresql", "mysql")
def test_roles_that_an_old_snapshot_shows_are_nobody_else_s(make: Make):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    held = give(ada, clerk)
    slow = make(**SNAPSHOTS[connection.vendor])
    fast = make(slow.feed)
    slow.begin()
    with slow.working():
        assert Assignment.objects.exists()  # the snapshot is taken
    held.delete()
    with fast.working():
        policies.current()  # what has changed is heard of
    with slow.working(), override_settings(AUTHKIT={"MAX_STALENESS": 60}):
        can(ada, LIST)
    with fast.working():
        assert not can(ada, LIST)
    slow.commit()


@pytest.mark.vendor("postgresql", "mysql")
def test_without_autocommit_nobody_else_decides_by_what_is_not_committed(make: Make):
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    slow = make()
    fast = make(slow.feed)
    with slow.working():
        transaction.set_autocommit(False)
        with transaction.atomic():
            Rule.objects.filter(role=clerk).delete()
            assert not can(ada, LIST)
        assert not can(ada, LIST)
    with fast.working(), override_settings(AUTHKIT={"MAX_STALENESS": 60}):
        assert can(ada, LIST)
    with slow.working():
        transaction.rollback()
        assert can(ada, LIST)
        transaction.rollback()
        transaction.set_autocommit(True)
    with fast.working():
        assert can(ada, LIST)


@pytest.mark.vendor("postgresql", "mysql")
def test_a_change_that_is_not_committed_is_nobody_else_s_news(make: Make):
    slow = make()
    fast = make(slow.feed)
    ada, clerk = make_person("ada"), role("clerk", f"allow {LIST}")
    give(ada, clerk)
    with fast.working():
        assert can(ada, LIST)
    before = freshness.heard()
    slow.begin()
    with slow.working():
        Rule.objects.filter(role=clerk).delete()
        assert not can(ada, LIST)
    assert freshness.heard() == before
    slow.roll_back()
    with fast.working():
        assert can(ada, LIST)
