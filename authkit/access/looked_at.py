"""Which rows a transaction has looked at, and so far keeps from changing."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction

Place = tuple[str | None, type[models.Model]]


class LookedAt:
    """The keys of rows that need not be looked at again.

    A savepoint that is rolled back gives up the locks that were taken since. So a look
    counts as long as every savepoint is open that was open when it was made.
    """

    def __init__(self) -> None:
        """Nothing has been looked at yet."""
        self._savepoints: dict[Place, dict[Any, tuple[str, ...]]] = {}

    def remember(self, place: Place, keys: set[Any], *, within: int = 0) -> None:
        """Note a look; so many of the innermost blocks of the transaction may end `within` it."""
        blocks = transaction.get_connection(place[0]).savepoint_ids
        lasting = _savepoints(blocks[: len(blocks) - within])
        self._savepoints.setdefault(place, {}).update(dict.fromkeys(keys, lasting))

    def still(self, place: Place) -> set[Any]:
        """The keys of the rows at which a look still counts."""
        open_now = _savepoints(transaction.get_connection(place[0]).savepoint_ids)
        looks = self._savepoints.get(place, {}).items()
        return {key for key, since in looks if open_now[: len(since)] == since}

    def forget(self) -> None:
        """The transaction has ended."""
        self._savepoints.clear()


def _savepoints(blocks: list[str | None]) -> tuple[str, ...]:
    """Without blocks that have none; these are rolled back with what is around them."""
    return tuple(filter(None, blocks))
