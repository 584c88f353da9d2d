"""The list of people: nothing in it counts a whole table, or sorts one."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.paginator import Paginator
from django.core.signing import BadSignature
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from authkit.admin.lists import List
from authkit.admin.people import beyond
from authkit.admin.people.beyond import BEYOND
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
    #: Whether this is the part of the list past its first `MANY` rows.
    authkit_is_beyond = False
    #: Where it goes on behind its last page, and where it begins.
    authkit_further_url = ""
    authkit_first_url = ""

    def read(self, request: HttpRequest) -> None:
        """Say what was not counted."""
        super().read(request)
        model = self.model_admin.model
        if not has_many(request, model):
            return
        if not self.search_help_text:
            self.search_help_text = HELP  # type: ignore[assignment]
        if self.authkit_is_beyond:
            self.authkit_first_url = self.get_query_string(remove=[BEYOND])
        if isinstance(self.result_count, Capped):
            self.can_show_all = False
            if self.multi_page and self.page_num == self.paginator.num_pages:
                self._lead_further()
            if not self.query and not self.get_filters_params():
                self.authkit_estimate = estimate(self.root_queryset)

    def _lead_further(self) -> None:
        """From the last page that is counted, to what comes after its last row."""
        columns, rows = self._columns(), self.result_list
        if columns and rows:
            last = rows[len(rows) - 1]
            mark = beyond.mark(last, columns, self._which())
            self.authkit_further_url = self.get_query_string({BEYOND: mark})

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """What narrows the list; where it begins does not."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(BEYOND, None)
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Those who are asked for; past the first `MANY`, from where the URL says."""
        rows = super().get_queryset(request, exclude_parameters)
        self._order = rows.query.order_by
        self._query = request.GET
        columns = self._columns()
        if BEYOND not in request.GET or not columns:
            return rows
        try:
            later = beyond.after(request.GET[BEYOND], columns, self._which())
        except BadSignature as error:
            raise IncorrectLookupParameters(error) from error
        if later is None:
            return rows
        self.authkit_is_beyond = True
        return rows.filter(later)

    def _columns(self) -> list[beyond.Column]:
        return beyond.columns_of(self.model, self._order)

    def _which(self) -> str:
        """What the URL narrows the list to."""
        known = {BEYOND, PAGE_VAR, ERROR_FLAG, ORDER_VAR}
        return repr(sorted(pair for pair in self._query.lists() if pair[0] not in known))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Only by columns that the list offers for it, whatever a URL says.

        Among many, only in an order in which each row has its place: else nobody could go
        on behind the last page.
        """
        if ORDER_VAR in self.params and self.sortable_by is not None:
            wanted = str(self.params[ORDER_VAR]).split(".")
            self.params[ORDER_VAR] = ".".join(each for each in wanted if self._is_offered(each))
        order: list[Any] = super().get_ordering(request, queryset)
        is_endless = not beyond.columns_of(self.model, order) and has_many(request, self.model)
        return ["-pk"] if is_endless else order

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
