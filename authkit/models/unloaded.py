"""An instance of which only the primary key is known yet.

Django's own deferred fields are loaded one by one, each with its query, and making an
instance of them runs through every field of the model. This one is made in a microsecond
and loads everything with the first field that is touched.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from types import MethodType
from typing import Any, NoReturn, TypeVar
from weakref import ref

from django.db import models

from authkit.models.plain import is_plain, made_of
from authkit.models.prepared import has_field

M = TypeVar("M", bound=models.Model)
Refuse = Callable[[], NoReturn]


def unloaded(model: type[M], pk: Any, *, using: str, refuse: Refuse) -> M:
    """An instance of `model` with this primary key, found in the database `using`.

    When a field is touched that the row turns out not to be there for, `refuse` is
    called, which raises. So it is for a row that says that it is not active.
    """
    attribute = model._meta.pk.attname
    if is_plain(model):
        instance = made_of(model, using, {attribute: pk})
    else:
        instance = model.from_db(using, [attribute], [pk])
    loader = _Loader(instance)
    loader.refuse = refuse
    own = instance.__dict__
    own["refresh_from_db"] = loader.refresh_from_db
    own["__getstate__"] = loader.getstate
    return instance


def loaded(model: type[M], pk: Any, *, using: str, refuse: Refuse) -> M:
    """The same, loaded at once."""
    instance = unloaded(model, pk, using=using, refuse=refuse)
    instance.__dict__["refresh_from_db"].__self__.load()
    return instance


@lru_cache(maxsize=16)
def is_told_by_columns(model: type[models.Model]) -> bool:
    """Whether columns, or constants, say what a person is, and not a project's own code."""
    return all(
        has_field(model, name) or isinstance(inspect.getattr_static(model, name, False), bool)
        for name in ("is_active", "is_staff", "is_superuser")
    )


def is_unloaded(instance: object) -> bool:
    """Whether only the primary key of this instance is known yet."""
    return isinstance(getattr(instance, "__dict__", {}).get("__getstate__"), MethodType)


class _Loader(ref[Any]):
    """Stands in for two methods of an instance until it has loaded it.

    Django calls `refresh_from_db` when a missing field is touched, and `__getstate__` when
    an instance is copied or pickled: a copy must not hang from the request that its
    original was made for, so it is loaded first.

    It refers to the instance weakly, for the instance holds it: both would be left to the
    garbage collector.
    """

    __slots__ = ("refuse",)

    refuse: Refuse

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Load everything that is missing, and refresh what the caller asks for besides."""
        self.load()
        is_about_fields = kwargs.get("fields") is not None or (len(args) > 1 and bool(args[1]))
        if not is_about_fields:
            self._its_instance().refresh_from_db(*args, **kwargs)

    def getstate(self) -> Any:
        """What a copy is made from."""
        self.load()
        return self._its_instance().__getstate__()

    def _its_instance(self) -> Any:
        instance = self()
        if instance is None:
            raise ReferenceError("the instance is gone")
        return instance

    def load(self) -> None:
        """Load, and step aside; where that is refused, stay and refuse again."""
        instance = self._its_instance()
        missing = instance.get_deferred_fields()
        if missing:
            rows = type(instance)._default_manager.using(instance._state.db)
            found = rows.filter(pk=instance.pk).values(*missing).first()
            if found is None or not found.get("is_active", True):
                self.refuse()
            if is_plain(type(instance)):
                instance.__dict__.update(found)
            else:
                for name, value in found.items():
                    setattr(instance, name, value)
            if not getattr(instance, "is_active", True):
                self.refuse()
        for name in ("refresh_from_db", "__getstate__"):
            instance.__dict__.pop(name, None)
