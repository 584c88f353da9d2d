"""`manage.py demo` as a person runs it, and the demo under gunicorn."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_project.showcase.people import PASSWORD, PEOPLE
from tests.demo.client import Client
from tests.demo.conftest import ANNOUNCES
from tests.demo.server import MANAGE, PATIENCE, Server, manage, running

pytestmark = pytest.mark.slow


@pytest.fixture
def empty_database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


def test_it_says_whom_to_sign_in_as_and_where(server: Server):
    said = server.log.read_text()
    assert server.url in said
    assert PASSWORD in said
    assert all(person.username in said for person in PEOPLE)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_without_a_complaint(stop: signal.Signals, empty_database: str, tmp_path: Path):
    command = [*MANAGE, "demo", "--port", "0"]
    log = tmp_path / "log"
    # On the database of another demo it would make Demo ID its own.
    with running(command, database_url=empty_database, log=log, announces=ANNOUNCES) as demo:
        demo.process.send_signal(stop)
        assert demo.process.wait(PATIENCE) == 0
    assert "Traceback" not in log.read_text()


def test_a_port_that_is_taken_is_told_in_one_line_before_anything_is_done(
    server: Server, empty_database: str, tmp_path: Path
):
    port = server.url.rpartition(":")[2]
    ended = manage("demo", "--port", port, database_url=empty_database)
    assert ended.returncode != 0
    assert ended.stderr.count("\n") == 1
    assert f"Port {port} cannot be used" in ended.stderr
    assert not (tmp_path / "empty.sqlite3").exists()


def test_a_port_that_is_none_is_refused(empty_database: str):
    assert manage("demo", "--port", "http", database_url=empty_database).returncode != 0
    assert manage("demo", "--port", "65536", database_url=empty_database).returncode != 0


def test_a_database_that_does_not_answer_is_told_in_one_line():
    ended = manage("demo", "--no-serve", database_url="sqlite:////nowhere/at/all.sqlite3")
    assert ended.returncode != 0
    assert ended.stderr.count("\n") == 1
    assert "database" in ended.stderr


def test_nothing_that_it_uses_is_on_its_way_out(empty_database: str):
    filters = [
        "error::DeprecationWarning",
        "error::PendingDeprecationWarning",
        "ignore:defusedxml.cElementTree is deprecated:DeprecationWarning",  # of python3-openid
    ]
    ended = manage("check", database_url=empty_database, PYTHONWARNINGS=",".join(filters))
    assert ended.returncode == 0, ended.stderr


def test_without_debug_there_is_no_demo_and_no_known_secret(empty_database: str):
    without_key = manage("check", database_url=empty_database, DEBUG="0")
    assert without_key.returncode != 0
    assert "set SECRET_KEY" in without_key.stderr
    key = "a long random text that is in no repository, or so one hopes"
    with_key = {"DEBUG": "0", "SECRET_KEY": key}
    assert manage("check", database_url=empty_database, **with_key).returncode == 0
    ended = manage("demo", "--no-serve", database_url=empty_database, **with_key)
    assert ended.returncode != 0
    assert "DEBUG is off" in ended.stderr


@pytest.fixture(scope="module")
def workers(
    server: Server, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The demo in three processes, on the database that `server` has prepared."""
    command = [
        sys.executable,
        *("-m", "gunicorn", "demo_project.wsgi", "--bind", "127.0.0.1:0", "--workers", "3"),
    ]
    log = tmp_path_factory.mktemp("workers") / "log"
    announces = r"Listening at: (http://127\.0\.0\.1:\d+)"
    with running(command, database_url=database_url, log=log, announces=announces) as started:
        yield started


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_several_workers_behave_like_one(kind: str, workers: Server):
    client = Client(workers.url).sign_in("uma", kind)
    assert {client.get("/api/profile/").status for _ in range(30)} == {200}
    assert client.call("DELETE", "/auth/sessions/").status == 204
    time.sleep(1.1)  # MAX_STALENESS
    assert {client.get("/api/profile/").status for _ in range(30)} == {401}


def test_gunicorn_shows_the_page_with_its_style(workers: Server):
    stranger = Client(workers.url)
    assert "Three ways in" in stranger.get("/").text
    assert stranger.get("/static/showcase/page.css").status == 200
