"""Databases that are made for one run and gone after it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dj_database_url
import psycopg
from psycopg import sql

KINDS = ("sqlite", "postgresql")
DEFAULT_SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


@contextmanager
def thrown_away(kind: str, server: str = DEFAULT_SERVER) -> Iterator[str]:
    """The URL of a new, empty database: a SQLite file, or one on a PostgreSQL server."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="authkit_bench_") as folder:
            yield f"sqlite:///{folder}/bench.sqlite3"
        return
    name = f"authkit_bench_{os.getpid()}"
    _administer(server, "CREATE DATABASE {}", name)
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def configuration_of(url: str, *, prepared: str) -> dict[str, Any]:
    """An entry of Django's DATABASES, whose connection stays open from request to request.

    PostgreSQL plans a statement that comes again and again only once: with `prepared`
    "threshold" where a package sends it so that it can, as authkit does; with "everyone"
    all that Django sends.
    """
    options: dict[str, Any] = {"prepare_threshold": 5} if prepared else {}
    if prepared == "everyone":
        options["server_side_binding"] = True
    return {**dj_database_url.parse(url), "CONN_MAX_AGE": None, "OPTIONS": options}


def _administer(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
