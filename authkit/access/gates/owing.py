"""Writes while a conditional decision is owed: of many rows at once, of pairs, and removals.

`obligations` hears of single rows that are saved. Here it learns of the rest. The pairs of a
relation that the model itself declares are as good as a column of its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.db.models import QuerySet

from authkit.access import obligations
from authkit.access.gates import unsignalled
from authkit.access.gates.removals import Removals
from authkit.access.gates.unsignalled import Around
from authkit.access.obligations import Obligation
from authkit.models.kinds import is_key, stored_as


def listen() -> None:
    """Stand there; called once."""
    unsignalled.watch_as_asked(_road_of)
    Removals.watch(_look_before_removal)


class _Road:
    """The road of the model that an obligation is about, or of pairs with its rows.

    `name` is that of the field by which a row of `model` says which row it is, or is of.
    """

    def __init__(self, obligation: Obligation, model: type[models.Model], name: str) -> None:
        self._obligation, self._model, self._name = obligation, model, name

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added; of those that turn out to be there, nobody knows whose they were."""
        return self._adding(objs, using, is_certain=not updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets values of its own."""
        return self._changing(using, self.keys_of(objs))

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        if any(self._tells_which(stored.model, name) for name in values):
            self._obligation.lose_track()
        return self._changing(stored.db, self.keys_stored(stored))

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """Of these one hears where all removals end."""
        return None

    def look_before_removal(self, using: str, keys: Collection[Any]) -> None:
        """Rows go, or are parted from these, which stay."""
        self._obligation.look_before(using, self._model, keys)
        self._obligation.watch_rows(using, self._model, keys)

    def keys_of(self, objs: Iterable[Any]) -> set[Any]:
        """Of rows at hand."""
        return {getattr(row, self._name) for row in objs}

    def keys_stored(self, stored: QuerySet[Any]) -> set[Any]:
        """Of rows as the database has them."""
        return set(stored.order_by().values_list(self._name, flat=True))

    def _tells_which(self, model: type[models.Model], name: str) -> bool:
        """Whether a field says which row of ours a row is, or is of."""
        if self._name == "pk":
            return is_key(model, name)
        return name in {self._name, model._meta.get_field(self._name).name}

    @contextmanager
    def _adding(self, objs: Collection[Any], using: str, *, is_certain: bool) -> Iterator[None]:
        self._obligation.look_before(using, self._model, self.keys_of(objs) - {None})
        yield
        keys = self.keys_of(objs)
        if not is_certain or None in keys:
            self._obligation.lose_track()
        else:
            self._obligation.watch_rows(using, self._model, keys)

    @contextmanager
    def _changing(self, using: str, keys: Collection[Any]) -> Iterator[None]:
        self._obligation.look_before(using, self._model, keys)
        yield
        self._obligation.watch_rows(using, self._model, keys)


def _look_before_removal(collector: Any) -> None:
    """Ask about what somebody removes. What goes along with it is for the models to say."""
    obligation = obligations.owed_for_writes()
    if obligation is None:
        return
    origin, using = collector.origin, collector.using
    if isinstance(origin, QuerySet):
        road = _road_to(obligation, origin.model)
        if road is not None:
            road.look_before_removal(using, road.keys_stored(origin.using(using)))
        return
    # A collector of somebody else's making may not know its origin: then all is asked about.
    going = [row for _, row in collector.instances_with_model()] if origin is None else [origin]
    for row in going:
        road = _road_to(obligation, type(row))
        if road is not None:
            road.look_before_removal(using, road.keys_of([row]))


def _road_of(model: type[models.Model]) -> _Road | None:
    obligation = obligations.owed_for_writes()
    return None if obligation is None else _road_to(obligation, model)


def _road_to(obligation: Obligation, model: type[models.Model]) -> _Road | None:
    if obligation.reach.is_about(model):
        return _Road(obligation, model, "pk")
    ours = obligation.reach.model
    if ours is None or not model._meta.auto_created:
        return None
    for field in ours._meta.many_to_many:
        through: Any = field.remote_field.through
        if through is stored_as(model):
            near: Any = through._meta.get_field(field.m2m_field_name())
            return _Road(obligation, ours, near.attname)
    return None
