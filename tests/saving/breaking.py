"""A database that really breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
}

_REFUSING = {
    "sqlite": (
        """CREATE TRIGGER broken BEFORE {event} ON {table}
        BEGIN SELECT RAISE(ABORT, '{because}'); END""",
        "DROP TRIGGER broken",
    ),
    "postgresql": (
        """CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE '{because}' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION break()""",
        "DROP FUNCTION break() CASCADE",
    ),
    "mysql": (
        """CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW
        SIGNAL SQLSTATE 'HY000' SET MESSAGE_TEXT = '{because}', MYSQL_ERRNO = 1021""",
        "DROP TRIGGER broken",
    ),
}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def read_only() -> None:
    run(_READ_ONLY[connection.vendor][0])


def writable() -> None:
    run(_READ_ONLY[connection.vendor][1])


@contextmanager
def refusing(
    event: str, table: str = "django_session", because: str = "no space left"
) -> Iterator[None]:
    """Every row that is to be changed in this way is refused by the database itself."""
    on, off = _REFUSING[connection.vendor]
    run(on.format(event=event, table=table, because=because))
    try:
        yield
    finally:
        run(off)
