"""The list of people: nothing in it counts a whole table, or sorts one."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from authkit.admin.lists import List
from authkit.admin.people.searching import HELP, MANY, has_many


class Capped(int):
    """A count that was broken off: "10000+"."""

    __slots__ = ()

    def __str__(self) -> str:
        """As people write it."""
        return f"{int(self)}+"


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # takes no argument at runtime
    """Counts to `MANY` and no further; there the pages end as well."""

    @cached_property
    def count(self) -> int:
        """How many, or that they are many."""
        rows: Any = self.object_list
        counted = rows.order_by()[: MANY + 1].count()
        return Capped(MANY) if counted > MANY else int(counted)


class ListOfPeople(List):
    """One page of people."""

    #: How many there are, roughly, where the database keeps that in mind; None elsewhere.
    authkit_estimate: int | None = None

    def read(self, request: HttpRequest) -> None:
        """Say what was not counted."""
        super().read(request)
        model = self.model_admin.model
        if not has_many(request, model):
            return
        if not self.search_help_text:
            self.search_help_text = HELP  # type: ignore[assignment]
        if isinstance(self.result_count, Capped):
            self.can_show_all = False
            if not self.query and not self.get_filters_params():
                self.authkit_estimate = estimate(self.root_queryset)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Only by columns that the list offers for it, whatever a URL says."""
        if ORDER_VAR in self.params and self.sortable_by is not None:
            wanted = str(self.params[ORDER_VAR]).split(".")
            self.params[ORDER_VAR] = ".".join(each for each in wanted if self._is_offered(each))
        return super().get_ordering(request, queryset)

    def _is_offered(self, position: str) -> bool:
        try:
            name = self.list_display[int(position.rpartition("-")[2])]
        except (IndexError, ValueError):
            return False
        return name in self.sortable_by  # type: ignore[operator]


def estimate(queryset: QuerySet[Any]) -> int | None:
    """How many rows the table has by the statistics of PostgreSQL; None if nobody knows."""
    connection = connections[queryset.db]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)",
            [connection.ops.quote_name(queryset.model._meta.db_table)],
        )
        row = cursor.fetchone()
    return row[0] if row and row[0] >= 0 else None
