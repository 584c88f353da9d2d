"""A demo that runs. It has Django's default user, whatever the test run has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.demo.server import MANAGE, Server, running, scratch_database

collect_ignore_glob = [] if settings.USER_MODEL == "default" else ["test_*.py"]

# What imports the demo's models would not import with another user model.
if not collect_ignore_glob:
    from tests.demo.client import Client


ANNOUNCES = r"(http://127\.0\.0\.1:\d+/)"
RENEW_AFTER = 180  # seconds; access tokens of the demo live for 300


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[str]:
    """An empty database for the demo of this test run."""
    with (
        django_db_blocker.unblock(),
        scratch_database(tmp_path_factory.mktemp("database")) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`manage.py demo`. In the end it must not have answered anything with a 5xx."""
    log: Path = tmp_path_factory.mktemp("demo") / "log"
    command = [*MANAGE, "demo", "--port", "0"]
    with running(command, database_url=database_url, log=log, announces=ANNOUNCES) as started:
        yield started
    assert "Traceback" not in log.read_text()
    assert '" 50' not in log.read_text()
    assert started.process.returncode == 0


@pytest.fixture(scope="module")
def client_of(server: Server) -> Callable[[str, str], Client]:
    """``client_of("alice", "jwt")``: signed in once for a module. "stranger" is nobody."""
    known: dict[tuple[str, str], tuple[float, Client]] = {}

    def find(username: str, kind: str) -> Client:
        if username == "stranger":
            return Client(server.url)
        since, client = known.get((username, kind), (0.0, None))
        if client is None or time.monotonic() - since > RENEW_AFTER:
            client = Client(server.url).sign_in(username, kind)
            known[username, kind] = time.monotonic(), client
        return client

    return find
