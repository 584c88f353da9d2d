"""People as CSV, row by row, with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from authkit.accounts import names
from authkit.admin.audit.export import streamed
from authkit.admin.base import names_of_people
from authkit.kernel import visible
from authkit.models import SignInName
from authkit.models.prepared import has_field

_AT_A_TIME = 1000
_CONFIRMED = "email_confirmed"
_MORE = (
    *("first_name", "last_name", "is_active", "is_staff", "is_superuser"),
    *("date_joined", "last_login"),
)


def columns() -> tuple[str, ...]:
    """Who they are and whether they can get in; never what they prove it with."""
    model: Any = get_user_model()
    more = [name for name in _MORE if has_field(model, name)]
    return (model._meta.pk.name, *names_of_people(), *more, _CONFIRMED)


def respond(request: HttpRequest, people: QuerySet[Any]) -> StreamingHttpResponse:
    """The file, written while it is sent."""
    content = streamed(request, _lines(people, columns()))
    response = StreamingHttpResponse(content, content_type="text/csv")
    name = f"people-{timezone.localdate():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def harmless(value: object) -> str:
    """A cell, with an apostrophe before what a spreadsheet would take for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else visible.cell(str(value))


def _lines(people: QuerySet[Any], names_of_columns: Sequence[str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(names_of_columns)
    for row in _rows(people, names_of_columns):
        yield writer.writerow([harmless(value) for value in row])


def _rows(people: QuerySet[Any], names_of_columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """By their keys, some at a time: no cursor stays open however slow the client is."""
    own = SignInName.objects.filter(
        user=OuterRef("pk"), kind=names.EMAIL, verified_at__isnull=False
    )
    rows = people.order_by("pk").annotate(**{_CONFIRMED: Exists(own)})
    some = list(rows.values_list(*names_of_columns)[:_AT_A_TIME])
    while some:
        yield from some
        some = list(rows.filter(pk__gt=some[-1][0]).values_list(*names_of_columns)[:_AT_A_TIME])


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Hand it back."""
        return text
