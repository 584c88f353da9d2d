"""Sign-in beside the bare hash of a password, and refresh beside simplejwt's."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import project
from benchmarks.verdicts import Verdict, show

if TYPE_CHECKING:
    from benchmarks.rounds import Contender
    from benchmarks.wsgi import Answer, Application, Environ

_REFRESHES_PER_ROUND = 10
_CSRF = "c" * 32
_DOORS = {
    "authkit session": "/auth/session/",
    "authkit token": "/auth/token/",
    "authkit JWT": "/auth/jwt/",
    "DRF token": "/drf/",
    "simplejwt": "/simplejwt/",
}


def benchmark(options: argparse.Namespace) -> project.Report:
    """Measure, print the tables, and return the figures."""
    from benchmarks.people import make_person  # noqa: PLC0415 - Django is set up by now
    from benchmarks.wsgi import Application  # noqa: PLC0415

    person = make_person()
    application = Application("authkit")
    print(f"\n{options.database}, {options.rounds} rounds")
    signing_in = _sign_in(application, person, options.rounds)
    refreshing = _refresh(application, options)
    verdicts = _verdicts(signing_in, refreshing)
    show(verdicts)
    return {
        "rounds": options.rounds,
        "sign_in": signing_in,
        "refresh": refreshing,
        "verdicts": [verdict.as_dict() for verdict in verdicts],
    }


def _sign_in(application: Application, person: Any, rounds: int) -> dict[str, dict[str, float]]:
    """For each door: queries, milliseconds in all, in the hash and besides it, and hashes."""
    from django.contrib.auth.hashers import check_password  # noqa: PLC0415

    from benchmarks.hashing import clock  # noqa: PLC0415
    from benchmarks.people import PASSWORD  # noqa: PLC0415
    from benchmarks.wsgi import Statements, environ  # noqa: PLC0415

    found: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in _DOORS}
    bare: list[float] = []
    for _ in range(rounds):
        clock.reset()
        check_password(PASSWORD, person.password)
        bare.append(clock.microseconds / 1000)
        for name, path in _DOORS.items():
            request = environ(path, headers=_headers(name), data=_credentials(PASSWORD))
            clock.reset()
            with Statements() as statements:
                took = _timed(application, request)
            found[name].append((took, clock.microseconds / 1000, clock.calls, statements.count))
    print(f"\n{'sign-in, milliseconds':24} {'all':>8} {'hash':>8} {'besides':>8} hashes queries")
    print(f"{'the bare Argon2id hash':24} {median(bare):8.2f} {median(bare):8.2f}")
    figures = {name: _summary(rows) for name, rows in found.items()}
    for name, of in figures.items():
        times = f"{of['all']:8.2f} {of['hash']:8.2f} {of['besides']:8.2f}"
        print(f"{name:24} {times} {of['hashes']:6} {of['queries']:7}")
    return figures


def _refresh(application: Application, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """For each of the two: queries and milliseconds of one refresh."""
    from benchmarks.clocks import CLOCKS  # noqa: PLC0415
    from benchmarks.people import PASSWORD  # noqa: PLC0415
    from benchmarks.rounds import Figure, measure  # noqa: PLC0415
    from benchmarks.wsgi import Statements, environ  # noqa: PLC0415

    def contender(name: str, door: str) -> Contender:
        answer = application(environ(door, data=_credentials(PASSWORD)))
        return _chain(application, name, door + "refresh/", answer)

    contenders = [contender("authkit", "/auth/jwt/"), contender("simplejwt", "/simplejwt/")]
    queries = {}
    clock = CLOCKS[options.clock]()
    for one in contenders:
        one.run(clock)
        with Statements() as statements:
            one.run(clock)
        queries[one.name] = statements.count
    times = measure(
        contenders, rounds=options.rounds, batch=_REFRESHES_PER_ROUND, warm_up=1, clock=clock
    )
    print(f"\n{'refresh, microseconds':24} {'median':>8} {'middle half':>18} queries")
    for name, found in times.items():
        print(f"{name:24} {Figure.of(found)} {queries[name]:7}")
    return {
        name: {"milliseconds": round(median(found) / 1000, 3), "queries": queries[name]}
        for name, found in times.items()
    }


def _chain(application: Application, name: str, path: str, answer: Answer) -> Contender:
    """Somebody who refreshes with the token that the refresh before has given."""
    from benchmarks.rounds import Contender  # noqa: PLC0415
    from benchmarks.wsgi import environ  # noqa: PLC0415

    held = [_refresh_token_in(answer)]

    def prepare() -> Environ:
        return environ(path, data={"refresh": held[0]})

    def learn(answer: Answer) -> None:
        held[0] = _refresh_token_in(answer)

    return Contender(name, application, prepare, learn=learn)


def _refresh_token_in(answer: Answer) -> str:
    if answer.status != "200 OK":
        raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    return str(answer.json()["refresh"])


def _verdicts(
    signing_in: dict[str, dict[str, float]], refreshing: dict[str, dict[str, float]]
) -> list[Verdict]:
    found = []
    for name in ("authkit session", "authkit token", "authkit JWT"):
        one = signing_in[name]
        found.append(Verdict(f"sign-in, {name}: hashes", one["hashes"], 1))
        found.append(
            Verdict(
                f"sign-in, {name}: besides the hash / the hash", one["besides"] / one["hash"], 0.1
            )
        )
    ours, theirs = refreshing["authkit"], refreshing["simplejwt"]
    found.append(Verdict("refresh: queries", ours["queries"], 3))
    ratio = ours["milliseconds"] / theirs["milliseconds"]
    found.append(Verdict("refresh / simplejwt with rotation and blacklist", ratio, 1))
    return found


def _timed(application: Callable[[Environ], Answer], request: Environ) -> float:
    began = time.perf_counter_ns()
    answer = application(request)
    took = (time.perf_counter_ns() - began) / 1_000_000
    if answer.status != "200 OK":
        raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    return took


def _summary(rows: list[tuple[float, float, int, int]]) -> dict[str, float]:
    return {
        "all": round(median(row[0] for row in rows), 3),
        "hash": round(median(row[1] for row in rows), 3),
        "besides": round(median(row[0] - row[1] for row in rows), 3),
        "hashes": max(row[2] for row in rows),
        "queries": int(median(row[3] for row in rows)),
    }


def _headers(name: str) -> dict[str, str]:
    if name != "authkit session":
        return {}
    return {"Cookie": f"csrftoken={_CSRF}", "X-CSRFToken": _CSRF}


def _credentials(password: str) -> dict[str, str]:
    return {"username": "ada", "password": password}


if __name__ == "__main__":
    _options = project.command_line(__doc__, rounds=15).parse_args()
    project.run("benchmarks.sign_in", _options, benchmark)
