"""One request through Django and a minimal view, as microseconds over no authentication."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import project
from benchmarks.verdicts import Verdict, show

if TYPE_CHECKING:
    from benchmarks.rounds import Contender, Figure

_BATCH = 20
_WARM_UP = 3


@dataclass(frozen=True)
class Line:
    """What a request of one contender costs: time over its baseline, and queries."""

    name: str
    cost: Figure
    queries: int


def benchmark(options: argparse.Namespace) -> project.Report:
    """Measure everyone, print the tables, and return the figures."""
    from benchmarks.clocks import CLOCKS  # noqa: PLC0415 - Django is set up by now
    from benchmarks.contenders import everyone  # noqa: PLC0415
    from benchmarks.people import make_person  # noqa: PLC0415
    from benchmarks.rounds import Figure, measure  # noqa: PLC0415

    person = make_person()
    unseen = (options.rounds + 4) * (_BATCH + _WARM_UP) + 100
    contenders = everyone(person, unseen=unseen)
    queries = {contender.name: _check(contender, person.pk) for contender in contenders}
    costs = measure(
        contenders,
        rounds=options.rounds,
        batch=_BATCH,
        warm_up=_WARM_UP,
        clock=CLOCKS[options.clock](),
    )
    lines = [Line(name, Figure.of(found), queries[name]) for name, found in costs.items()]
    _show(options, lines)
    verdicts = _verdicts(options.database, {line.name: line for line in lines})
    show(verdicts)
    return {
        "rounds": options.rounds,
        "clock": options.clock,
        "prepare": options.prepare,
        "figures": {line.name: _as_dict(line) for line in lines},
        "verdicts": [verdict.as_dict() for verdict in verdicts],
    }


def _check(contender: Contender, pk: object) -> int:
    """See that a contender does what it says; return how many queries a request makes."""
    from benchmarks.wsgi import Statements  # noqa: PLC0415

    expected = None if "no authentication" in contender.name or "nobody" in contender.name else pk
    counts = []
    with contender.around():
        for _ in range(4):
            with Statements() as statements:
                answer = contender.application(contender.prepare())
            if answer.status != "200 OK" or str(answer.json()["user"]) != str(expected):
                raise RuntimeError(f"{contender.name}: {answer.status} {answer.body[:300]!r}")
            counts.append(statements.count)
    return min(counts)


def _verdicts(database: str, lines: dict[str, Line]) -> list[Verdict]:
    def ratio(promise: str, name: str, peer: str, at_most: float) -> Verdict:
        ours, theirs = lines[name].cost, lines[peer].cost
        return Verdict(promise, ours.middle / theirs.middle, at_most, ours.low / theirs.low)

    def queries(name: str, at_most: int) -> Verdict:
        return Verdict(f"{name}: queries", lines[name].queries, at_most)

    stateless, drf_token = "simplejwt stateless", "DRF token"
    of_drf = 0.25 if database == "sqlite" else 0.5
    found = [
        queries("authkit JWT, seen before", 0),
        queries("authkit token", 1),
        queries("authkit session", 1),
        queries("authkit JWT, stateful", 1),
    ]
    unseen = "authkit JWT, never seen, "
    comparisons = [
        ("authkit JWT, seen before", stateless, 0.2),
        (unseen + "HS256", stateless, 0.4),
        *((unseen + alg, stateless, 0.8) for alg in ("EdDSA", "ES256", "RS256")),
        *((unseen + alg, f"{stateless}, {alg}", 0.8) for alg in ("EdDSA", "ES256", "RS256")),
        ("authkit token", drf_token, of_drf),
        ("authkit session", "Django database session", 0.5),
        ("authkit with its middleware: JWT, seen before", stateless, 0.2),
        ("authkit with its middleware: token", drf_token, of_drf),
        ("authkit with its middleware: session", "Django database session", 0.5),
    ]
    found += [ratio(f"{name} / {peer}", name, peer, most) for name, peer, most in comparisons]
    return found


def _show(options: argparse.Namespace, lines: list[Line]) -> None:
    how = f"{options.clock} clock" + (f", prepared: {options.prepare}" if options.prepare else "")
    print(f"\n{options.database}, {options.rounds} rounds of {_BATCH}, {how}")
    print(f"{'microseconds over no authentication':48} {'median':>8} {'middle half':>18} queries")
    for line in lines:
        print(f"{line.name:48} {line.cost} {line.queries:7}")


def _as_dict(line: Line) -> dict[str, Any]:
    cost = line.cost
    return {
        "median": round(cost.middle, 1),
        "quartiles": [round(cost.low, 1), round(cost.high, 1)],
        "queries": line.queries,
    }


if __name__ == "__main__":
    _options = project.command_line(__doc__, rounds=60).parse_args()
    project.run("benchmarks.authentication", _options, benchmark)
