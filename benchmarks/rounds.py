"""Measuring in rounds, so that whatever else the machine does touches everyone alike.

In each round every contender is asked once, in a new order: a few requests that are not
timed and then a batch that is, each request by itself. A contender with a baseline takes
turns with it, request by request, so that both see the same machine; its cost in that
round is the median of its own requests less the median of the baseline's. What is reported
is the median over all rounds, and the middle half of them.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.clocks import Clock
from benchmarks.wsgi import Answer, Environ


@dataclass
class Contender:
    """Someone whose requests are timed.

    Attributes:
        name: as it stands in the tables.
        application: Django with the middleware that it needs.
        prepare: makes the next request; not timed.
        baseline: whose time is subtracted from its own.
        learn: reads an answer, perhaps for the next request; not timed.
        around: holds for a batch, for settings of its own.
    """

    name: str
    application: Callable[[Environ], Answer]
    prepare: Callable[[], Environ]
    baseline: Contender | None = None
    learn: Callable[[Answer], None] = lambda _: None
    around: Callable[[], AbstractContextManager[object]] = nullcontext

    def run(self, clock: Clock) -> float:
        """One request, in microseconds."""
        request = self.prepare()
        began = clock.now()
        answer = self.application(request)
        ended = clock.now()
        self.learn(answer)
        return (ended - began) / 1000


@dataclass(frozen=True)
class Figure:
    """The median over rounds and the middle half of them, in microseconds."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        low, _, high = quantiles(values, n=4)
        return cls(median(values), low, high)

    def __str__(self) -> str:
        return f"{self.middle:8.1f} {f'{self.low:.1f} to {self.high:.1f}':>18}"


def measure(
    contenders: Sequence[Contender], *, rounds: int, batch: int, warm_up: int, clock: Clock
) -> dict[str, list[float]]:
    """What each round says of each contender, in microseconds over its baseline."""
    order = random.Random(2026)
    costs: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        _cost(contender, 2 * batch, 0, clock)
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for contender in order.sample(contenders, len(contenders)):
            costs[contender.name].append(_cost(contender, batch, warm_up, clock))
    gc.unfreeze()
    return costs


def _cost(contender: Contender, batch: int, warm_up: int, clock: Clock) -> float:
    with contender.around():
        for _ in range(warm_up):
            contender.run(clock)
        gc.collect()
        gc.disable()
        try:
            return _cost_now(contender, batch, clock)
        finally:
            gc.enable()


def _cost_now(contender: Contender, batch: int, clock: Clock) -> float:
    baseline = contender.baseline
    of_database = clock.of_database()
    if baseline is None:
        cost = median(contender.run(clock) for _ in range(batch))
    else:
        pairs, of_baseline = [], 0
        for _ in range(batch):
            before = clock.of_database()
            its = baseline.run(clock)
            of_baseline += clock.of_database() - before
            pairs.append((its, contender.run(clock)))
        cost = median(own for _, own in pairs) - median(other for other, _ in pairs)
        of_database += 2 * of_baseline  # once as it is not ours, once as it is taken off
    return cost + (clock.of_database() - of_database) / batch / 1000
