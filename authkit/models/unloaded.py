"""An instance of which only the primary key is known yet.

Django's own deferred fields are loaded one by one, each with its query, and making an
instance of them runs through every field of the model. This one is made in a microsecond
and loads everything with the first field that is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NoReturn, TypeVar

from django.db import models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)
Refuse = Callable[[], NoReturn]


def unloaded(model: type[M], pk: Any, *, using: str, refuse: Refuse) -> M:
    """An instance of `model` with this primary key, found in the database `using`.

    When a field is touched that the row turns out not to be there for, `refuse` is
    called, which raises. So it is for a row that says that it is not active.
    """
    attribute = _plain_key_of(model)
    if attribute is None:
        instance = model.from_db(using, [model._meta.pk.attname], [pk])
    else:
        instance = model.__new__(model)
        state = ModelState()
        state.adding = False
        state.db = using
        instance.__dict__["_state"] = state
        instance.__dict__[attribute] = pk
    instance.__dict__["refresh_from_db"] = partial(_load, instance, refuse)
    return instance


@lru_cache(maxsize=8)
def _plain_key_of(model: type[models.Model]) -> str | None:
    """The attribute of the key, if nothing watches how instances of `model` are made."""
    is_watched = (
        model.__init__ is not models.Model.__init__
        or model.from_db.__func__ is not models.Model.from_db.__func__  # type: ignore[attr-defined]
        or models.signals.pre_init.has_listeners(model)
        or models.signals.post_init.has_listeners(model)
    )
    return None if is_watched or model._meta.parents else model._meta.pk.attname


def _load(instance: Any, refuse: Refuse, *args: Any, **kwargs: Any) -> None:
    """Stand in for `refresh_from_db`, once."""
    del instance.__dict__["refresh_from_db"]
    missing = instance.get_deferred_fields()
    if missing:
        people = type(instance)._default_manager.using(instance._state.db)
        found = people.filter(pk=instance.pk).values(*missing).first()
        if found is None:
            refuse()
        instance.__dict__.update(found)
    if not getattr(instance, "is_active", True):
        refuse()
    is_about_one_field = kwargs.get("fields") is not None or (len(args) > 1 and args[1] is not None)
    if not is_about_one_field:
        instance.refresh_from_db(*args, **kwargs)
