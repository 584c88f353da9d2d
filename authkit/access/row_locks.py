"""Rows that are about to be written are locked, so that they stay as they were looked at.

Between a look at rows and the statement that writes them, another transaction may commit.
On most databases a statement then sees what came of it: it would write rows that nobody
has looked at. A locked row stays as it is until the transaction that locked it ends.

SQLite locks no rows and needs none locked: within a transaction it goes on seeing what it
saw first, and refuses to write once another one has written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import OperationalError, models, transaction

from authkit.exceptions import StoreUnavailable
from authkit.models.kinds import every_row, parts_of, stored_as

#: No lock in time, a deadlock, or no order in which both transactions could have been first:
#: as PostgreSQL, MySQL (and MariaDB) and SQLite number them.
_SQLSTATES = frozenset({"55P03", "40P01", "40001"})
_MYSQL = frozenset({1020, 1205, 1213, 3572})
_SQLITE = frozenset({5, 6})

#: PostgreSQL takes so many values in a statement, where it binds them itself.
_BOUND_AT_MOST = 2**16 - 1


def are_taken(using: str | None) -> bool:
    """Whether rows can be locked here: by this database, and in a transaction."""
    connection = transaction.get_connection(using)
    return bool(connection.in_atomic_block and connection.features.has_select_for_update)


def lock(
    model: type[models.Model], using: str | None, keys: Collection[Any], *, wholly: bool
) -> set[Any]:
    """Lock the stored ones of these rows until the transaction ends; returns their keys.

    They are locked in the order of their keys: whoever locks in another order than others
    waits for them while they wait for him. What else points to them may come meanwhile
    unless they are locked `wholly`, which is for rows that go.
    """
    found, parts = {*keys}, parts_of(model)
    same = {stored_as(model), *(part for part, path in parts.items() if path == "pk")}
    for part in _in_order(same):
        found = {key for some in batches(using, found) for key in _lock(part, using, some, wholly)}
    for part in _in_order({*parts} - same):  # their keys can be read now that the row stays
        for some in batches(using, found):
            rows = every_row(model, using).filter(pk__in=some)
            _lock(part, using, list(rows.values_list(parts[part], flat=True)), wholly)
    return found


def lock_rows(rows: models.QuerySet[Any], *, wholly: bool) -> set[Any]:
    """Lock the rows of a queryset that asks of one table only; returns their keys."""
    has_weaker = transaction.get_connection(rows.db).features.has_select_for_no_key_update
    locked = rows.order_by("pk").select_for_update(no_key=has_weaker and not wholly)
    return set(locked.values_list("pk", flat=True))


def batches(using: str | None, keys: Collection[Any]) -> Iterator[list[Any]]:
    """These keys, as many at a time as one statement takes: mostly all, and one batch at least."""
    features = transaction.get_connection(using).features
    most = features.max_query_params
    if most is None and getattr(features, "uses_server_side_binding", False):
        most = _BOUND_AT_MOST
    size = len(keys) if most is None else most // 2  # a statement has others besides
    every = sorted(keys, key=str)  # some are for the database to work out
    for start in range(0, max(1, len(every)), max(1, size)):
        yield every[start : start + size]


def own_transaction(using: str | None) -> AbstractContextManager[Any]:
    """A transaction around a look and a write, where none is open."""
    if transaction.get_connection(using).in_atomic_block:
        return nullcontext()
    return transaction.atomic(using=using)


def are_contended(error: BaseException) -> bool:
    """Whether a database gave up because others were writing the same."""
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    number = next((arg for arg in error.args if isinstance(arg, int)), None)
    return (
        getattr(cause, "sqlstate", None) in _SQLSTATES
        or getattr(cause, "pgcode", None) in _SQLSTATES
        or number in _MYSQL
        or getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    )


def refusal_of(error: Exception) -> StoreUnavailable:
    """What a client is told; what is no matter of locks goes on as what it is."""
    if isinstance(error, StoreUnavailable):
        return error
    if not are_contended(error):
        raise error
    refusal = StoreUnavailable("others were writing the same rows")
    refusal.__cause__ = error
    return refusal


def _in_order(kinds: Iterable[type[models.Model]]) -> list[type[models.Model]]:
    return sorted(kinds, key=lambda kind: kind._meta.label)


def _lock(part: Any, using: str | None, keys: list[Any], wholly: bool) -> set[Any]:
    return lock_rows(every_row(part, using).filter(pk__in=keys), wholly=wholly)
