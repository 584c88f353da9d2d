"""Sign-ins and refusals a day, drawn on the server: SVG without script, style or library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.admin import AdminSite
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from authkit.admin.audit.days import Days
from authkit.admin.audit.forms import ALL_OF
from authkit.admin.base import list_of
from authkit.models import AuditEvent

_STEP, _BAR, _HEIGHT = 10, 8, 100


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of one row, in the units of the drawing; texts, so that no locale touches them."""

    x: str
    y: str
    height: str
    title: str


@dataclass(frozen=True, slots=True)
class Series:
    """A row of bars with a scale of its own: an attack must not flatten the sign-ins."""

    name: str
    title: str
    description: str
    most: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Line:
    """One day of the table that says the same."""

    day: str
    url: str
    sign_ins: str
    refusals: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    series: Sequence[Series]
    lines: Sequence[Line]
    view_box: str
    first: str
    last: str


def chart_of(days: Days, site: AdminSite) -> Chart:
    """Draw some days; each line of the table leads to the events of its day."""
    dates = [day.date for day in days.all]
    sign_ins = [day.sign_ins for day in days.all]
    refusals = [day.refusals for day in days.all]
    return Chart(
        series=[
            _series("sign-ins", _("Sign-ins a day"), dates, sign_ins),
            _series("refusals", _("Refused sign-ins a day"), dates, refusals),
        ],
        lines=[
            Line(
                _long(day.date),
                events_of(site, day.date, day.date),
                number_format(day.sign_ins),
                number_format(day.refusals),
            )
            for day in reversed(days.all)
        ],
        view_box=f"0 0 {len(dates) * _STEP} {_HEIGHT}",
        first=_long(dates[0]),
        last=_long(dates[-1]),
    )


def events_of(site: AdminSite, first: date, last: date, kind: str = f"login{ALL_OF}") -> str:
    """The list of the events of some days."""
    return list_of(site, AuditEvent, kind=kind, since=first.isoformat(), until=last.isoformat())


def _series(name: str, title: str, dates: Sequence[date], counts: Sequence[int]) -> Series:
    most = max(counts)
    bars = [
        _bar(number, day, count, most)
        for number, (day, count) in enumerate(zip(dates, counts, strict=True))
    ]
    return Series(name, title, _described(dates, counts, most), number_format(most), bars)


def _bar(number: int, day: date, count: int, most: int) -> Bar:
    """A day on which anything happened is seen, however little it was."""
    height = max(-(-count * _HEIGHT // most), 2) if count else 0
    text = f"{_long(day)}: {number_format(count)}"
    return Bar(str(number * _STEP + 1), str(_HEIGHT - height), str(height), text)


def _described(dates: Sequence[date], counts: Sequence[int], most: int) -> str:
    total = sum(counts)
    span = _("From %(first)s to %(last)s:") % {"first": _long(dates[0]), "last": _long(dates[-1])}
    in_all = _("%(count)s in all")
    said = f"{span} {in_all % {'count': number_format(total)}}"
    if not total:
        return f"{said}."
    peak = _("at most %(most)s in a day, on %(day)s") % {
        "most": number_format(most),
        "day": _long(dates[counts.index(most)]),
    }
    return f"{said}, {peak}."


def _long(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
