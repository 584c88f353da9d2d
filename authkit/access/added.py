"""Which parts of a row that is being saved are added, and which were there already.

Of a row that is stored in several tables Django tells only about the last one, and of a pair
of a many-to-many relation nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db import models

from authkit.models.kinds import stored_as

#: On a row that is being saved: the models to whose tables it was added.
_ADDED = "_authkit_added"


def listen() -> None:
    """Notice what is added; called once."""
    original = models.Model._do_insert  # type: ignore[attr-defined]
    models.Model._do_insert = _noting_insert(original)  # type: ignore[attr-defined]


@contextmanager
def noting(row: models.Model) -> Iterator[None]:
    """Around a save."""
    before = row.__dict__.get(_ADDED)  # a signal's handler may save the same row
    row.__dict__[_ADDED] = set()
    try:
        yield
    finally:
        row.__dict__.pop(_ADDED)
        if before is not None:
            row.__dict__[_ADDED] = before


def is_added(row: models.Model, model: type[models.Model]) -> bool:
    """Whether the save under way has added a row to this model's table."""
    return stored_as(model) in row.__dict__.get(_ADDED, ())


def _noting_insert(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def method(self: models.Model, manager: Any, *args: Any, **options: Any) -> Any:
        result = original(self, manager, *args, **options)
        added = self.__dict__.get(_ADDED)
        if added is not None:
            added.add(stored_as(manager.model))
        return result

    return method
