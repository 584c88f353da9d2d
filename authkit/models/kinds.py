"""A model under all its names: Django's signals and querysets name the exact class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


def parts_of(model: type[models.Model]) -> dict[type[models.Model], str]:
    """The models under whose tables parts of its rows are stored.

    With each the name of what says which part is a row's: mostly ``pk``, as they share it.
    """
    found: dict[type[models.Model], str] = {}
    for parent, link in _links_of(model):
        path = "pk" if link.primary_key else link.name
        found[parent] = path
        for part, further in parts_of(parent).items():
            found.setdefault(part, _joined(path, further))
    return found


def _links_of(model: type[models.Model]) -> list[tuple[type[models.Model], Any]]:
    """The models from which one inherits directly, each with the field that leads there."""
    parents = stored_as(model)._meta.parents.items()
    return [(stored_as(parent), link) for parent, link in parents if link is not None]


def _joined(path: str, further: str) -> str:
    """A part of a part; what a part has is had by the row itself as well."""
    if path == "pk":
        return further
    return path if further == "pk" else f"{path}__{further}"


def part_keys(row: models.Model, part: type[models.Model]) -> set[Any]:
    """Under which keys a row may be about to store a part: by its own word, and by its links."""
    pk: Any = part._meta.pk
    names = {pk.attname}
    for kind in (type(row), *parts_of(type(row))):
        names.update(link.attname for parent, link in _links_of(kind) if parent is part)
    return {getattr(row, name) for name in names}


def is_key(model: type[models.Model], name: str) -> bool:
    """Whether a field of a model, also an inherited one, is what its rows are known by."""
    return name == "pk" or any(name in {key.name, key.attname} for key in _keys_of(model))


def _keys_of(model: type[models.Model]) -> Iterator[Any]:
    """Its primary key's fields, those of its parts, and the links to these."""
    for kind in (stored_as(model), *parts_of(model)):
        yield from kind._meta.pk_fields
        yield from (link for _, link in _links_of(kind))


def every_row(model: type[models.Model], using: str | None) -> models.QuerySet[Any]:
    """All rows of a model, also those that its managers hide."""
    rows: models.QuerySet[Any] = models.QuerySet(model=model, using=using)
    return rows


def plain_keys(model: type[models.Model], keys: Iterable[Any]) -> set[Any]:
    """Primary keys as the database would give them back, without those that are not there yet."""
    fields = model._meta.pk_fields
    return {_plain_key(fields, key) for key in keys if None not in _columns(key)}


def _plain_key(fields: Sequence[Any], key: Any) -> Any:
    if len(fields) == 1:
        return key if _is_expression(key) else fields[0].to_python(key)
    columns = zip(fields, _columns(key), strict=True)
    return tuple(value if _is_expression(value) else f.to_python(value) for f, value in columns)


def is_told(key: Any) -> bool:
    """Whether a primary key is there, and not left to the database to work out."""
    return not any(value is None or _is_expression(value) for value in _columns(key))


def _columns(key: Any) -> tuple[Any, ...]:
    """The values of a key, which may be of several columns."""
    return tuple(key) if isinstance(key, tuple | list) else (key,)


def _is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")
