"""What it takes to decide who may do what: a request, a direct question, an object, a list.

``python -m benchmarks access --clock processor``. Microseconds; a request's are those over
the same view with Django REST framework's `IsAuthenticated` and the same credential.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from benchmarks import project
from benchmarks.verdicts import Verdict, show

if TYPE_CHECKING:
    from benchmarks.access_requests import Compiled
    from benchmarks.rounds import Contender, Figure

_SMALL, _LARGE = "10 rules", "100,000 rules"


def benchmark(options: argparse.Namespace) -> project.Report:
    """Measure everything, print the tables, and return the figures."""
    from benchmarks import access_objects, access_requests  # noqa: PLC0415 - Django is set up
    from benchmarks.papers import rows  # noqa: PLC0415
    from benchmarks.people import make_person  # noqa: PLC0415

    person = make_person()
    rows.make_roles()
    compiled, seconds = _compiled(rows)
    print(f"\n{options.database}, {options.rounds} rounds, {options.clock} clock")
    print(f"compiling 100,000 rules of 1,000 roles, with reading them: {seconds['all']:.2f} s")
    print(f"  of which compiling alone: {seconds['compiling']:.2f} s")
    direct = {
        size: _directly(access_requests.deciding_by, policy, person)
        for size, policy in compiled.items()
    }
    for size, found in direct.items():
        print(f"directly, {size}: " + ", ".join(f"{n} {us:.1f} µs" for n, us in found.items()))
    rows.forget_when_last_seen()
    requests = access_requests.everyone(person, compiled)
    rows.forget_when_last_seen()
    figures, queries = _measured(options, requests, _queries_of_request, batch=20)
    rows.make_papers(options.papers, seen=options.papers // 10)
    more = _measured(options, access_objects.everyone(person), access_objects.queries_of, batch=3)
    figures, queries = figures | more[0], queries | more[1]
    _show(figures, queries)
    verdicts = list(_verdicts(figures, queries, direct, seconds))
    show(verdicts)
    return {
        "rounds": options.rounds,
        "clock": options.clock,
        "seconds": seconds,
        "direct": direct,
        "figures": {
            name: {"median": round(its.middle, 1), "queries": queries[name]}
            for name, its in figures.items()
        },
        "verdicts": [verdict.as_dict() for verdict in verdicts],
    }


def _compiled(rows: Any) -> tuple[Compiled, dict[str, float]]:
    from django.conf import settings  # noqa: PLC0415

    from authkit.access import loading  # noqa: PLC0415

    compiled = {_SMALL: loading.load("default", settings.ROOT_URLCONF)}
    rows.fill_up_to(rules=100_000, roles=1_000)
    began = time.thread_time()
    compiled[_LARGE] = loading.load("default", settings.ROOT_URLCONF)
    whole = time.thread_time() - began
    rules = loading._rules("default")
    endpoints = loading.endpoints("default", settings.ROOT_URLCONF)
    began = time.thread_time()
    loading.compile_policy(loading._roles("default"), rules, endpoints)
    return compiled, {"all": whole, "compiling": time.thread_time() - began}


def _directly(deciding_by: Any, policy: Any, person: Any) -> dict[str, float]:
    """Microseconds of the processor for one question, the median of many rounds."""
    from statistics import median  # noqa: PLC0415

    from authkit import changes  # noqa: PLC0415
    from authkit.access import decide, questions  # noqa: PLC0415

    ways = {
        "access.decide": lambda: decide(person, "papers.list:GET"),
        "questions.ask": lambda: questions.ask(person, "papers.list", "GET", grant=None),
    }
    changes.look()
    found = {}
    with deciding_by(policy):
        for name, ask in ways.items():
            if not ask():
                raise RuntimeError(f"{name}: {ask()}")
            found[name] = median(_clock(ask) for _ in range(60))
    return found


def _clock(ask: Any, calls: int = 1000) -> float:
    began = time.thread_time_ns()
    for _ in range(calls):
        ask()
    return (time.thread_time_ns() - began) / calls / 1000


def _measured(
    options: argparse.Namespace, contenders: list[Contender], queries_of: Any, *, batch: int
) -> tuple[dict[str, Figure], dict[str, int]]:
    from benchmarks.clocks import CLOCKS  # noqa: PLC0415
    from benchmarks.rounds import Figure, measure  # noqa: PLC0415

    queries = {contender.name: queries_of(contender) for contender in contenders}
    clock = CLOCKS[options.clock]()
    costs = measure(contenders, rounds=options.rounds, batch=batch, warm_up=1, clock=clock)
    return {name: Figure.of(found) for name, found in costs.items()}, queries


def _queries_of_request(contender: Contender) -> int:
    from benchmarks.wsgi import Statements  # noqa: PLC0415

    counts = []
    with contender.around():
        for _ in range(4):
            with Statements() as statements:
                answer = contender.application(contender.prepare())
            if answer.status != "200 OK":
                raise RuntimeError(f"{contender.name}: {answer.status} {answer.body[:300]!r}")
            counts.append(statements.count)
    return min(counts)


def _show(figures: dict[str, Figure], queries: dict[str, int]) -> None:
    print(f"\n{'microseconds':48} {'median':>8} {'middle half':>18} queries")
    for name, figure in figures.items():
        print(f"{name:48} {figure} {queries[name]:7}")


def _verdicts(
    figures: dict[str, Figure],
    queries: dict[str, int],
    direct: dict[str, dict[str, float]],
    seconds: dict[str, float],
) -> Any:
    def ratio(name: str, peer: str, at_most: float) -> Verdict:
        ours, theirs = figures[name], figures[peer]
        most = ours.middle / theirs.middle
        return Verdict(f"{name} / {peer}", most, at_most, ours.low / theirs.low)

    for size, found in direct.items():
        for name, us in found.items():
            yield Verdict(f"{name}, {size}: µs", us, 10)
    for name, us in direct[_SMALL].items():
        yield Verdict(f"{name}, {_LARGE} / {_SMALL}", direct[_LARGE][name] / us, 1.15)
    for kind in ("JWT", "token", "session"):
        most = queries[f"IsAuthenticated, {kind}"]
        yield Verdict(f"{kind}: queries of a request", queries[f"authkit {kind}, {_LARGE}"], most)
    for way in ("own", "shared"):
        yield Verdict(f"check, {way}: queries", queries[f"check: authkit, {way}"], 1)
        yield Verdict(f"page, {way}: queries", queries[f"first 20: authkit, {way}"], 1)
        yield ratio(f"check: authkit, {way}", "check: guardian", 0.25)
        yield ratio(f"first 20: authkit, {way}", "first 20: guardian", 0.2)
        yield ratio(f"count: authkit, {way}", "count: guardian", 0.2)
    yield Verdict("compiling 100,000 rules: s", seconds["all"], 5)


if __name__ == "__main__":
    _parser = project.command_line(__doc__, rounds=30)
    _parser.add_argument("--papers", type=int, default=100_000, help="default: %(default)s")
    project.run(
        "benchmarks.access", _parser.parse_args(), benchmark, settings="benchmarks.papers.settings"
    )
