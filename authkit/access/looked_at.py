"""Which rows a transaction has looked at, and so far keeps from changing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Place = tuple[str | None, type[models.Model]]

#: On a connection: how often it was rolled back to a savepoint.
_ROLLBACKS = "_authkit_rollbacks"


class LookedAt:
    """The keys of rows that need not be looked at again.

    A savepoint that is rolled back gives up the locks that were taken since. Which these
    were nobody notes, so no look counts any more that was made before.
    """

    def __init__(self) -> None:
        """Nothing has been looked at yet."""
        self._looks: dict[Place, tuple[int, set[Any]]] = {}

    def remember(self, place: Place, keys: set[Any]) -> None:
        """Note a look."""
        self._counting(place).update(keys)

    def among(self, place: Place, keys: set[Any]) -> set[Any]:
        """Those of these keys at whose rows a look still counts."""
        return keys & self._counting(place)

    def forget(self) -> None:
        """The transaction has ended."""
        self._looks.clear()

    def _counting(self, place: Place) -> set[Any]:
        now = getattr(transaction.get_connection(place[0]), _ROLLBACKS, 0)
        since, keys = self._looks.get(place, (None, set()))
        if since != now:
            keys = set()
            self._looks[place] = now, keys
        return keys


def listen() -> None:
    """Notice when a savepoint is rolled back, by a block or by hand; called once."""
    connection: Any = BaseDatabaseWrapper
    connection.savepoint_rollback = _counted(connection.savepoint_rollback)


def _counted(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def method(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return original(self, *args, **options)
        finally:  # where it failed, nobody knows what is still locked
            setattr(self, _ROLLBACKS, getattr(self, _ROLLBACKS, 0) + 1)

    return method
