"""The one query that a process makes about the change feed."""

from __future__ import annotations

import time
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from authkit import freshness, snapshots
from authkit.kernel.place import Place

#: Two clocks of a deployment may differ by so much, in seconds.
CLOCK_LEEWAY = 60


class Row(NamedTuple):
    """A session that has ended."""

    number: int
    subject: str
    matters_until: int


class Answer(NamedTuple):
    """What the feed has shown.

    Attributes:
        rows: those that may be new, in their order.
        is_whole: whether they are all that matter, and not just what is new.
        is_newest: whether the database says that it is no older state. False if not asked.
    """

    rows: list[Row]
    is_whole: bool
    is_newest: bool


def find(connection: BaseDatabaseWrapper, place: Place, *, asks_level: bool) -> Answer:
    """Read on from a place, or all that matters if there is none.

    Raises:
        django.db.Error: the feed cannot be read.
    """
    now, last = time.time(), place.last
    if last is not None:
        condition, parameters = _is_new(place, last[0], now)
        rows, is_newest = _ask(connection, condition, parameters, asks_level)
        if any((row.number, row.subject) == last for row in rows):
            return Answer(rows, is_whole=False, is_newest=is_newest)
    # We stand on no row, or it is gone: pruned, or the table was restored.
    matters = "expires_at >= %s", [int(now) - CLOCK_LEEWAY]
    rows, is_newest = _ask(connection, *matters, asks_level)
    return Answer(rows, is_whole=True, is_newest=is_newest)


def _is_new(place: Place, last: int, now: float) -> tuple[str, list[int]]:
    begin, missing = place.gaps.to_ask_for(last)
    condition, parameters = "id >= %s", [begin]
    if missing:
        condition += f" OR id IN ({', '.join(['%s'] * len(missing))})"
        parameters += missing
    first = place.below(now=now)
    if first is not None:
        condition += " OR (id < %s AND expires_at >= %s)"
        parameters += [first, int(now) - CLOCK_LEEWAY]
    return condition, parameters


def _ask(
    connection: BaseDatabaseWrapper, condition: str, parameters: list[int], asks_level: bool
) -> tuple[list[Row], bool]:
    """The rows, and whether they are said to be of the newest state.

    How far the changes of access have come, and which level a transaction has, are asked
    along: it is one small query per MAX_STALENESS, and stays one.
    """
    select = (
        f"SELECT id, subject, expires_at FROM authkit_change WHERE {condition}"  # noqa: S608
        " UNION ALL SELECT 0, '', number FROM authkit_accessrevision"
    )
    if asks_level:
        select += " UNION ALL SELECT -1, current_setting('transaction_isolation'), 0"
    with connection.cursor() as cursor:
        cursor.execute(f"{select} ORDER BY 1", parameters)
        rows = [Row(*row) for row in cursor.fetchall()]
    is_newest = asks_level and rows.pop(0).subject == snapshots.READ_COMMITTED
    has_revision = bool(rows) and rows[0].number == 0
    freshness.hear_of(rows.pop(0).matters_until if has_revision else 0)
    return rows, is_newest
