"""Past the last page that is counted: the list goes on from a row, along its own order.

``?beyond=…`` names the row after which it begins, by the columns that the list is sorted by,
and what the list was narrowed to, for which alone it means something. No rows are skipped
one by one, so the last of a million come as fast as the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.signing import Signer
from django.db.models import Field, Model, Q

#: The parameter of a URL.
BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Column:
    """One of those by which a list is sorted."""

    field: Field[Any, Any]
    is_descending: bool


def columns_of(model: type[Model], order: Sequence[Any]) -> list[Column]:
    """What a list is sorted by, up to the column that tells all rows apart.

    None where nobody could say what comes after a row: by an expression, by another table,
    or by what may be empty.
    """
    found: list[Column] = []
    for part in order:
        field = _field_of(model, part)
        if field is None:
            return []
        found.append(Column(field, part.startswith("-")))
        if field.unique:
            return found
    return []


def mark(row: Model, columns: Sequence[Column], which: str) -> str:
    """The parameter with which the list begins after a row.

    Args:
        row: that one.
        columns: by which the list is sorted.
        which: what else tells it from other lists.
    """
    values = [column.field.value_to_string(row) for column in columns]
    return _signer().sign_object([_print_of(columns, which), *values])


def after(text: str, columns: Sequence[Column], which: str) -> Q | None:
    """Which rows come later than the one that is marked; None where it is of another list.

    Raises:
        BadSignature: it was not made here.
    """
    made_for, *texts = _signer().unsign_object(text)
    if made_for != _print_of(columns, which):
        return None
    later, same, bound = Q(pk__in=[]), Q(), Q()
    for column, value in zip(columns, texts, strict=True):
        name, what = column.field.name, column.field.to_python(value)
        comes_later = "lt" if column.is_descending else "gt"
        later |= same & Q(**{f"{name}__{comes_later}": what})
        same &= Q(**{name: what})
        # What follows from the rest: no database finds by an OR where in an index to begin.
        bound = bound or Q(**{f"{name}__{comes_later}e": what})
    return bound & later


def _field_of(model: type[Model], part: object) -> Any:
    if not isinstance(part, str):
        return None
    name = part.lstrip("-")
    try:
        field: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return None if not field.concrete or field.null or field.is_relation else field


def _signer() -> Signer:
    return Signer(salt="authkit.beyond")


def _print_of(columns: Sequence[Column], which: str) -> str:
    order = [(column.field.name, column.is_descending) for column in columns]
    return hashlib.sha256(f"{order}{which}".encode(errors="backslashreplace")).hexdigest()[:16]
