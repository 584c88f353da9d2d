"""Attacks on what PostgreSQL is told to prepare: it answers as if it had been asked in full."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from authkit import lookups
from authkit.models.prepared import PreparedLookup
from tests.poolers import pgbouncer
from tests.test_preparing import (  # noqa: F401
    Line,
    expected,
    line,
    open_line,
    person,
    token,
    token_id,
)

pytestmark = [pytest.mark.vendor("postgresql"), pytest.mark.django_db(transaction=True)]
# ruff: noqa: F811

TABLE = "authkit_bearertoken"
READER = f"authkit_reader_{token_hex(4)}"  # roles belong to the server, not to a database


def in_full(line: Line, token_id: str) -> Any:
    """What Django finds over the same connection, unprepared."""
    with line.in_place():
        lookup = PreparedLookup(
            lookups._build_by_token, *lookups._BY_TOKEN._parameters, managers=lookups._managers
        )
        with line.connection.execute_wrapper(lambda execute, *args: execute(*args)):
            return lookup.find("default", token_id)


def agree(line: Line, token_id: str) -> Any:
    seen = line.find(token_id)
    assert seen == in_full(line, token_id)
    return seen


def test_a_temporary_table_in_front_of_another_is_read(line, token_id):
    line.run(f"CREATE TEMP TABLE {TABLE} (LIKE public.{TABLE} INCLUDING ALL)")
    agree(line, token_id)


def test_a_schema_that_takes_another_s_name_is_read(line, token_id, expected):
    """Blue and green, swapped by renaming."""
    line.run(
        "CREATE SCHEMA green", f"CREATE TABLE green.{TABLE} (LIKE public.{TABLE} INCLUDING ALL)"
    )
    line.run("CREATE SCHEMA blue", f"CREATE TABLE blue.{TABLE} (LIKE public.{TABLE} INCLUDING ALL)")
    line.run(f"INSERT INTO blue.{TABLE} SELECT * FROM public.{TABLE}")
    try:
        line.run("SET search_path TO blue, public")
        assert agree(line, token_id) == expected
        line.run("ALTER SCHEMA blue RENAME TO old", "ALTER SCHEMA green RENAME TO blue")
        assert agree(line, token_id) is None
    finally:
        line.run(
            "DROP SCHEMA IF EXISTS old CASCADE",
            "DROP SCHEMA IF EXISTS blue CASCADE",
            "DROP SCHEMA IF EXISTS green CASCADE",
        )


def test_a_table_that_takes_another_s_name_is_read(line, token_id, expected):
    line.run(f"CREATE TABLE other (LIKE {TABLE} INCLUDING ALL)")
    try:
        line.run(f"ALTER TABLE {TABLE} RENAME TO gone", f"ALTER TABLE other RENAME TO {TABLE}")
        assert agree(line, token_id) is None
    finally:
        line.run(f"DROP TABLE {TABLE}", f"ALTER TABLE gone RENAME TO {TABLE}")
    assert agree(line, token_id) == expected


@pytest.mark.parametrize("column", ["id", "scopes", "expires_at"])
def test_columns_that_change_places_are_read_by_name(line, token_id, expected, column):
    kind = line.run(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = '{TABLE}'::regclass AND attname = '{column}'"
    )[0][0]
    line.run(f"CREATE TABLE kept AS SELECT * FROM {TABLE}")
    line.run(
        f"ALTER TABLE {TABLE} RENAME {column} TO was", f"ALTER TABLE {TABLE} ADD {column} {kind}"
    )
    line.run(f"UPDATE {TABLE} SET {column} = was")
    try:
        assert agree(line, token_id) == expected
        line.run(f"UPDATE {TABLE} SET {column} = NULL")
        agree(line, token_id)
    finally:
        line.run(
            f"UPDATE {TABLE} SET {column} = was",
            f"ALTER TABLE {TABLE} DROP {column}",
            f"ALTER TABLE {TABLE} RENAME was TO {column}",
            "DROP TABLE kept",
        )


@contextmanager
def row_security(line: Line, using: str) -> Any:
    line.run(f"DROP ROLE IF EXISTS {READER}", f"CREATE ROLE {READER}")
    line.run(
        f"GRANT USAGE ON SCHEMA public TO {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
    )
    line.run(
        f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY narrow ON {TABLE} USING ({using})",
    )
    try:
        yield
    finally:
        line.run(
            "RESET ROLE",
            f"DROP POLICY narrow ON {TABLE}",
            f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY",
            f"DROP OWNED BY {READER}",
            f"DROP ROLE {READER}",
        )


def test_row_security_by_setting_is_asked_each_time(line, token_id, expected):
    with row_security(line, "current_setting('app.tenant', true) = 'red'"):
        line.run(f"SET ROLE {READER}")
        for _ in range(8):
            line.run("SET app.tenant = 'red'")
            assert agree(line, token_id) == expected
            line.run("SET app.tenant = 'blue'")
            assert agree(line, token_id) is None
        line.run("RESET ROLE")
        assert agree(line, token_id) == expected
        line.run(f"SET ROLE {READER}")
        assert agree(line, token_id) is None


def test_row_security_that_is_switched_on_later_holds(line, token_id):
    line.run(
        f"DROP ROLE IF EXISTS {READER}",
        f"CREATE ROLE {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        f"SET ROLE {READER}",
    )
    agree(line, token_id)
    line.run("RESET ROLE")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    try:
        line.run(f"SET ROLE {READER}")
        assert agree(line, token_id) is None
    finally:
        line.run(
            "RESET ROLE",
            f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY",
            f"DROP OWNED BY {READER}",
            f"DROP ROLE {READER}",
        )


def test_what_a_role_may_not_read_any_more_is_not_read(line, token_id):
    line.run(
        f"DROP ROLE IF EXISTS {READER}",
        f"CREATE ROLE {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        f"SET ROLE {READER}",
    )
    agree(line, token_id)
    line.run("RESET ROLE", f"REVOKE SELECT ON {TABLE} FROM {READER}", f"SET ROLE {READER}")
    try:
        with pytest.raises(DatabaseError):
            line.find(token_id)
    finally:
        line.run("RESET ROLE", f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


@pytest.mark.parametrize(
    "setting",
    [
        "standard_conforming_strings = off",
        "bytea_output = 'escape'",
        "IntervalStyle = 'iso_8601'",
        "TimeZone = 'America/St_Johns'",
        "client_encoding = 'LATIN1'",
        "plan_cache_mode = 'force_generic_plan'",
        "extra_float_digits = -5",
        "default_transaction_read_only = on",
        "quote_all_identifiers = on",
    ],
)
@pytest.mark.parametrize("made_up", ["\\'; DROP TABLE x; --", "\\", "é'", "x"])
def test_a_setting_of_the_connection_changes_nothing(line, token_id, expected, setting, made_up):
    line.run(f"SET {setting}")
    for _ in range(2):
        assert agree(line, token_id) == expected
        assert agree(line, made_up) is None
        line.connection.connection.execute("SELECT 1")


@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres, MDY"])
def test_another_style_of_dates_lets_nobody_in(line, token_id, style):
    line.run(f"SET DateStyle = '{style}'")
    with pytest.raises(DatabaseError):
        line.find(token_id)


def test_within_a_transaction_that_was_begun_by_hand_no_name_is_relied_on(line, token_id, expected):
    line.run("DEALLOCATE ALL", "BEGIN")
    try:
        assert line.find(token_id) == expected
    finally:
        line.run("ROLLBACK")


def test_a_transaction_begun_by_hand_outlives_a_prepare(open_line, token_id, expected):
    line = open_line()
    line.find(token_id)
    line.run("BEGIN", "CREATE TEMP TABLE mine (a int)")
    assert line.find(token_id) == expected
    assert line.run("SELECT count(*) FROM mine") == [(0,)]
    line.run("ROLLBACK")
    assert line.find(token_id) == expected


def test_threads_that_share_a_connection_get_each_their_own_row(
    open_line, person, token_id, expected
):
    line = open_line()
    line.find(token_id)
    wrong = []

    def ask(who: int) -> None:
        connections["default"] = line.connection
        for _ in range(100):
            found = line.lookup.find("default", token_id if who % 2 else "0" * 16)
            if found != (expected if who % 2 else None):
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_compiled_before_a_fork_it_is_right_behind_a_pooler_after_it(open_line, token_id, expected):
    """Two processes of gunicorn --preload use the same name."""
    with pgbouncer("transaction", size=1) as where:
        first, second = open_line(**where), open_line(**where)
        second.lookup = first.lookup
        for _ in range(20):
            assert first.find(token_id) == expected
            assert second.find("0" * 16) is None
        first.connection.close()
        second.connection.close()


def test_what_is_prepared_on_a_connection_does_not_grow(line, token_id):
    for number in range(300):
        line.find(f"{number:016}")
        line.find(token_id)
    assert len(line.prepared) == 1


def test_a_statement_that_times_out_is_a_database_error_and_no_more(line, token_id, expected):
    other = connection.connection.__class__.connect(
        connection.connection.info.dsn + f" password={connection.settings_dict['PASSWORD']}"
        if connection.settings_dict["PASSWORD"]
        else connection.connection.info.dsn
    )
    try:
        other.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        line.run("SET statement_timeout = 200")
        with pytest.raises(DatabaseError):
            line.find(token_id)
    finally:
        other.rollback()
        other.close()
    line.run("RESET statement_timeout")
    assert line.find(token_id) == expected
