"""A look-up is planned once where that is safe, and answers rightly where it is not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DataError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from authkit import lookups, sessions, tokens
from authkit.models import BearerToken
from authkit.models.prepared import Parameter, PreparedLookup
from tests.people import make_person
from tests.poolers import indiscreet_pooler, pgbouncer, why_no_pgbouncer

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.vendor("postgresql"), pytest.mark.django_db(transaction=True)]

Opened = Callable[..., "Line"]


class Line:
    """A connection of its own, and a look-up of tokens that is asked over it."""

    def __init__(self, opened: BaseDatabaseWrapper) -> None:
        self.connection = opened
        self.lookup = PreparedLookup(
            lookups._build_by_token, *lookups._BY_TOKEN._parameters, managers=lookups._managers
        )

    def find(self, *values: object) -> Any:
        """What the look-up finds over it."""
        with self.in_place():
            return self.lookup.find("default", *values)

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """What the last of these statements answers."""
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Around what is to be done over it."""
        before = connections["default"]
        connections["default"] = self.connection
        try:
            yield
        finally:
            connections["default"] = before

    @property
    def prepared(self) -> list[str]:
        """The names of look-ups that are prepared over there."""
        query = "SELECT name FROM pg_prepared_statements WHERE name LIKE 'authkit_%'"
        return [name for (name,) in self.run(query)]


@pytest.fixture
def open_line() -> Iterator[Opened]:
    opened = []

    def make(*, options: dict[str, Any] | None = None, **changed: Any) -> Line:
        settings = {**copy.deepcopy(connection.settings_dict), **changed}
        settings["OPTIONS"] = {**settings["OPTIONS"], **(options or {})}
        kind: Any = type(connections["default"])
        opened.append(kind(settings, "default"))
        opened[-1].inc_thread_sharing()
        return Line(opened[-1])

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def person() -> AbstractUser:
    return make_person("ada")


@pytest.fixture
def token(person: AbstractUser) -> Any:
    now = timezone.now()
    return tokens.issue_for(sessions.start(person, "token", now=now), now=now)


@pytest.fixture
def token_id(token: Any) -> str:
    return str(token.id)


@pytest.fixture
def expected(token_id: str) -> Any:
    lookup = PreparedLookup(
        lookups._build_by_token, *lookups._BY_TOKEN._parameters, managers=lookups._managers
    )
    return lookup.find("default", token_id)


@pytest.fixture
def line(open_line: Opened, token_id: str, expected: Any) -> Line:
    """One over which the look-up is prepared."""
    line = open_line()
    for _ in range(3):
        assert line.find(token_id) == expected
    assert len(line.prepared) == 1
    return line


# Straight to the server


def test_a_look_up_is_prepared_when_a_connection_is_used_again(open_line, token_id, expected):
    line = open_line()
    assert line.find(token_id) == expected
    assert line.prepared == []
    for _ in range(10):
        assert line.find(token_id) == expected
        assert line.find("0" * 16) is None
        assert len(line.prepared) == 1


def test_what_is_not_found_says_nothing_about_the_way_there(open_line, token_id, expected):
    line = open_line()
    for _ in range(3):
        assert line.find("0" * 16) is None
    assert line.prepared == []
    assert [line.find(token_id) for _ in range(2)] == [expected] * 2
    assert len(line.prepared) == 1


@pytest.mark.parametrize("made_up", ["'", "'); --", "%s", "%%", "\\", "\\'", "$1", "é", "x" * 99])
def test_a_made_up_id_is_a_value_and_nothing_else(line, made_up):
    assert line.find(made_up) is None
    assert len(line.prepared) == 1


def test_what_a_manager_of_the_project_asks_besides_stays_in_the_query(open_line, person):
    people = type(person)._default_manager

    def build(email: object, key: object) -> Any:
        found = people.filter(is_active=True, email=email, password__contains=F("password"))
        return found.filter(pk=key, is_staff=False).values_list("pk", "email")

    field = type(person)._meta.get_field
    line = open_line()
    line.lookup = PreparedLookup(
        build,
        Parameter(field("email"), "authkit:email"),
        Parameter(field(type(person)._meta.pk.name), placeholder_of(person.pk)),
    )
    for _ in range(3):
        assert line.find(person.email, person.pk) == [person.pk, person.email]
        assert line.find("somebody@else.example", person.pk) is None
    assert len(line.prepared) == 1
    type(person).objects.update(is_staff=True)
    assert line.find(person.email, person.pk) is None


def placeholder_of(key: Any) -> Any:
    return UUID(int=0) if isinstance(key, UUID) else -5


def test_who_reads_along_reads_the_whole_query(line, token_id, expected):
    heard = []

    def listen(execute: Any, sql: str, *more: Any) -> Any:
        heard.append(sql)
        return execute(sql, *more)

    with line.connection.execute_wrapper(listen):
        assert line.find(token_id) == expected
    with CaptureQueriesContext(line.connection) as captured:
        assert line.find(token_id) == expected
    heard += [query["sql"] for query in captured.captured_queries]
    assert len(heard) == 2
    assert all(sql.startswith("SELECT ") for sql in heard)


def test_once_prepared_only_the_name_and_the_id_are_sent(line, token_id, person):
    process = line.connection.connection.info.backend_pid
    line.find(token_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [process])
        (sent,) = cursor.fetchone()
    assert sent.startswith("EXECUTE authkit_")
    assert len(sent) < 60


def test_a_rollback_takes_no_prepared_statement_along(open_line, token_id, expected):
    line = open_line()
    line.run("PREPARE of_the_project AS SELECT 5")
    line.find(token_id)
    with line.in_place(), transaction.atomic():
        assert line.find(token_id) == expected
        transaction.set_rollback(True)
    assert line.find(token_id) == expected
    assert len(line.prepared) == 1
    assert line.run("EXECUTE of_the_project") == [(5,)]


def test_a_new_connection_in_place_of_a_lost_one_starts_anew(open_line, token_id, expected):
    line = open_line(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    for _ in range(2):
        assert line.find(token_id) == expected
    with connection.cursor() as cursor:
        process = line.connection.connection.info.backend_pid
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    line.connection.close_if_unusable_or_obsolete()  # as before each request
    assert line.find(token_id) == expected
    assert line.prepared == []
    assert line.find(token_id) == expected
    assert len(line.prepared) == 1


def test_the_schema_that_is_read_is_the_one_that_the_connection_is_set_to(line, token_id, expected):
    line.run(
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.authkit_bearertoken (LIKE authkit_bearertoken INCLUDING ALL)",
    )
    try:
        line.run("SET search_path TO elsewhere, public")
        assert line.find(token_id) is None
        line.run("SET search_path TO public")
        assert line.find(token_id) == expected
    finally:
        line.run("DROP SCHEMA elsewhere CASCADE")


def test_django_s_own_pool_keeps_what_is_prepared(open_line, token_id, expected):
    pytest.importorskip("psycopg_pool")
    line = open_line(options={"pool": {"min_size": 1, "max_size": 1}}, CONN_MAX_AGE=0)
    try:
        for _ in range(4):
            assert line.find(token_id) == expected
            line.connection.close()  # gives it back, as after each request
        assert len(line.prepared) == 1
    finally:
        line.connection.close()
        line.connection.close_pool()


def test_async_code_asks_likewise(open_line, token_id, expected):
    line = open_line()

    async def ask() -> list[Any]:
        return [await sync_to_async(line.find)(token_id) for _ in range(3)]

    assert async_to_sync(ask)() == [expected] * 3
    assert len(line.prepared) == 1


def test_in_a_pipeline_of_psycopg_a_look_up_answers(open_line, token_id, expected):
    line = open_line()
    for _ in range(2):
        assert line.find(token_id) == expected
        with line.connection.connection.pipeline():
            assert line.find(token_id) == expected


# Where a project says otherwise


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"DISABLE_SERVER_SIDE_CURSORS": True}, {}),
        ({}, {"server_side_binding": True}),
        ({}, {"prepare_threshold": 100}),
    ],
)
def test_a_project_that_says_otherwise_has_nothing_prepared(
    open_line, token_id, expected, changed, options
):
    line = open_line(options=options, **changed)
    for _ in range(4):
        assert line.find(token_id) == expected
    assert line.prepared == []


def test_a_cursor_that_binds_at_the_server_has_nothing_prepared(open_line, token_id, expected):
    psycopg = pytest.importorskip("psycopg")
    line = open_line(options={"cursor_factory": psycopg.Cursor})
    for _ in range(4):
        assert line.find(token_id) == expected
    assert line.prepared == []


# What goes wrong


@contextmanager
def another_type_of_column() -> Iterator[None]:
    as_it_was = BearerToken._meta.get_field("credential_digest").db_type(connection)
    column = "ALTER TABLE authkit_bearertoken ALTER COLUMN credential_digest TYPE"
    with connection.cursor() as cursor:
        cursor.execute(f"{column} text")
        try:
            yield
        finally:
            cursor.execute(f"{column} {as_it_was}")


@contextmanager
def gone_with_all_others(line: Line) -> Iterator[None]:
    line.run("DEALLOCATE ALL")
    yield


@contextmanager
def gone_with_the_session(line: Line) -> Iterator[None]:
    line.run("DISCARD ALL")
    yield


@contextmanager
def planned_for_another_type(line: Line) -> Iterator[None]:
    with another_type_of_column():
        yield
        line.connection.close()


@contextmanager
def taken_by_another(line: Line) -> Iterator[None]:
    (name,) = line.prepared
    line.connection.close()
    line.find("0" * 16)  # opens it
    line.run(f"PREPARE {name} AS SELECT 5")
    yield


MISHAPS = [gone_with_all_others, gone_with_the_session, planned_for_another_type]


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_look_up_whose_preparing_was_in_vain_is_asked_once_more(line, token_id, expected, mishap):
    with mishap(line):
        for _ in range(3):
            assert line.find(token_id) == expected
        assert line.find("0" * 16) is None
        line.run("DEALLOCATE ALL")
        assert line.find(token_id) == expected
        assert line.prepared == []  # never again over this connection


@pytest.mark.parametrize("mishap", MISHAPS)
def test_within_a_transaction_no_name_is_relied_on(line, token_id, expected, mishap):
    with mishap(line), line.in_place(), transaction.atomic():
        assert line.find(token_id) == expected


def test_a_name_that_is_there_already_is_left_alone(line, token_id, expected):
    with taken_by_another(line):
        for _ in range(3):
            assert line.find(token_id) == expected
        assert len(line.prepared) == 1


def test_a_statement_of_somebody_else_under_the_name_is_not_believed(line, token_id, expected):
    (name,) = line.prepared
    columns = ", ".join(["'forged'"] * len(expected))
    line.run(f"DEALLOCATE {name}", f"PREPARE {name} (text) AS SELECT {columns}, 5")
    for _ in range(3):
        assert line.find(token_id) == expected


def test_a_request_within_a_transaction_is_answered_whatever_became_of_the_name(line, token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.text}")
    with line.in_place():
        for _ in range(2):
            assert client.get("/auth/me/").status_code == 200
        line.run("DEALLOCATE ALL")
        with transaction.atomic():
            assert client.get("/auth/me/").status_code == 200
        assert client.get("/auth/me/").status_code == 200


def test_a_moment_that_python_does_not_know_fails_as_it_does_in_the_orm(line, token_id, person):
    model = type(person)
    line.run(f"UPDATE {model._meta.db_table} SET last_login = 'infinity'")
    with pytest.raises(DataError):
        model.objects.get(pk=person.pk)
    with pytest.raises(DataError):
        line.find(token_id)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "UTC"])
def test_a_moment_is_the_same_wherever_the_connection_is(open_line, token_id, expected, zone):
    line = open_line(TIME_ZONE=zone)
    for _ in range(3):
        found = line.find(token_id)
        assert found == expected
        assert found[2].tzinfo is line.connection.timezone


# Poolers

needs_pgbouncer = pytest.mark.skipif(bool(why_no_pgbouncer()), reason=why_no_pgbouncer())


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
def test_behind_pgbouncer_nothing_is_prepared(open_line, token_id, expected, mode):
    with pgbouncer(mode, size=2) as where:
        lines = [open_line(**where) for _ in range(2)]
        for _ in range(10):
            for line in lines:
                assert line.find(token_id) == expected
                assert line.find("0" * 16) is None
        for line in lines:
            assert line.prepared == []
            line.connection.close()


@needs_pgbouncer
def test_behind_pgbouncer_many_share_a_few_processes_of_the_server(open_line, token_id, expected):
    def ask(line: Line) -> None:
        connections["default"] = line.connection  # of this thread
        for _ in range(30):
            assert line.lookup.find("default", token_id) == expected
            with transaction.atomic():
                assert line.lookup.find("default", token_id) == expected

    with pgbouncer("transaction", size=2) as where:
        lines = [open_line(**where) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(ask, lines))
        assert [line.prepared for line in lines] == [[]] * 6
        for line in lines:
            line.connection.close()


def test_a_pooler_that_hands_on_the_server_s_number_is_found_out(open_line, token_id, expected):
    with indiscreet_pooler() as where:
        line = open_line(**where)
        wait_for_the_turn_of_the_first(line)
        for _ in range(10):
            assert line.find(token_id) == expected
            assert line.find(token_id) == expected
            assert line.find("0" * 16) is None
        assert line.run(BY_NAME) == [(0,)]
        line.connection.close()


BY_NAME = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%EXECUTE authkit_%'
    AND pid <> pg_backend_pid()
"""


def wait_for_the_turn_of_the_first(line: Line) -> None:
    for _ in range(2):
        ((process,),) = line.run("SELECT pg_backend_pid()")
        if process != line.connection.connection.info.backend_pid:
            return
    raise AssertionError("they do not take turns")
