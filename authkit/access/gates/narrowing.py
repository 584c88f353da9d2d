"""A statement about many rows that keeps to those which were looked at and locked.

Its filter is evaluated when it runs: without this it would also write what another
transaction has moved into the filter since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import QuerySet

from authkit.access import row_locks
from authkit.models.kinds import every_row

_IS_ASKED = "_authkit_is_asked"


def was_asked_about(rows: object) -> bool:
    """Whether the removal of these rows has been asked about by their queryset."""
    return _IS_ASKED in getattr(rows, "__dict__", ())


def kept_to(rows: QuerySet[Any], only: Collection[Any] | None) -> Iterator[QuerySet[Any]]:
    """A queryset, narrowed to rows with these keys, in as many parts as statements take."""
    if only is None:
        parts = iter([rows._chain()])  # type: ignore[attr-defined]
    else:
        parts = (_narrowed(rows, keys) for keys in row_locks.batches(rows.db, only))
    for part in parts:
        part.__dict__[_IS_ASKED] = True
        yield part


def _narrowed(rows: QuerySet[Any], keys: Collection[Any]) -> QuerySet[Any]:
    """What the filter says holds as well: a row may have left it before it was locked."""
    if rows.query.where.contains_over_clause:  # a window is to be the one of all rows
        keys = set(rows.order_by().values_list("pk", flat=True)).intersection(keys)
        rows = every_row(rows.model, rows.db)
    return QuerySet.filter(rows, pk__in=keys)


def together(written: list[Any]) -> Any:
    """What a method returns, of all parts: a number, or with `delete` one for each model too."""
    if len(written) == 1:
        return written[0]
    if not isinstance(written[0], tuple):
        return sum(written)
    by_model: Counter[str] = Counter()
    for _, found in written:
        by_model.update(found)
    return sum(number for number, _ in written), dict(by_model)
