"""The change feed: what one process does, every other learns in time."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection, connections
from django.test import override_settings

from authkit import changes
from authkit.feed_rows import CLOCK_LEEWAY
from authkit.models import Change
from tests.races.processes import Process, database_for_processes

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db]

Make = Callable[..., Process]


@pytest.fixture
def make(db: None, tmp_path: Path) -> Iterator[Make]:
    """``make()``: one more process. Each request looks, unless a test says otherwise."""
    exact = override_settings(AUTHKIT={"MAX_STALENESS": 0})
    with exact, database_for_processes(tmp_path) as make_process:
        yield make_process


def _staleness(seconds: float) -> Any:
    return override_settings(AUTHKIT={"MAX_STALENESS": seconds})


def _highest_id(process: Process) -> int:
    with process.working():
        newest = Change.objects.order_by("-id").first()
        assert newest is not None
        return newest.pk


# Who knows what, and when


def test_a_committed_change_is_known_at_once_here_and_elsewhere_at_the_next_look(make: Make):
    here, elsewhere = make(), make()
    ended = here.announce()
    with here.working(), _staleness(60):
        assert changes.has_ended(ended)
    assert elsewhere.knows(ended)
    assert not elsewhere.knows(uuid4())


def test_a_process_that_starts_later_knows_what_still_matters(make: Make):
    ended = make().announce()
    assert make().knows(ended)


def test_an_uncommitted_change_holds_in_its_own_transaction_and_nowhere_else(make: Make):
    here, elsewhere = make(), make()
    other_thread = make(here.feed)
    here.begin()
    ended = here.announce()
    assert here.knows(ended)
    assert not other_thread.knows(ended)
    assert not elsewhere.knows(ended)
    here.commit()
    assert here.knows(ended)
    assert other_thread.knows(ended)
    assert elsewhere.knows(ended)


def test_a_change_that_is_rolled_back_never_happened(make: Make):
    here, elsewhere = make(), make()
    here.begin()
    ended = here.announce()
    assert here.knows(ended)
    here.roll_back()
    later = elsewhere.announce()
    for process in (here, make(here.feed), elsewhere, make()):
        assert not process.knows(ended)
        assert process.knows(later)


def test_a_savepoint_that_is_rolled_back_takes_only_its_own_changes_along(make: Make):
    here, elsewhere = make(), make()
    here.begin()
    before = here.announce()
    here.begin()
    within = here.announce()
    assert here.knows(within)
    here.roll_back()
    assert not here.knows(within)
    after = here.announce()
    here.commit()
    for process in (here, elsewhere):
        assert process.knows(before)
        assert not process.knows(within)
        assert process.knows(after)


# Transactions commit in another order than their ids


@pytest.mark.vendor("postgresql", "mysql")
@pytest.mark.parametrize("has_history", [False, True])
def test_a_lower_id_that_commits_later_is_learned(make: Make, has_history):
    slow, fast, reader, other_reader = make(), make(), make(), make()
    if has_history:
        reader.knows(fast.announce())
    slow.begin()
    lower = slow.announce()
    higher = fast.announce()
    assert reader.knows(higher)
    assert not reader.knows(lower)
    slow.commit()
    assert reader.knows(lower)
    assert other_reader.knows(lower)


@pytest.mark.vendor("postgresql", "mysql")
def test_a_process_that_began_while_a_lower_id_was_open_learns_it(make: Make):
    slow, fast = make(), make()
    slow.begin()
    lower = [uuid4() for _ in range(300)]
    slow.announce(*lower)
    higher = fast.announce()
    just_started = make()
    assert just_started.knows(higher)
    slow.commit()
    assert just_started.knows(*lower)


@pytest.mark.vendor("postgresql", "mysql")
@pytest.mark.parametrize("count", [1, 199, 201, 1000])
def test_a_run_of_missing_ids_is_learned_however_long(make: Make, count):
    slow, fast, reader = make(), make(), make()
    reader.knows(fast.announce())
    slow.begin()
    lower = [uuid4() for _ in range(count)]
    slow.announce(*lower)
    higher = [fast.announce() for _ in range(3)]
    assert reader.knows(*higher)
    slow.commit()
    assert reader.knows(*lower)


@pytest.mark.vendor("postgresql", "mysql")  # SQLite gives an id that was rolled back again
def test_gaps_that_nothing_fills_leave_the_question_small(make: Make):
    writer, reader = make(), make()
    reader.knows(writer.announce())
    for _ in range(60):
        writer.use_up_ids(5)
        reader.knows(writer.announce())
    asked: list[int] = []

    def note(execute: Any, sql: str, parameters: Any, *more: Any) -> Any:
        asked.append(len(parameters))
        return execute(sql, parameters, *more)

    with reader.connection.execute_wrapper(note):
        reader.knows(uuid4())
    assert len(asked) == 1
    assert asked[0] <= 250
    assert reader.knows(writer.announce())


# The table is shortened, emptied, restored


@contextmanager
def _by_hand(process: Process) -> Iterator[Any]:
    with process.working(), process.connection.cursor() as cursor:
        yield cursor


def test_a_reader_whose_last_row_was_pruned_goes_on(make: Make):
    writer, reader = make(), make()
    old = writer.announce()
    assert reader.knows(old)
    writer.empty_the_feed()
    new = writer.announce()
    assert reader.knows(new)
    assert reader.knows(old)


@pytest.mark.vendor("postgresql", "mysql")
def test_a_reader_whose_last_row_was_pruned_learns_a_lower_id_as_well(make: Make):
    slow, fast, reader = make(), make(), make()
    assert reader.knows(fast.announce())
    slow.begin()
    lower = slow.announce()
    fast.empty_the_feed()
    assert reader.knows(fast.announce())
    slow.commit()
    assert reader.knows(lower)


@pytest.mark.parametrize("rows_after", [1, 2, 3, 5])
def test_a_restored_table_with_the_ids_of_another_life_is_read_whole(make: Make, rows_after):
    writer, reader = make(), make()
    _restart_at_one(writer)
    old = [writer.announce() for _ in range(3)]
    assert reader.knows(*old)
    _restart_at_one(writer)
    new = [writer.announce() for _ in range(rows_after)]
    assert _highest_id(writer) == rows_after
    assert reader.knows(*new)


def _restart_at_one(process: Process) -> None:
    vendor = process.connection.vendor
    statements = {
        "postgresql": ["TRUNCATE TABLE authkit_change RESTART IDENTITY"],
        "mysql": ["TRUNCATE TABLE authkit_change"],
        "sqlite": ["DELETE FROM authkit_change", "DELETE FROM sqlite_sequence"],
    }
    with _by_hand(process) as cursor:
        for statement in statements[vendor]:
            cursor.execute(statement)


def test_pruning_takes_only_what_no_token_can_outlive(make: Make):
    writer, reader = make(), make()
    ended = writer.announce()
    lifetime, now = 5 * 60, time.time()
    with writer.working():
        assert not changes.over(now=now + lifetime).exists()
        assert changes.over(now=now + lifetime + 4 * CLOCK_LEEWAY).delete()[0] == 1
    assert not reader.knows(ended)


def test_announcing_now_and_then_cleans_up_what_is_over(make: Make, monkeypatch):
    here = make()
    old, current = here.announce(), here.announce()
    with _by_hand(here) as cursor:
        cursor.execute("UPDATE authkit_change SET expires_at = 1 WHERE subject = %s", [str(old)])
    monkeypatch.setattr(changes, "_CLEAN_UP_ONCE_IN", 0)  # each time
    here.announce()
    assert not make().knows(old)
    assert make().knows(current)
    with here.working():
        assert Change.objects.count() == 2


def test_a_failure_to_prune_is_not_a_failure_to_end_a_session(make: Make, monkeypatch):
    here = make()
    monkeypatch.setattr(changes, "_CLEAN_UP_ONCE_IN", 0)  # each time

    def refuse_deletes(execute: Any, sql: str, *more: Any) -> Any:
        if sql.startswith("DELETE"):
            raise OperationalError("database is locked")
        return execute(sql, *more)

    with here.connection.execute_wrapper(refuse_deletes):
        ended = here.announce()
    assert make().knows(ended)


# At most one query per MAX_STALENESS


def test_within_max_staleness_nobody_asks_again(make: Make):
    writer, reader = make(), make()
    with _staleness(60):
        reader.knows(uuid4())
        ended = writer.announce()
        asked = reader.queries
        assert not reader.knows(ended)
        assert not make(reader.feed).knows(ended)
    assert reader.queries == asked


def test_after_max_staleness_it_is_known(make: Make):
    writer, reader = make(), make()
    with _staleness(0.2):
        reader.knows(uuid4())
        ended = writer.announce()
        time.sleep(0.2)
        assert reader.knows(ended)


def _threads_of(process: Process, make: Make, count: int, work: Callable[[Process], None]) -> None:
    """Let so many threads of a process work at once, each with a connection of its own."""
    together = threading.Barrier(count)

    def begin(_: int) -> None:
        thread = make(process.feed)
        with thread.working():
            thread.connection.ensure_connection()
            together.wait(30)
            work(thread)

    with process.working(), ThreadPoolExecutor(count) as pool:
        list(pool.map(begin, range(count)))


@pytest.mark.parametrize(("max_staleness", "times", "at_most"), [(60, 20, 1), (0, 1, 4)])
def test_eight_threads_share_their_looks(make: Make, max_staleness, times, at_most):
    process, threads = make(), []

    def slowly(execute: Any, *arguments: Any) -> Any:
        time.sleep(0.3)  # so that the others come while one is asking
        return execute(*arguments)

    def look(thread: Process) -> None:
        threads.append(thread)
        with thread.connection.execute_wrapper(slowly):
            for _ in range(times):
                thread.knows(uuid4())
                time.sleep(0.005)

    with _staleness(max_staleness):
        _threads_of(process, make, 8, look)
    assert 1 <= sum(thread.queries for thread in threads) <= at_most


def test_without_staleness_every_thread_sees_what_was_committed_before_it_asked(make: Make):
    process, committed, unknown = make(), [uuid4()], []
    is_over = threading.Event()

    def write() -> None:  # as another process does: this one's feed is told nothing
        elsewhere = make(process.feed)
        connections["default"] = elsewhere.connection
        for _ in range(200):
            session_id = uuid4()
            until = int(time.time()) + 300
            Change.objects.create(
                kind=Change.Kind.SESSION_ENDED, subject=str(session_id), expires_at=until
            )
            committed.append(session_id)
        is_over.set()

    def ask(thread: Process) -> None:
        while not is_over.is_set():
            newest = committed[-1]
            if not thread.knows(newest):
                unknown.append(newest)

    writer = threading.Thread(target=write)
    with process.working():
        changes._feed.learn({committed[0]: int(time.time()) + 300})
        writer.start()
        _threads_of(process, make, 4, ask)
        writer.join(30)
    assert len(committed) == 201
    assert not unknown


def test_a_revocation_holds_at_once_here_whatever_other_threads_clean_up(make: Make):
    process, forgotten = make(), []
    until = int(time.time()) + 300
    process.feed.learn({uuid4(): until for _ in range(1_200)})  # so many that old ones are dropped

    def end_or_look(thread: Process) -> None:
        for _ in range(100):
            session_id = thread.announce()
            if not changes.has_ended(session_id):
                forgotten.append(session_id)
            changes.look()

    _threads_of(process, make, 4, end_or_look)
    assert not forgotten


# Hints, snapshots, failures, forks


def test_a_hint_that_the_feed_is_longer_makes_the_next_look_ask(make: Make):
    writer, reader = make(), make()
    with _staleness(60):
        reader.knows(uuid4())
        ended = writer.announce()
        with reader.working():
            changes.hear_of(_highest_id(writer))
        assert reader.knows(ended)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_hint_that_is_heard_again_costs_nothing(make: Make, is_over):
    writer, reader = make(), make()
    writer.announce()
    if is_over:
        with _by_hand(writer) as cursor:
            cursor.execute("UPDATE authkit_change SET expires_at = 1")
    newest = _highest_id(writer)
    with _staleness(60):
        for _ in range(20):
            with reader.working():
                changes.hear_of(newest)
            reader.knows(uuid4())
    assert reader.queries <= 2


SNAPSHOTS: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": 3},  # psycopg.IsolationLevel.REPEATABLE_READ
    "mysql": {"isolation_level": "repeatable read"},
    "sqlite": {},
}


def test_what_an_old_snapshot_does_not_show_is_not_taken_for_unchanged(make: Make):
    writer, reader = make(), make(**SNAPSHOTS[connection.vendor])
    with _staleness(60):
        reader.begin()
        assert not reader.knows(uuid4())  # the snapshot is taken
        ended = writer.announce()
        assert not reader.knows(ended)
        reader.commit()
        assert reader.knows(ended)


def test_a_look_from_inside_a_transaction_shows_what_was_committed_before_it(make: Make):
    writer, reader = make(), make(**SNAPSHOTS[connection.vendor])
    reader.knows(writer.announce())
    _restart_at_one(writer)
    ended = [writer.announce() for _ in range(3)]
    reader.begin()
    assert reader.knows(*ended)
    reader.commit()
    assert reader.knows(*ended)


def test_a_feed_that_cannot_be_read_raises_until_it_can(make: Make):
    writer, reader = make(), make()
    reader.knows(uuid4())
    ended = writer.announce()

    def fail(*_: object) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    with reader.connection.execute_wrapper(fail):
        for _ in range(3):
            with pytest.raises(DatabaseError):
                reader.knows(ended)
    assert reader.knows(ended)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_starts_from_nothing_and_waits_for_nobody(make: Make):
    parent, child = make(changes._feed), make(changes._feed)
    ended = parent.announce()
    assert parent.knows(ended)

    def ask() -> bool:
        with child.working():
            return not changes.has_ended(ended) and child.knows(ended)

    with changes._feed._lock:  # as if another thread were in the middle of a look
        assert _fork(ask) == 0
    changes._feed.forget()


def _fork(work: Callable[[], bool]) -> int:
    """Let a child do this; its exit status is 0 if the answer was True. It has 30 seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of other tests
        pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
