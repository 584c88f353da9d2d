"""Writes of which Django tells nobody.

Django sends no signal for `QuerySet.update()` and `bulk_create()`, nor for rows of the
models that it makes for many-to-many relations, however they are written: by the relation,
by an inline of the admin site on ``User.groups.through``, or by hand. So the methods
themselves are watched: those of every queryset, because a project's managers bring
querysets of their own, and `save_base` and `delete` of such a row. For any other model that
costs a look into a dictionary. SQL that is written by hand is seen by nobody.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import Any, ClassVar, Protocol

from django.db import models, router, transaction
from django.db.models import QuerySet

from authkit.access import acting, guards, obligations
from authkit.access.gates import narrowing, removals
from authkit.access.gates.removals import Removals
from authkit.models.kinds import is_key, stored_as

#: What stands around a write. It may name the keys of the rows to which the write is to keep.
Around = AbstractContextManager[Collection[Any] | None]


class Road(Protocol):
    """What stands around each kind of write; it looks before, and writes down after.

    A road that leaves a write alone returns None.
    """

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added at once; those that are there get new values in `updating`."""

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each of these gets its own new values in the fields `names`."""

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All rows of a queryset get these values."""

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """All rows of a queryset go."""


Find = Callable[[type[models.Model]], Road | None]

_roads: dict[type[models.Model], Road] = {}
_finders: list[Find] = []
_judged_model: contextvars.ContextVar[Any] = contextvars.ContextVar(
    "authkit_judged_model", default=None
)


def watch(model: type[models.Model], road: Road, *, is_signalled: bool = True) -> None:
    """Ask `road` about each such write of rows of `model`.

    With `is_signalled` Django tells of single rows, and of each row that is deleted.
    """
    _Hooks.stand()
    if not is_signalled and model not in _roads:
        _watch_single_rows(model)
    _roads[model] = road


def watch_as_asked(find: Find) -> None:
    """Ask the road that `find` names for a model, if it names one, at the time of the write."""
    _Hooks.stand()
    _finders.append(find)


class _Hooks:
    """The methods of Django that are watched, once in a process."""

    are_there: ClassVar[bool] = False

    @classmethod
    def stand(cls) -> None:
        if not cls.are_there:
            cls.are_there = True
            Removals.watch()
            for name, ask in _QUESTIONS.items():
                setattr(QuerySet, name, _asking(getattr(QuerySet, name), ask))


def _asking(original: Callable[..., Any], ask: Callable[..., Around | None]) -> Any:
    """A method of querysets that asks first; it keeps what Django has noted on it."""

    @wraps(original)
    def method(self: QuerySet[Any], *args: Any, **options: Any) -> Any:
        is_judged = ask is _update and _judged_model.get() is self.model
        roads = [] if is_judged else _roads_of(self.model)
        if not roads or (ask is _update and removals.sets(self.model, options)):
            return original(self, *args, **options)
        self._for_write = True  # type: ignore[attr-defined]
        if args:  # rows, which may be such as can be read only once
            args = (list(args[0]), *args[1:])
        elif "objs" in options and ask is not _update:
            options["objs"] = list(options["objs"])
        asked = [ask(road, self, *args, **options) for road in roads]
        around = [each for each in asked if each is not None]
        if not around:
            return original(self, *args, **options)

        def write(only: Collection[Any] | None) -> Any:
            written = [original(rows, *args, **options) for rows in narrowing.kept_to(self, only)]
            if ask in (_update, _delete):  # as these do
                self._result_cache = None
            return narrowing.together(written)

        with _judged(self.model) if ask is _rewrite else nullcontext():
            return _within(around, self.db, write)

    return method


def _roads_of(model: type[models.Model]) -> list[Road]:
    """The roads of a model, for proxies that of what they are a name of."""
    road = _roads.get(stored_as(model))
    found = [] if road is None else [road]
    for find in _finders:
        road = find(model)
        if road is not None:
            found.append(road)
    return found


def _create(
    road: Road, rows: QuerySet[Any], /, objs: Collection[Any] = (), *args: Any, **options: Any
) -> Around | None:
    is_updating = options.get("update_conflicts") or any(args[2:3])
    updated = options.get("update_fields") or next(iter(args[3:4]), None)
    return road.adding(objs, rows.db, list(updated or ()) if is_updating else ())


def _rewrite(
    road: Road, rows: QuerySet[Any], /, objs: Any, fields: Iterable[str], *_: Any, **__: Any
) -> Around | None:
    return road.rewriting(objs, rows.db, list(fields))


def _update(road: Road, rows: QuerySet[Any], /, **values: Any) -> Around | None:
    if road is _roads.get(stored_as(rows.model)):
        _require_same_keys(rows.model, values)
    return road.updating(rows, values)


def _require_same_keys(model: type[models.Model], names: Iterable[str]) -> None:
    """Rows are known by their keys before a write and after it: only superusers change one."""
    actor = acting.current()
    keys = [name for name in names if is_key(model, name)]
    if actor is not None and keys:
        guards.require_superuser(actor, ", ".join(keys))


def _delete(road: Road, rows: QuerySet[Any], /) -> Around | None:
    return road.removing(rows)


_QUESTIONS: dict[str, Callable[..., Around | None]] = {
    "bulk_create": _create,
    "bulk_update": _rewrite,
    "update": _update,
    "delete": _delete,
}


def _watch_single_rows(model: Any) -> None:
    own_save_base, delete = vars(model).get("save_base"), model.delete

    @wraps(model.save_base)
    def asking_save(self: models.Model, *args: Any, **options: Any) -> Any:
        using = options.get("using") or router.db_for_write(model, instance=self)
        road = _roads[model]
        names = [field.name for field in model._meta.concrete_fields]
        is_there = self.pk is not None and (
            model._base_manager.using(using).filter(pk=self.pk).exists()
        )
        around = (
            road.rewriting([self], using, names) if is_there else road.adding([self], using, ())
        )
        # Where it is inherited, found when it is called: others may watch it by then.
        save = (
            super(model, self).save_base if own_save_base is None else own_save_base.__get__(self)
        )
        return _within(_listed(around), using, lambda _: save(*args, **options))

    @wraps(delete)
    def asking_delete(self: models.Model, *args: Any, **options: Any) -> Any:
        using = (
            options.get("using")
            or next(iter(args), None)
            or router.db_for_write(model, instance=self)
        )
        around = _roads[model].removing(model._base_manager.using(using).filter(pk=self.pk))
        return _within(_listed(around), using, lambda _: delete(self, *args, **options))

    model.save_base, model.delete = asking_save, asking_delete


def _listed(around: Around | None) -> list[Around]:
    return [] if around is None else [around]


def _within(
    around: Iterable[Around], using: str, write: Callable[[Collection[Any] | None], Any]
) -> Any:
    """Write, all or nothing. Where somebody acts or owes, they can go on after a failure."""
    around = list(around)
    if not around:
        return write(None)
    may_go_on = acting.current() is not None or obligations.owed_for_writes() is not None
    with transaction.atomic(using=using, savepoint=may_go_on), ExitStack() as stack:
        named = [stack.enter_context(each) for each in around]
        return write(next((keys for keys in named if keys is not None), None))


@contextmanager
def _judged(model: type[models.Model]) -> Iterator[None]:
    """`bulk_update` calls `update`: what has been asked about is not asked about again."""
    token = _judged_model.set(model)
    try:
        yield
    finally:
        _judged_model.reset(token)
