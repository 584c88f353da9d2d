"""In whatever order several processes begin, commit, roll back and die: who looks, knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import override_settings
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.races.processes import Process, database_for_processes

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db]

PROCESSES = 3
which = strategies.integers(0, PROCESSES - 1)
how_many = strategies.sampled_from([1, 1, 1, 2, 3, 250])


class Schedule(RuleBasedStateMachine):
    """Sessions end in transactions of several processes, and all of them look."""

    processes: ClassVar[list[Process]]

    def __init__(self) -> None:
        super().__init__()
        self.committed: set[UUID] = set()
        self.undone: set[UUID] = set()
        self.open: list[list[set[UUID]]] = [[] for _ in self.processes]

    @rule(n=which, count=how_many)
    def begin(self, n: int, count: int) -> None:
        if self._may_write(n) and len(self.open[n]) < 3:
            self.processes[n].begin()
            self.open[n].append(set())
            self.end_sessions(n, count)

    @rule(n=which, count=how_many)
    def end_sessions(self, n: int, count: int) -> None:
        if not self._may_write(n):
            return
        ended = {uuid4() for _ in range(count)}
        self.processes[n].announce(*ended)
        (self.open[n][-1] if self.open[n] else self.committed).update(ended)

    @rule(n=which)
    def commit(self, n: int) -> None:
        if self.open[n]:
            self.processes[n].commit()
            ended = self.open[n].pop()
            (self.open[n][-1] if self.open[n] else self.committed).update(ended)

    @rule(n=which)
    def roll_back(self, n: int) -> None:
        if self.open[n]:
            self.processes[n].roll_back()
            self.undone |= self.open[n].pop()

    @rule(n=which)
    def die(self, n: int) -> None:
        self.processes[n].die()
        self.undone = self.undone.union(*self.open[n])
        self.open[n].clear()
        self.look(n)

    @rule(n=which)
    def empty_the_table(self, n: int) -> None:
        """As if all of it had been pruned; who starts afterwards need not know."""
        if not self.open[n] and self._may_write(n):
            self.processes[n].empty_the_feed()
            self.committed.clear()

    @rule()
    def everybody_looks(self) -> None:
        for n in range(PROCESSES):
            self.look(n)

    @rule(n=which)
    def look(self, n: int) -> None:
        own = set().union(*self.open[n])
        others = set().union(*(s for m, stack in enumerate(self.open) if m != n for s in stack))
        known = self.processes[n].known_among(own | others | self.committed | self.undone)
        assert known >= own
        assert not known & (others | self.undone)
        if not self.open[n] or connection.vendor == "postgresql":
            assert known >= self.committed

    def teardown(self) -> None:
        for process in self.processes:
            process.die()
        self.processes[0].empty_the_feed()

    def _may_write(self, n: int) -> bool:
        """In SQLite, one writes at a time."""
        has_others = any(stack for m, stack in enumerate(self.open) if m != n)
        return connection.vendor != "sqlite" or not has_others


@pytest.fixture
def schedule(db: None, tmp_path: Path) -> Any:
    exact = override_settings(AUTHKIT={"MAX_STALENESS": 0})
    with exact, database_for_processes(tmp_path) as make:

        class OfThisTest(Schedule):
            processes: ClassVar = [make() for _ in range(PROCESSES)]

        yield OfThisTest


def test_who_looks_after_a_commit_knows_it_and_believes_nothing_that_was_undone(schedule: Any):
    run_state_machine_as_test(schedule, settings=settings(stateful_step_count=30))
