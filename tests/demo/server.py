"""The demo as a process of its own: `manage.py demo`, or gunicorn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, "manage.py"]
PATIENCE = 60  # seconds, for a machine that is busy with other tests


@dataclass
class Server:
    """A demo that answers at `url`, until its process is told to stop."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def environment(database_url: str, **more: str) -> dict[str, str]:
    """What a demo's process is started with: this database, and nothing of the test run's."""
    ours = {"DEBUG", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {**inherited, "DATABASE_URL": database_url, **more}


def manage(*arguments: str, database_url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the demo's manage.py to its end."""
    return subprocess.run(
        [*MANAGE, *arguments],
        cwd=ROOT,
        env=environment(database_url, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def running(
    command: list[str], *, database_url: str, log: Path, announces: str
) -> Iterator[Server]:
    """Start a server, wait until it says where it is, and stop it in the end.

    Args:
        command: what to run.
        database_url: the database that it works on.
        log: where its output goes.
        announces: a regular expression whose group is the address that it prints.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(database_url, PYTHONUNBUFFERED="1"),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(_address_in(log, process, announces), process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _address_in(log: Path, process: subprocess.Popen[bytes], announces: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(announces, log.read_text())
        if found:
            return found[1].rstrip("/")
        time.sleep(0.05)
    raise RuntimeError(f"The demo did not start: {log.read_text()}")


@contextmanager
def scratch_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database beside the one of the test run, gone afterwards."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'demo.sqlite3'}"
        return
    name = f"authkit_demo_{uuid4().hex[:12]}"
    charset = " CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}{charset}")
    try:
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
