"""Writes while a conditional decision is owed: of many rows at once, of pairs, and removals.

`obligations` hears of single rows that are saved. Here it learns of the rest. The pairs of a
relation that the model itself declares are as good as a column of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any

from django.db import models, router, transaction
from django.db.models import QuerySet

from authkit.access import added, obligations, row_locks
from authkit.access.gates import narrowing, unsignalled
from authkit.access.gates.removals import Removals
from authkit.access.gates.unsignalled import Around
from authkit.access.obligations import Obligation
from authkit.models.kinds import every_row, is_key, is_told, parts_of, plain_keys, stored_as


def listen() -> None:
    """Stand there; called once."""
    unsignalled.watch_as_asked(_road_of)
    Removals.watch(_around_removal)
    models.Model.save_base = _saving(models.Model.save_base)  # type: ignore[method-assign]


class _Road:
    """The road of the model that an obligation is about."""

    def __init__(self, obligation: Obligation, model: type[models.Model]) -> None:
        self._obligation, self._model = obligation, model

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added; of those that turn out to be there, nobody knows whose they were."""
        return self._adding(objs, using, is_certain=not updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets values of its own."""
        if any(self._tells_which(self._model, name) for name in names):
            self._obligation.lose_track()
        return self._changing(using, lambda: {row.pk for row in objs})

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        if any(self._tells_which(stored.model, name) for name in values):
            self._obligation.lose_track()
        return self._changing(stored.db, lambda: _keys_of(stored))

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """All of them go."""
        return self._changing(stored.db, lambda: _keys_of(stored), is_removal=True)

    @contextmanager
    def saving(self, row: Any, using: str) -> Iterator[None]:
        """One is saved; `obligations` hears of it from Django."""
        with self._obligation.own_transaction(using):
            try:
                yield
            finally:
                obligations.end_save(row)

    def removing_rows(self, using: str, keys: Collection[Any]) -> set[Any]:
        """These go; returns which of them may."""
        found, ours = self._look_before(using, keys, is_removal=True)
        self._obligation.watch_rows(using, self._model, ours)
        return found

    def _look_before(
        self, using: str, keys: Collection[Any], among: Collection[Any] = (), *, is_removal: bool
    ) -> tuple[set[Any], set[Any]]:
        """Look at stored rows; the keys of those that may be written, and of the rows of ours.

        `among` are keys of rows of ours besides, that are to have a part in it.
        """
        found = self._obligation.look_before(using, self._model, keys, is_removal=is_removal)
        return found, found

    def _of(self, objs: Iterable[Any]) -> set[Any]:
        """The keys of the rows of ours that these say they are, or are of."""
        return {row.pk for row in objs}

    def _tells_which(self, model: type[models.Model], name: str) -> bool:
        """Whether a field says which row of ours a row is, or is of."""
        return is_key(model, name)

    @contextmanager
    def _adding(self, objs: Collection[Any], using: str, *, is_certain: bool) -> Iterator[None]:
        before = self._of(objs)
        looked_at = self._obligation.look_before(using, self._model, before - {None})
        yield
        keys = self._of(objs)
        if not (is_certain and all(is_told(key) for key in keys)):
            self._obligation.lose_track()
            return
        self._obligation.watch_rows(using, self._model, keys)
        self._remember(using, looked_at | (keys - before))

    @contextmanager
    def _changing(
        self,
        using: str,
        find: Callable[[], set[Any]],
        among: Collection[Any] = (),
        *,
        is_removal: bool = False,
    ) -> Iterator[set[Any] | None]:
        found, ours = self._look_before(using, find(), among, is_removal=is_removal)
        yield found if row_locks.are_taken(using) else None
        self._obligation.watch_rows(using, self._model, ours)
        self._remember(using, ours)

    def _remember(self, using: str, keys: Collection[Any]) -> None:
        self._obligation.remember(using, self._model, keys)


class _PairsRoad(_Road):
    """The road of a relation's pairs, each of which is of a row of the model.

    Or of rows that share a part with rows of ours, but not its key.
    `name` is that of the field by which a pair says of which row.
    """

    def __init__(
        self, obligation: Obligation, model: type[models.Model], pairs: Any, name: str
    ) -> None:
        super().__init__(obligation, model)
        self._pairs, self._name = pairs, name

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """They may become pairs of other rows of ours, which are looked at as well."""
        return self._changing(using, lambda: {pair.pk for pair in objs}, self._of(objs))

    @contextmanager
    def saving(self, row: Any, using: str) -> Iterator[None]:
        """Of pairs Django tells nobody."""
        is_new = row.pk is None
        around = self.adding([row], using, ()) if is_new else self.rewriting([row], using, ())
        with (
            self._obligation.own_transaction(using),
            transaction.atomic(using),
            around or nullcontext() as found,
        ):
            yield
            is_added = is_new or added.is_added(row, self._pairs)
            if not is_added and found is not None:
                self._require(found, plain_keys(self._pairs, [row.pk]))

    def _require(self, found: Collection[Any], keys: set[Any]) -> None:
        """Of a pair that came meanwhile nobody knows of which row it was."""
        if not keys.issubset(found):
            self._obligation.lose_track()

    def _look_before(
        self, using: str, keys: Collection[Any], among: Collection[Any] = (), *, is_removal: bool
    ) -> tuple[set[Any], set[Any]]:
        found = {*keys}
        if row_locks.are_taken(using):  # first the pairs: of which row one is, may change as well
            found = row_locks.lock(self._pairs, using, found, wholly=is_removal)
        pairs = every_row(self._pairs, using).filter(pk__in=found)
        about = {*pairs.values_list(self._name, flat=True), *among}
        return found, self._obligation.look_before(using, self._model, about)

    def _of(self, objs: Iterable[Any]) -> set[Any]:
        return {getattr(pair, self._name) for pair in objs}

    def _tells_which(self, model: type[models.Model], name: str) -> bool:
        return name in {self._name, model._meta.get_field(self._name).name}


def _keys_of(stored: QuerySet[Any]) -> set[Any]:
    """The primary keys of all rows that a statement about these would write."""
    rows = stored.order_by()
    if rows.query.distinct_fields:  # an update does not keep to them
        rows = rows.distinct()
    rows.query.select_for_update = False  # one can be told to skip rows
    return set(rows.values_list("pk", flat=True))


def _saving(original: Callable[..., Any]) -> Any:
    """How any row is saved: a look and the write are in one transaction."""

    @wraps(original)
    def method(self: models.Model, *args: Any, **options: Any) -> Any:
        if obligations.owed_for_writes() is None:
            return original(self, *args, **options)
        road = _road_of(type(self))
        using = options.get("using") or router.db_for_write(type(self), instance=self)
        with added.noting(self), nullcontext() if road is None else road.saving(self, using):
            return original(self, *args, **options)

    return method


def _around_removal(collector: Any) -> Around | None:
    """Ask about what somebody removes. What goes along with it is for the models to say."""
    obligation, origin = obligations.owed_for_writes(), collector.origin
    if obligation is None or narrowing.was_asked_about(origin):
        return None
    is_one = isinstance(origin, models.Model)
    # A collector of somebody else's making may not know its origin: then all is asked about.
    going = [origin] if is_one else [row for _, row in collector.instances_with_model()]
    rows = {kind: keys for kind, keys in _by_kind(going) if _road_of(kind) is not None}
    unseen = (
        [] if is_one else [n for n, q in enumerate(collector.fast_deletes) if _road_of(q.model)]
    )
    if not rows and not unseen:
        return None
    return _looking_before_removal(obligation, collector, rows, unseen)


@contextmanager
def _looking_before_removal(
    obligation: Obligation,
    collector: Any,
    rows: dict[type[models.Model], set[Any]],
    unseen: list[int],
) -> Iterator[None]:
    """Look at `rows`, and at those that the collector would remove `unseen`, by a queryset."""
    using = collector.using
    with obligation.own_transaction(using):
        for kind, keys in rows.items():
            _remove(kind, using, keys)
        for number in unseen:
            queryset = collector.fast_deletes[number]
            found = _remove(queryset.model, using, _keys_of(queryset.using(using)))
            collector.fast_deletes[number] = queryset.filter(pk__in=found)
        yield


def _remove(model: type[models.Model], using: str, keys: set[Any]) -> set[Any]:
    road = _road_of(model)
    return keys if road is None else road.removing_rows(using, keys)


def _by_kind(rows: Iterable[Any]) -> Iterable[tuple[type[models.Model], set[Any]]]:
    found: dict[type[models.Model], set[Any]] = {}
    for row in rows:
        found.setdefault(type(row), set()).add(row.pk)
    return found.items()


def _road_of(model: type[models.Model]) -> _Road | None:
    obligation = obligations.owed_for_writes()
    if obligation is None:
        return None
    parts = {model: "pk", **parts_of(model)}
    for kind in obligation.reach.kinds_of(model):
        if parts[kind] == "pk":
            return _Road(obligation, kind)
        if "__" not in parts[kind]:
            link: Any = model._meta.get_field(parts[kind])
            return _PairsRoad(obligation, kind, model, link.attname)
    return _pairs_road_of(obligation, stored_as(model))


def _pairs_road_of(obligation: Obligation, pairs: Any) -> _Road | None:
    """That of a relation's pairs; Django notes on these which model has the relation."""
    owner = pairs._meta.auto_created
    if not owner or not obligation.reach.is_about(owner):
        return None
    for field in owner._meta.local_many_to_many:
        if field.remote_field.through is pairs:
            near = pairs._meta.get_field(field.m2m_field_name())
            return _PairsRoad(obligation, obligation.reach.named(owner), pairs, near.attname)
    return None
