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
from django.db.models.query_utils import DeferredAttribute

from authkit.models.plain import is_plain, made_of

M = TypeVar("M", bound=models.Model)
Refuse = Callable[[], NoReturn]


def unloaded(model: type[M], pk: Any, *, using: str, refuse: Refuse) -> M:
    """An instance of `model` with this primary key, found in the database `using`.

    When a field is touched that the row turns out not to be there for, `refuse` is
    called, which raises. So it is for a row that says that it is not active.
    """
    return _unloaded(model, pk, using, refuse)[0]


def loaded(model: type[M], pk: Any, *, using: str, refuse: Refuse) -> M:
    """The same, loaded at once."""
    instance, loader = _unloaded(model, pk, using, refuse)
    loader.load()
    return instance


@lru_cache(maxsize=16)
def is_told_by_columns(model: type[models.Model]) -> bool:
    """Whether columns, or constants, say what a person is, and not a project's own code."""
    told_by = (
        inspect.getattr_static(model, name, False)
        for name in ("is_active", "is_staff", "is_superuser")
    )
    return all(isinstance(each, bool) or type(each) is DeferredAttribute for each in told_by)


def _unloaded(model: type[M], pk: Any, using: str, refuse: Refuse) -> tuple[M, _Loader]:
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
    return instance, loader


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
            people = type(instance)._default_manager.using(instance._state.db)
            found = people.filter(pk=instance.pk).first()
            if found is None or not getattr(found, "is_active", True):
                self.refuse()
            is_just_kept = is_plain(type(instance))
            for name in missing:
                value = getattr(found, name)
                if is_just_kept:
                    instance.__dict__[name] = value
                else:
                    setattr(instance, name, value)
        for name in ("refresh_from_db", "__getstate__"):
            instance.__dict__.pop(name, None)
