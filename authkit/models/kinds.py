"""A model under all its names: Django's signals and querysets name the exact class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models


def kinds_of(model: type[models.Model]) -> list[type[models.Model]]:
    """The model, its proxies and what inherits from it; when all models are there."""
    return [kind for kind in apps.get_models(include_auto_created=True) if issubclass(kind, model)]


def names_of(model: type[models.Model]) -> list[type[models.Model]]:
    """The model and its proxies: whoever deletes a row of another kind deletes one of these too."""
    return [kind for kind in kinds_of(model) if stored_as(kind) is model]


def stored_as(model: Any) -> Any:
    """The model that a proxy is another name of; else the model itself."""
    return model._meta.concrete_model


def parts_of(model: type[models.Model]) -> frozenset[type[models.Model]]:
    """The models under whose tables parts of its rows are stored, by the same primary key."""
    found = set()
    key: Any = stored_as(model)._meta.pk
    while key.remote_field is not None and getattr(key.remote_field, "parent_link", False):
        found.add(stored_as(key.related_model))
        key = stored_as(key.related_model)._meta.pk
    return frozenset(found)


def is_key(model: type[models.Model], name: str) -> bool:
    """Whether a field of a model, also an inherited one, is what its rows are known by."""
    keys = (field for field in model._meta.concrete_fields if field.primary_key)
    return name == "pk" or any(name in {field.name, field.attname} for field in keys)


def every_row(model: type[models.Model], using: str | None) -> models.QuerySet[Any]:
    """All rows of a model, also those that its managers hide."""
    rows: models.QuerySet[Any] = models.QuerySet(model=model, using=using)
    return rows


def plain_keys(model: type[models.Model], keys: Iterable[Any]) -> set[Any]:
    """Primary keys as the database would give them back, without those that are not there yet."""
    pk: Any = model._meta.pk
    return {
        key if hasattr(key, "resolve_expression") else pk.to_python(key)
        for key in keys
        if key is not None
    }
