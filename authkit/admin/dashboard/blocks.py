"""What the dashboard tells, block by block; each only for whoever may see what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from authkit.access import closed, policies
from authkit.admin.audit.days import REFUSAL, days_of
from authkit.admin.base import list_of, url_of
from authkit.admin.chart import Chart, chart_of, events_of
from authkit.admin.filters import ends_soon
from authkit.admin.personal import Place
from authkit.kernel import visible
from authkit.models import Assignment, AuditEvent, BearerToken, Endpoint, Throttle

DAYS = 30
#: A block names so many of what it counts, and counts no further than that.
SHOWN, MOST = 5, 1000


@dataclass(frozen=True, slots=True)
class Block:
    """One thing worth a look.

    Attributes:
        name: for addresses within the page.
        title: what it is about.
        says: how it stands, in a sentence.
        items: the first few of what it is about, each with where it leads.
        advice: what to do about it.
        links: where that is done.
        chart: drawn above all that.
    """

    name: str
    title: str
    says: str
    items: Sequence[Place] = ()
    advice: str = ""
    links: Sequence[Place] = ()
    chart: Chart | None = None


class Board:
    """The dashboard of one site, for one person."""

    def __init__(self, site: AdminSite, request: HttpRequest) -> None:
        """For whoever makes this request."""
        self.site = site
        self.request = request

    def blocks(self) -> Iterator[Block]:
        """Those that this person may see."""
        for model, block in (
            (AuditEvent, self._sign_ins),
            (Throttle, self._lockouts),
            (BearerToken, self._tokens),
            (Assignment, self._assignments),
            (Endpoint, self._endpoints),
        ):
            if self.may_see(model):
                yield block()

    def may_see(self, model: type[Model]) -> bool:
        """Whether the site has the model's page, and shows it to this person."""
        page = self.site._registry.get(model)
        return page is not None and page.has_view_permission(self.request)

    def _sign_ins(self) -> Block:
        last = localtime().date()
        first = last - timedelta(days=DAYS - 1)
        days = days_of(first, last)
        week = last - timedelta(days=6)
        return Block(
            "sign-ins",
            _("Sign-ins of the last 30 days"),
            _("Sign-ins: %(sign_ins)s, refused: %(refusals)s.")
            % {
                "sign_ins": number_format(days.sign_ins),
                "refusals": number_format(days.refusals),
            },
            advice=_(
                "Many refusals on a day, or from an address, may be somebody who guesses passwords."
            ),
            links=[
                Place(_("Refused sign-ins of a week"), events_of(self.site, week, last, REFUSAL)),
                Place(_("All events"), url_of(self.site, AuditEvent, "changelist")),
            ],
            chart=chart_of(days, self.site),
        )

    def _lockouts(self) -> Block:
        rows = self._rows(Throttle).select_related("user").order_by("-locked_at")
        number = _number_of(rows)
        says = ngettext("%(count)s lock-out now.", "%(count)s lock-outs now.", number)
        return Block(
            "lockouts",
            _("Locked out"),
            _says(says, number, _("Nobody is locked out.")),
            self._items(Throttle, rows, _lockout),
            _("They end by themselves. Unlock whom you know; look where the attempts came from.")
            if number
            else "",
            [Place(_("All lock-outs"), url_of(self.site, Throttle, "changelist"))],
        )

    def _tokens(self) -> Block:
        soon = self._rows(BearerToken).filter(
            ends_soon("expires_at"), session=None, revoked_at=None
        )
        rows = soon.select_related("user").order_by("expires_at")
        number = _number_of(rows)
        says = ngettext(
            "%(count)s personal access token expires within 14 days.",
            "%(count)s personal access tokens expire within 14 days.",
            number,
        )
        return Block(
            "tokens",
            _("Tokens that expire"),
            _says(says, number, _("No personal access token expires within 14 days.")),
            self._items(BearerToken, rows, _token),
            _("What works with them stops then. Make new ones in time, and revoke what is unused.")
            if number
            else "",
            [
                Place(
                    _("All of these tokens"),
                    list_of(self.site, BearerToken, state="soon", kind="personal"),
                )
            ],
        )

    def _assignments(self) -> Block:
        soon = self._rows(Assignment).filter(ends_soon("ends_at"))
        rows = soon.select_related("role", "user", "group").order_by("ends_at")
        number = _number_of(rows)
        says = ngettext(
            "%(count)s assignment ends within 14 days.",
            "%(count)s assignments end within 14 days.",
            number,
        )
        return Block(
            "assignments",
            _("Roles that end"),
            _says(says, number, _("No assignment ends within 14 days.")),
            self._items(Assignment, rows, _assignment),
            _("Whoever needs the role for longer needs a later end.") if number else "",
            [Place(_("All of these assignments"), list_of(self.site, Assignment, state="soon"))],
        )

    def _endpoints(self) -> Block:
        found = list(closed.closed_among(closed.reached(policies.current())))
        states = dict(
            self._rows(Endpoint).order_by().values_list("state").annotate(count=Count("pk"))
        )
        number = len(found)
        says = ngettext(
            "%(count)s endpoint lets nobody in but superusers.",
            "%(count)s endpoints let nobody in but superusers.",
            number,
        )
        return Block(
            "endpoints",
            _("Endpoints without a rule"),
            _says(says, number, _("Somebody is let in everywhere.")),
            [
                *(Place(self._closed(each), self._rule_page(each.key)) for each in found[:SHOWN]),
                *self._of_states(states),
            ],
            _endpoints_advice(bool(number), states),
            [Place(_("All endpoints"), url_of(self.site, Endpoint, "changelist"))],
        )

    def _closed(self, endpoint: closed.Closed) -> str:
        return _("%(key)s (new)") % {"key": endpoint.key} if endpoint.is_new else endpoint.key

    def _rule_page(self, key: str) -> str:
        """Where a rule is made for whoever may see rules; or else what there is to see."""
        for model in self.site._registry:
            if model._meta.label_lower == "authkit.matrix" and self.may_see(model):
                return list_of(self.site, model, endpoint=key)
        return list_of(self.site, Endpoint, q=key)

    def _of_states(self, states: dict[str, int]) -> Iterator[Place]:
        """What nobody has looked at, and what has vanished."""
        texts = {
            Endpoint.State.NEW: _("New, to be looked at: %(count)s"),
            Endpoint.State.RETURNED: _("Came back, to be looked at: %(count)s"),
            Endpoint.State.MISSING: _("Missing, with rules that reach nothing: %(count)s"),
        }
        for state, text in texts.items():
            if states.get(state):
                url = list_of(self.site, Endpoint, state__exact=str(state.value))
                yield Place(text % {"count": number_format(states[state])}, url)

    def _rows(self, model: type[Model]) -> QuerySet[Any]:
        """What the page of a model would show this person."""
        return self.site._registry[model].get_queryset(self.request)

    def _items(self, model: type[Model], rows: Iterable[Any], text_of: Any) -> list[Place]:
        """Each with the way to its own page."""
        some: Any = rows
        return [
            Place(text_of(row), url_of(self.site, model, "change", quote(row.pk)))
            for row in some[:SHOWN]
        ]


def _number_of(rows: QuerySet[Any]) -> int:
    """How many there are, counted no further than one more than `MOST`."""
    return rows.order_by()[: MOST + 1].count()


def _says(text: str, number: int, none: str) -> str:
    if not number:
        return none
    many = _("more than %(count)s") % {"count": number_format(MOST)}
    return text % {"count": many if number > MOST else number_format(number)}


def _endpoints_advice(has_closed: bool, states: dict[str, int]) -> str:
    if has_closed:
        return _("Say in the matrix or in code who may use them, or leave them closed.")
    if states.get(Endpoint.State.NEW) or states.get(Endpoint.State.RETURNED):
        return _("Rules with patterns count at an endpoint once somebody has looked at it.")
    return ""


def _lockout(row: Throttle) -> str:
    who = str(row.user) if row.user_id is not None else row.get_scope_display()
    return _said(who, row.address, row.ends_at)


def _token(row: BearerToken) -> str:
    return _said(str(row.user), row.name, row.expires_at)


def _assignment(row: Assignment) -> str:
    holder = _("group %s") % row.group if row.group is not None else str(row.user)
    return _said(holder, str(row.role), row.ends_at)


def _said(who: str, what: str, until: datetime | None) -> str:
    when = "" if until is None else date_format(localtime(until), "SHORT_DATETIME_FORMAT")
    parts = [visible.one_line(part) for part in (who, what) if part]
    return _("%(what)s, until %(when)s") % {"what": ", ".join(parts), "when": when}
