"""A row as it is stored, and as it is about to be."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)

_BEFORE = "_authkit_before"


def stored(row: M, using: str | None) -> M | None:
    """The row with this primary key, as the database has it."""
    if row.pk is None:
        return None
    model: Any = type(row)
    found: M | None = model._base_manager.using(using).filter(pk=row.pk).first()
    return found


def intended(row: M, before: M | None, update_fields: Collection[str] | None) -> M:
    """The row as it will be: only the named fields are written."""
    if before is None or update_fields is None:
        return row
    after = copy.copy(before)
    for field in row._meta.concrete_fields:
        if field.name in update_fields or field.attname in update_fields:
            setattr(after, field.attname, row.__dict__.get(field.attname))
    return after


def is_expression(value: object) -> bool:
    """Whether only the database can work out what this will be."""
    return hasattr(value, "resolve_expression")


def has_expressions(row: models.Model, names: Collection[str] | None = None) -> bool:
    """Whether a field of the row is given as an expression."""
    fields = row._meta.concrete_fields
    return any(
        is_expression(row.__dict__.get(field.attname))
        for field in fields
        if names is None or field.name in names
    )


def keep(row: models.Model, before: Any) -> None:
    """Remember until the row is saved or deleted what stood before."""
    row.__dict__[_BEFORE] = before


def kept(row: models.Model) -> Any:
    """What `keep` was given, once."""
    return row.__dict__.pop(_BEFORE, None)
