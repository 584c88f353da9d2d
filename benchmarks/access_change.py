"""One rule of 100,000 is changed while several processes answer requests.

``python -m benchmarks access_change --database postgresql``. How long the longest answer
took while nothing changed and around each change, and how long after a change every
process decided by it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from benchmarks import project

_PATIENCE = 30


def benchmark(options: argparse.Namespace) -> project.Report:
    """Start the processes, ask them all the time, and change a rule now and then."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - Django is set up by now
    from django.utils import timezone  # noqa: PLC0415

    from authkit import sessions, tokens  # noqa: PLC0415
    from benchmarks.papers import rows  # noqa: PLC0415

    person = User.objects.create_user("ada")
    User.objects.create_user("bob")
    rows.make_roles()
    rows.fill_up_to(rules=options.rules, roles=1_000)
    rows.make_papers(40, seen=20)
    now = timezone.now()
    token = tokens.issue_for(sessions.start(person, "token", now=now), now=now).text
    with _gunicorn(options.workers) as address:
        clients = [_Client(address, token) for _ in range(2 * options.workers)]
        try:
            report = _watch(clients, options)
        finally:
            for client in clients:
                client.is_over = True
            for client in clients:
                client.join()
    return report


def _watch(clients: list[_Client], options: argparse.Namespace) -> project.Report:
    from authkit.models import Role, Rule  # noqa: PLC0415

    reader = Role.objects.get(slug="reader")
    for client in clients:
        client.start()
    _await(clients, 200)  # each process compiles first
    quiet_from = time.monotonic()
    time.sleep(5)
    quiet = [_longest(clients, quiet_from, time.monotonic())]
    around, known_after = [], []
    for number in range(options.rounds):
        changed_at = time.monotonic()
        if number % 2 == 0:
            Rule.objects.create(role=reader, effect="deny", endpoints="papers.own", actions="list")
            expected = 403
        else:
            Rule.objects.get(role=reader, effect="deny", endpoints="papers.own").delete()
            expected = 200
        _await(clients, expected)
        known_after.append(time.monotonic() - changed_at)
        time.sleep(2)
        around.append(_longest(clients, changed_at, time.monotonic()))
    answers = [took for client in clients for _, took in client.answers]
    slow = quantiles(answers, n=1000)
    print(f"\n{options.database}, {options.workers} workers, {options.rules:,} rules")
    print(f"answers: {len(answers):,}, median {median(answers) * 1000:.1f} ms")
    print(f"99 %: {slow[989] * 1000:.0f} ms, 99.9 %: {slow[998] * 1000:.0f} ms")
    print(f"longest answer while nothing changes: {quiet[0] * 1000:.0f} ms")
    print("longest answer around a change, ms: " + _in_ms(around))
    print("every process decides by it after, ms: " + _in_ms(known_after))
    return {"quiet": quiet, "around": around, "known_after": known_after, "slow": slow[998]}


def _await(clients: list[_Client], expected: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while any(client.status != expected for client in clients):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{[client.status for client in clients]}, not {expected}")
        time.sleep(0.01)


def _in_ms(seconds: list[float]) -> str:
    return ", ".join(f"{each * 1000:.0f}" for each in seconds)


def _longest(clients: list[_Client], since: float, until: float) -> float:
    return max(
        took for client in clients for ended, took in client.answers if since < ended < until
    )


class _Client(threading.Thread):
    """Somebody who asks one process, again and again."""

    def __init__(self, address: str, token: str) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}"}
        self.answers: list[tuple[float, float]] = []
        self.status = 0
        self.is_over = False

    def run(self) -> None:
        connection = HTTPConnection(self._address, timeout=_PATIENCE)
        while not self.is_over:
            began = time.monotonic()
            connection.request("GET", "/papers/own/", headers=self._headers)
            response = connection.getresponse()
            response.read()
            ended = time.monotonic()
            self.answers.append((ended, ended - began))
            self.status = response.status
            time.sleep(0.02)
        connection.close()


@contextmanager
def _gunicorn(workers: int) -> Iterator[str]:
    command = [
        *(sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()"),
        *("--workers", str(workers), "--worker-class", "gthread", "--threads", "4"),
        *("--bind", "127.0.0.1:0", "--keep-alive", "60"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process: Any = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=dict(os.environ)
            )
        try:
            yield _address_in(log, process)
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _address_in(log: Path, process: Any) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return urlsplit(found[1]).netloc
        time.sleep(0.05)
    raise RuntimeError(log.read_text())


if __name__ == "__main__":
    _parser = project.command_line(__doc__, rounds=4)
    _parser.add_argument("--rules", type=int, default=100_000, help="default: %(default)s")
    _parser.add_argument("--workers", type=int, default=2, help="default: %(default)s")
    project.run(
        "benchmarks.access_change",
        _parser.parse_args(),
        benchmark,
        settings="benchmarks.papers.settings",
    )
