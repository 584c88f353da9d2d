"""The list of events: narrowed, and paged by place instead of by number."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.core.validators import validate_ipv46_address
from django.http import HttpRequest
from django.utils.timezone import localtime

from authkit.admin.audit import finding
from authkit.admin.audit.days import REFUSAL, SIGN_IN, Days, days_of
from authkit.admin.audit.finding import Events, Narrowing, Place
from authkit.admin.audit.forms import NarrowingForm
from authkit.admin.audit.subjects import add_subject_names
from authkit.admin.lists import List

BELOW, ABOVE = "below", "above"
#: Counted no further than this.
MOST = 1000
#: A chart shows so many days unless a time is asked for, and no more than so many.
_USUAL_DAYS, _MOST_DAYS = 30, 90


class EventList(List):
    """One page of events. What was asked wrongly finds nothing, and says why."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Events:
        """Read what is asked; the form's own questions are not the site's."""
        self.form = NarrowingForm(
            _asked(request),
            site=self.model_admin.admin_site,
            request=request,
            recorded=finding.recorded_kinds(),
        )
        self.narrowing = self.form.narrowing() if self.form.is_valid() else None
        found: Events = super().get_queryset(request, exclude_parameters)
        return found

    def get_filters_params(self, params: Any = None) -> Any:
        """What is left for the site to understand: links such as `?actor__exact=5`."""
        left = super().get_filters_params(params)
        ours = {*NarrowingForm.base_fields, BELOW, ABOVE}
        return {name: value for name, value in left.items() if name not in ours}

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        """The newest first, and nothing else: that is what there are indexes for."""
        return ["-at", "-id"]

    def read(self, request: HttpRequest) -> None:
        """Read one page, without counting all."""
        self.page = finding.page(
            self.branches,
            self.list_per_page,
            below=Place.read(request.GET.get(BELOW, "")),
            above=Place.read(request.GET.get(ABOVE, "")),
        )
        self.result_list = self.page.events
        add_subject_names(self.result_list)
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, self.list_per_page)

    @cached_property
    def branches(self) -> list[Events]:
        """What is looked for, in parts that an index answers."""
        queryset: Any = self.queryset
        if self.narrowing is None:
            return [queryset.none()]
        return self.narrowing.branches_of(queryset)

    @cached_property
    def count(self) -> int:
        """How many there are; one more than `MOST` for many."""
        if not (self.page.has_newer or self.page.has_older):
            return len(self.result_list)
        return finding.number_of(self.branches, MOST)

    @property
    def most(self) -> int:
        """Counted no further than this."""
        return MOST

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked at all."""
        return self.narrowing != Narrowing() or bool(self.get_filters_params())

    def newer_url(self) -> str:
        """The page above."""
        return self._url({ABOVE: Place.of(self.result_list[0])}) if self.result_list else ""

    def older_url(self) -> str:
        """The page below."""
        return self._url({BELOW: Place.of(self.result_list[-1])}) if self.result_list else ""

    def newest_url(self) -> str:
        """The first page."""
        return self._url({})

    def days(self) -> Days | None:
        """Sign-ins and refusals of each day that is looked at, for the same people and places."""
        kinds = None if self.narrowing is None else self.narrowing.kinds
        is_about_them = kinds is None or not {SIGN_IN, REFUSAL}.isdisjoint(kinds)
        is_first_page = not {BELOW, ABOVE} & set(self.params)
        if self.narrowing is None or not is_about_them or not is_first_page:
            return None
        first, last = self.form.days()
        last = last or localtime().date()
        first = first or last - timedelta(days=_USUAL_DAYS - 1)
        first = max(first, last - timedelta(days=_MOST_DAYS - 1))
        return days_of(first, last, events=self.queryset, narrowing=self.narrowing)

    def _url(self, place: dict[str, Place]) -> str:
        new = {name: str(value) for name, value in place.items()}
        return self.get_query_string(new, remove=[BELOW, ABOVE])


def _asked(request: HttpRequest) -> dict[str, str]:
    """The questions; what was typed into the site's own search is a name or an address."""
    asked = {name: request.GET.get(name, "") for name in NarrowingForm.base_fields}
    text = request.GET.get(SEARCH_VAR, "").strip()
    if text:
        asked["address" if _is_address(text) else "name"] = text
    return asked


def _is_address(text: str) -> bool:
    try:
        validate_ipv46_address(text)
    except ValidationError:
        return False
    return True
