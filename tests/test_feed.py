"""What a process knows of the change feed, whatever clocks, transactions and hooks do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, connections, transaction
from django.test import override_settings

from authkit import changes, feed
from tests.races.processes import Process, database_for_processes
from tests.test_changes import SNAPSHOTS

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db]

Make = Callable[..., Process]

#: Longer than a look takes, and short enough to wait for.
STALENESS = 0.3


@pytest.fixture
def make(db: None, tmp_path: Path) -> Iterator[Make]:
    """``make()``: one more process. Each request looks, unless a test says otherwise."""
    exact = override_settings(AUTHKIT={"MAX_STALENESS": 0})
    with exact, database_for_processes(tmp_path) as make_process:
        yield make_process


def _staleness(seconds: float) -> Any:
    return override_settings(AUTHKIT={"MAX_STALENESS": seconds})


def _run(process: Process, statement: str) -> None:
    with process.working(), process.connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _by_hand(process: Process) -> Iterator[None]:
    """Without autocommit; in the end what is not committed is rolled back."""
    with process.working():
        transaction.set_autocommit(False)
    try:
        yield
    finally:
        with process.working():
            transaction.rollback()
            transaction.set_autocommit(True)


# An old state of the database. `slow` and `fast` are threads of one process


def _is_known_to(fast: Process, ended: UUID, *, though_asked_by: Process) -> bool:
    """Whether one thread learns in time while another one asks all the time, and sees nothing."""
    until = time.monotonic() + 4 * STALENESS
    while time.monotonic() < until:
        though_asked_by.knows(ended)
        if fast.knows(ended):
            return True
        time.sleep(STALENESS / 10)
    return False


@pytest.mark.vendor("postgresql")
@pytest.mark.parametrize("is_by_default", [False, True])
def test_a_level_that_django_is_not_told_of_hides_nothing_from_others(make: Make, is_by_default):
    writer, slow = make(), make()
    fast = make(slow.feed)
    with _staleness(STALENESS):
        if is_by_default:  # as ALTER DATABASE or ALTER ROLE ... SET says it
            _run(slow, "SET default_transaction_isolation = 'repeatable read'")
        slow.begin()
        if not is_by_default:
            _run(slow, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        slow.knows(uuid4())  # the snapshot is taken
        ended = writer.announce()
        assert _is_known_to(fast, ended, though_asked_by=slow)
        slow.commit()


@pytest.mark.vendor("postgresql", "sqlite")
def test_a_transaction_begun_past_django_hides_nothing_from_others(make: Make):
    writer, slow = make(), make(**SNAPSHOTS[connection.vendor])
    fast = make(slow.feed)
    with _staleness(STALENESS):
        _run(slow, "BEGIN")
        slow.knows(uuid4())
        ended = writer.announce()
        assert _is_known_to(fast, ended, though_asked_by=slow)
        _run(slow, "COMMIT")


@pytest.mark.vendor("postgresql", "mysql")
def test_a_transaction_without_autocommit_hides_nothing_from_others(make: Make):
    writer, slow = make(), make(**SNAPSHOTS[connection.vendor])
    fast = make(slow.feed)
    with _staleness(STALENESS), _by_hand(slow):
        slow.knows(uuid4())
        ended = writer.announce()
        assert _is_known_to(fast, ended, though_asked_by=slow)


@pytest.mark.vendor("sqlite")
def test_rows_that_are_still_being_fetched_hide_nothing_from_others(make: Make):
    """An export that is streamed row by row, outside of any transaction."""
    writer, slow = make(), make()
    fast = make(slow.feed)
    writer.announce()
    with _staleness(STALENESS), slow.working(), slow.connection.cursor() as rows:
        rows.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i, (SELECT count(*) FROM authkit_change) FROM n"
        )
        rows.fetchmany(2)
        ended = writer.announce()
        assert _is_known_to(fast, ended, though_asked_by=slow)


@pytest.mark.vendor("postgresql")
@pytest.mark.parametrize("is_old", [False, True])
def test_a_look_in_a_transaction_is_one_query_whatever_its_level(make: Make, is_old):
    """With ATOMIC_REQUESTS each request is a transaction: looks of the usual level are shared."""
    reader = make(**(SNAPSHOTS["postgresql"] if is_old else {}))
    requests, statements = 5, 0

    def count(execute: Any, sql: str, *more: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, *more)

    make().announce()
    with _staleness(60), reader.connection.execute_wrapper(count):
        for _ in range(requests):
            reader.begin()
            reader.knows(uuid4())
            reader.knows(uuid4())
            reader.commit()
    assert statements == (requests if is_old else 1)


def test_what_an_old_state_shows_of_others_is_known_to_all(make: Make):
    writer, slow = make(), make(**SNAPSHOTS[connection.vendor])
    fast = make(slow.feed)
    ended = writer.announce()
    slow.begin()
    own = slow.announce()
    assert slow.knows(ended, own)
    with _staleness(60), fast.working():
        assert changes.has_ended(ended)
        assert not changes.has_ended(own)
    slow.roll_back()
    assert not slow.knows(own)


@pytest.mark.vendor("postgresql", "mysql")
def test_without_autocommit_a_change_of_our_own_holds_here_at_once(make: Make):
    here = make()
    elsewhere = make(here.feed)
    with _by_hand(here):
        with here.working(), transaction.atomic():
            ended = here.announce()
        assert here.knows(ended)
        assert not elsewhere.knows(ended)
        with here.working():
            transaction.commit()
        assert here.knows(ended)
        assert elsewhere.knows(ended)


@pytest.mark.vendor("postgresql", "mysql")
def test_without_autocommit_a_committed_change_is_hidden_from_no_other_thread(make: Make):
    slow = make()
    fast = make(slow.feed)
    with _staleness(STALENESS), _by_hand(slow):
        with slow.working():
            with transaction.atomic():
                ended = slow.announce()
            transaction.commit()
        assert _is_known_to(fast, ended, though_asked_by=slow)


@pytest.mark.vendor("postgresql", "mysql")
def test_without_autocommit_a_change_that_is_rolled_back_never_happened(make: Make):
    here = make()
    with _by_hand(here):
        with here.working():
            with transaction.atomic():
                ended = here.announce()
            assert here.knows(ended)
            transaction.rollback()
        assert not here.knows(ended)
    assert not here.knows(ended)


# What a project does on commit


def test_a_hook_of_the_project_that_fails_keeps_no_revocation_back(make: Make):
    here = make()

    def fail() -> None:
        raise RuntimeError("the mail server is away")

    with _staleness(60):
        here.knows(uuid4())
        here.begin()
        with here.working():
            transaction.on_commit(fail)
        first, second = here.announce(), here.announce()
        with pytest.raises(RuntimeError):
            here.commit()
        assert here.knows(first, second)


def test_a_hook_before_ours_is_no_way_around_a_rollback(make: Make):
    here = make()
    here.begin()
    with here.working():
        transaction.on_commit(lambda: None)
    here.begin()
    rolled_back = here.announce()
    here.roll_back()
    committed = here.announce()
    here.commit()
    assert here.knows(committed)
    assert not here.knows(rolled_back)


# A clock that is set


@contextmanager
def _clock_is_wrong_by(seconds: float) -> Iterator[None]:
    really = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: really() + seconds)
        yield


@pytest.mark.parametrize("looks", [1, 3])
@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("many", [0, 1_500])
def test_a_clock_that_was_wrong_for_a_while_revives_nobody(
    make: Make, monkeypatch, many, hours, looks
):
    monkeypatch.setattr(feed, "_TIDY_EVERY", 0)
    writer, reader = make(), make()
    reader.feed.learn({uuid4(): int(time.time()) + 300 for _ in range(many)})
    ended = [writer.announce() for _ in range(2)]
    assert reader.knows(*ended)
    with _clock_is_wrong_by(hours * 3600):
        for _ in range(looks):
            reader.knows(uuid4())
    writer.announce()
    assert reader.knows(*ended)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_process_that_started_with_a_wrong_clock_knows_all_when_it_is_right(make: Make, hours):
    ended = make().announce()
    with _clock_is_wrong_by(hours * 3600):
        reader = make()
        reader.knows(uuid4())
    assert reader.knows(ended)


@pytest.mark.vendor("postgresql", "mysql")
def test_a_clock_that_was_wrong_for_a_while_leaves_no_gap_unasked(make: Make, monkeypatch):
    monkeypatch.setattr(feed, "_TIDY_EVERY", 0)
    slow, fast, reader = make(), make(), make()
    assert reader.knows(fast.announce())
    slow.begin()
    lower = slow.announce()
    assert reader.knows(fast.announce())
    with _clock_is_wrong_by(3600):
        reader.knows(uuid4())
    slow.commit()
    assert reader.knows(lower)


def test_a_clock_that_is_right_lets_nobody_read_all_again(make: Make):
    writer, reader = make(), make()
    reader.knows(writer.announce())
    asked: list[str] = []

    def note(execute: Any, sql: str, *more: Any) -> Any:
        asked.append(sql)
        return execute(sql, *more)

    with reader.connection.execute_wrapper(note):
        reader.knows(uuid4())
    assert len(asked) == 1
    assert "id >= %s" in asked[0]


# Waiting, and cleaning up


def test_an_event_loop_waits_for_nobody_s_look(make: Make):
    """`is_current` has just said yes; then the moment is over, and another thread is asking."""
    process = make()
    thread = make(process.feed)
    is_asking, may_be_answered = threading.Event(), threading.Event()

    def slowly(execute: Any, *arguments: Any) -> Any:
        is_asking.set()
        may_be_answered.wait(30)
        return execute(*arguments)

    def look() -> None:
        connections["default"] = thread.connection
        with thread.connection.execute_wrapper(slowly):
            process.feed.look(max_staleness=0)

    async def serve() -> None:
        with pytest.raises(SynchronousOnlyOperation):
            process.feed.look(max_staleness=0)

    worker = threading.Thread(target=look)
    worker.start()
    try:
        assert is_asking.wait(30)
        serving = threading.Thread(target=lambda: asyncio.run(serve()))
        serving.start()
        serving.join(5)
        waited = serving.is_alive()
    finally:
        may_be_answered.set()
        worker.join(30)
        serving.join(30)
    assert not waited


def test_very_many_ended_sessions_do_not_make_each_look_slow(make: Make):
    process = make()

    def seconds_of_looks() -> float:
        started = time.perf_counter()
        for _ in range(20):
            process.knows(uuid4())
        return time.perf_counter() - started

    process.knows(uuid4())
    few = seconds_of_looks()
    process.feed.learn({uuid4(): int(time.time()) + 300 for _ in range(100_000)})
    assert seconds_of_looks() < few + 20 * 0.005  # to go through all takes 20 ms


def test_what_is_over_is_dropped_now_and_then(make: Make, monkeypatch):
    process = make()
    process.knows(uuid4())
    over, live = uuid4(), uuid4()
    process.feed.learn({over: int(time.time()) - 1, live: int(time.time()) + 300})
    assert process.knows(over, live)
    monkeypatch.setattr(feed, "_TIDY_EVERY", 0)
    assert process.knows(live)
    assert not process.knows(over)
