"""After a test that commits, the database is again as `migrate` left it.

Django's way is to empty every table and to run what follows a migration once more: a tenth
of a second on SQLite, and most of a test's time where a table that is emptied is a new file.
Here only what is not as it was is put back, with the same ids.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

Rows = dict[str, list[tuple[Any, ...]]]


def restore_after_each_test(patch: pytest.MonkeyPatch) -> None:
    """From now on; the database is as it should be at this moment."""
    empty, filled = _look(connection.introspection.django_table_names(only_existing=True))

    def restore(self: TransactionTestCase) -> None:
        _restore(empty, filled)

    patch.setattr(TransactionTestCase, "_fixture_teardown", restore)


def _restore(empty: list[str], filled: Rows) -> None:
    changed = {name: filled[name] for name in filled if not _is_same(filled[name], _rows(name))}
    changed |= {name: [] for name in _not_empty(empty)}
    if not changed:
        return
    # Outside of a transaction on SQLite, inside of one elsewhere, order does not matter.
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        for name in changed:
            cursor.execute(f"DELETE FROM {_quoted(name)}")
        for name, rows in changed.items():
            if rows:
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {_quoted(name)} VALUES ({places})", rows)
    apps.get_model("contenttypes.ContentType")._default_manager.clear_cache()


def _look(names: list[str]) -> tuple[list[str], Rows]:
    filled = {name: _rows(name) for name in _not_empty(names)}
    return [name for name in names if name not in filled], filled


def _not_empty(names: list[str]) -> list[str]:
    asked = [f"SELECT '{name}', EXISTS (SELECT 1 FROM {_quoted(name)})" for name in names]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [name for name, is_filled in cursor.fetchall() if is_filled]


def _rows(name: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {_quoted(name)}")
        return list(cursor.fetchall())


def _is_same(before: list[tuple[Any, ...]], now: list[tuple[Any, ...]]) -> bool:
    """Whatever the order, which the next test cannot rely on either."""
    return before == now or sorted(map(repr, before)) == sorted(map(repr, now))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
