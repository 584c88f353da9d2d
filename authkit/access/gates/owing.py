"""Writes while a conditional decision is owed: of many rows at once, and removals.

`obligations` hears of single rows that are saved. Here it learns of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db import models, router
from django.db.models import QuerySet

from authkit.access import obligations
from authkit.access.gates import unsignalled
from authkit.access.gates.unsignalled import Around
from authkit.access.obligations import Obligation


def listen() -> None:
    """Stand there; called once."""
    unsignalled.watch_as_asked(_road_of)
    delete: Callable[..., Any] = models.Model.delete

    @wraps(delete)
    def asking_delete(self: models.Model, *args: Any, **options: Any) -> Any:
        obligation = _owed_about(type(self))
        if obligation is not None:
            named = options.get("using") or next(iter(args), None)
            alias = named or router.db_for_write(type(self), instance=self)
            obligation.look_before_removal(_rows(type(self), alias).filter(pk=self.pk))
        return delete(self, *args, **options)

    models.Model.delete = asking_delete  # type: ignore[method-assign]


class _Road:
    """The road of the model that an obligation is about."""

    def __init__(self, model: type[models.Model], obligation: Obligation) -> None:
        self._model, self._obligation = model, obligation

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added; of those that turn out to be there, nobody knows whose they were."""
        return self._adding(objs, using, is_certain=not updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets values of its own."""
        return self._changing(_rows(self._model, using).filter(pk__in=[row.pk for row in objs]))

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        keys = list(stored.order_by().values_list("pk", flat=True))
        return self._changing(_rows(self._model, stored.db).filter(pk__in=keys))

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """All go. What goes along with them is for the models to say."""
        keys = stored.order_by().values("pk")
        self._obligation.look_before_removal(_rows(self._model, stored.db).filter(pk__in=keys))
        return None

    @contextmanager
    def _adding(
        self, objs: Collection[models.Model], using: str, *, is_certain: bool
    ) -> Iterator[None]:
        yield
        keys = [row.pk for row in objs]
        if is_certain and None not in keys:
            self._obligation.watch_rows(using, self._model, keys)
        else:
            self._obligation.lose_track()

    @contextmanager
    def _changing(self, rows: QuerySet[Any]) -> Iterator[None]:
        keys = self._obligation.look_before_rows(rows)
        yield
        self._obligation.watch_rows(rows.db, self._model, keys)


def _road_of(model: type[models.Model]) -> _Road | None:
    obligation = _owed_about(model)
    return None if obligation is None else _Road(model, obligation)


def _owed_about(model: type[models.Model]) -> Obligation | None:
    obligation = obligations.owed_for_writes()
    if obligation is None or obligation.is_safe or not obligation.is_about(model):
        return None
    return obligation


def _rows(model: type[models.Model], using: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._base_manager.using(using)
    return rows
