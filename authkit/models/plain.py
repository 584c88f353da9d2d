"""Whether making an instance of a model is nothing but setting its attributes.

`Model.__init__` runs through every field and tells whoever listens. Where nobody does and
no class says otherwise, an instance can be made by setting its attributes at once.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, TypeVar

from django.db import models
from django.db.models.base import ModelState
from django.db.models.fields.files import FileDescriptor, ImageFileDescriptor
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init

M = TypeVar("M", bound=models.Model)

#: What these do where a value is set for the first time is to keep it.
_PLAIN_ATTRIBUTES = (
    DeferredAttribute,
    ForeignKeyDeferredAttribute,
    FileDescriptor,
    ImageFileDescriptor,
)


def is_plain(model: type[models.Model]) -> bool:
    """Whether `made_of` makes of a row of `model` what the ORM would have made."""
    is_heard = bool(pre_init.receivers or post_init.receivers) and (
        pre_init.has_listeners(model) or post_init.has_listeners(model)
    )
    return not is_heard and _is_written_plainly(model)


def made_of(model: type[M], alias: str, attributes: dict[str, Any]) -> M:
    """An instance of a plain model, as read from the database `alias`."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding = False
    state.db = alias
    instance.__dict__ = {"_state": state, **attributes}
    return instance


@lru_cache(maxsize=16)
def _is_written_plainly(model: type[models.Model]) -> bool:
    is_usual = (
        model.__init__ is models.Model.__init__
        and model.__new__ is models.Model.__new__
        and model.__setattr__ is models.Model.__setattr__
        and model.from_db.__func__ is models.Model.from_db.__func__  # type: ignore[attr-defined]
        and not model._meta.parents
    )
    attributes = [field.attname for field in model._meta.concrete_fields]
    return is_usual and all(
        type(inspect.getattr_static(model, name)) in _PLAIN_ATTRIBUTES for name in attributes
    )
