"""What stands on the page of a person, below their form: the newest of each, and the way to all.

A panel is shown where the site has the pages of what is in it, and to whoever may view
those. Each costs the same however much there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from authkit.access import holders
from authkit.accounts import lockouts
from authkit.admin import browser
from authkit.admin.assignment import state_of
from authkit.admin.base import Text, list_of, url_of
from authkit.admin.personal import Place
from authkit.admin.states import state_of_session, state_of_token
from authkit.models import (
    Assignment,
    AuditEvent,
    BearerToken,
    SocialAccount,
    Throttle,
    UserSession,
)

#: So many rows of each.
NEWEST = 10

#: Events whose subject is a person, by the beginning of their kind.
ABOUT_PEOPLE = (
    *("account.", "email.", "lockout.", "login.", "mail.", "password.", "people."),
    *("session.", "social.", "token."),
    *("access.assignment_", "access.glass_", "access.person_"),
)


@dataclass(frozen=True, slots=True)
class View:
    """Whose page it is, and who looks at it, on which site."""

    site: admin.AdminSite
    request: HttpRequest
    person: Any

    def may_look(self, model: type[Model]) -> bool:
        """Whether the site has pages of these rows, and the visitor may view them."""
        if not self.site.is_registered(model):
            return False
        return bool(self.site.get_model_admin(model).has_view_permission(self.request))

    def row(self, row: Model, text: Text) -> Place:
        """The link to the page of a row."""
        return Place(text, url_of(self.site, type(row), "change", quote(row.pk)))

    def all_of(self, model: type[Model], text: Text, **which: object) -> Place:
        """The link to the list, narrowed."""
        return Place(text, list_of(self.site, model, **which))


Cell: TypeAlias = "Place | Text"


@dataclass(frozen=True, slots=True)
class Panel:
    """One part of the page.

    Attributes:
        slug: for its address within the page.
        title: what it is.
        headings: of its columns.
        rows: cells; the first of each heads its row.
        links: where there is more.
    """

    slug: str
    title: Text
    headings: Sequence[Text]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[Place] = ()

    @property
    def named_rows(self) -> list[list[tuple[Text, Cell]]]:
        """Each cell with its heading, which stands before it where the page is narrow."""
        return [list(zip(self.headings, row, strict=True)) for row in self.rows]


def roles_by_groups(view: View) -> Panel | None:
    """What they have by their groups; what was given to them stands in the form."""
    if not view.may_look(Assignment):
        return None
    given = holders.given_to(view.person).filter(group__isnull=False)
    given = given.select_related("role", "group").order_by("role__slug", "pk")
    rows = list(given[: NEWEST + 1])
    return Panel(
        "roles-by-groups",
        _("Roles by groups"),
        (_("Role"), _("Group"), _("From"), _("Until"), _("State")),
        [
            (
                view.row(row, str(row.role)),
                str(row.group),
                moment(row.starts_at),
                moment(row.ends_at),
                state_of(row),
            )
            for row in rows[:NEWEST]
        ],
        [view.all_of(Assignment, _("All assignments to groups"), group__isnull=False)]
        if len(rows) > NEWEST
        else (),
    )


def sessions(view: View) -> Panel | None:
    """Where they signed in last."""
    if not view.may_look(UserSession):
        return None
    found = UserSession.objects.filter(user_id=view.person.pk).order_by("-created_at", "pk")
    rows, now = list(found[:NEWEST]), timezone.now()
    for row in rows:
        row.user = view.person
    return Panel(
        "sessions",
        _("Sessions"),
        (_("Signed in at"), _("State"), _("Kind"), _("Browser"), _("IP address"), _("Last seen")),
        [
            (
                view.row(row, moment(row.created_at)),
                state_of_session(row, now=now).text,
                row.get_kind_display(),
                browser.name_of(row.user_agent),
                row.ip or "",
                moment(row.last_seen_at),
            )
            for row in rows
        ],
        [view.all_of(UserSession, _("All sessions of this person"), user__exact=view.person.pk)],
    )


def tokens(view: View) -> Panel | None:
    """Their personal access tokens; what carries a sign-in stands with the sessions."""
    if not view.may_look(BearerToken):
        return None
    found = BearerToken.objects.filter(user_id=view.person.pk, session__isnull=True)
    rows, now = list(found.order_by("-created_at", "pk")[:NEWEST]), timezone.now()
    for row in rows:
        row.user = view.person
    return Panel(
        "tokens",
        _("Personal access tokens"),
        (_("Name"), _("State"), _("Made at"), _("Last used"), _("Until")),
        [
            (
                view.row(row, row.name or row.pk),
                state_of_token(row, now=now).text,
                moment(row.created_at),
                moment(row.last_used_at),
                moment(row.expires_at),
            )
            for row in rows
        ],
        [view.all_of(BearerToken, _("All tokens of this person"), user__exact=view.person.pk)],
    )


def linked_accounts(view: View) -> Panel | None:
    """Their accounts at providers, where there is social login."""
    if not view.may_look(SocialAccount):
        return None
    found = SocialAccount.objects.filter(user_id=view.person.pk).order_by("-last_used_at", "pk")
    return Panel(
        "linked-accounts",
        _("Linked accounts"),
        (_("Provider"), _("Name there"), _("E-mail address there"), _("Linked"), _("Last used")),
        [
            (
                view.row(row, row.provider),
                row.display_name,
                row.email,
                moment(row.created_at),
                moment(row.last_used_at),
            )
            for row in found.defer("claims", "sealed_tokens")[:NEWEST]
        ],
        [view.all_of(SocialAccount, _("All linked accounts"), user__exact=view.person.pk)],
    )


def lock_outs(view: View) -> Panel | None:
    """What keeps them out now."""
    if not view.may_look(Throttle):
        return None
    live = lockouts.live(now=timezone.now()).filter(lockouts.of_person(view.person.pk))
    rows = list(live.order_by("-locked_at", "pk")[:NEWEST])
    return Panel(
        "lock-outs",
        _("Lock-outs"),
        (_("What"), _("Address"), _("How many"), _("Since"), _("Until")),
        [
            (
                view.row(row, row.get_scope_display()),
                row.address or _("from everywhere"),
                str(row.failed),
                moment(row.locked_at),
                moment(row.ends_at),
            )
            for row in rows
        ],
        [view.all_of(Throttle, _("All lock-outs of this person"), user__exact=view.person.pk)]
        if rows
        else (),
    )


def events(view: View) -> Panel | None:
    """What they did last, and what was done to them."""
    if not view.may_look(AuditEvent):
        return None
    key = view.person.pk
    kinds = Q()
    for beginning in ABOUT_PEOPLE:
        kinds |= Q(kind__startswith=beginning)
    newest = AuditEvent.objects.order_by("-at", "-id").defer("data")
    found = {
        row.pk: row
        for some in (newest.filter(actor=key), newest.filter(kinds, subject=str(key)))
        for row in some[:NEWEST]
    }
    rows = sorted(found.values(), key=lambda row: (row.at, row.pk), reverse=True)[:NEWEST]
    return Panel(
        "events",
        _("Last events"),
        (_("Time"), _("Event"), _("Who"), _("IP address"), _("Browser")),
        [
            (
                view.row(row, moment(row.at)),
                row.kind,
                row.actor_name,
                row.ip or "",
                browser.name_of(row.user_agent),
            )
            for row in rows
        ],
        [
            view.all_of(AuditEvent, _("All that they did"), actor__exact=key),
            view.all_of(AuditEvent, _("All that was done to them"), subject__exact=key),
        ],
    )


#: In the order of the page. Other parts of authkit, and a project, add to it;
#: `PersonAdmin.get_panels` has the last word.
PANELS: list[Callable[[View], Panel | None]] = [
    roles_by_groups,
    sessions,
    tokens,
    linked_accounts,
    lock_outs,
    events,
]


def moment(at: Any) -> str:
    """A time for people, in the current time zone; nothing for none."""
    return "" if at is None else f"{localtime(at):%Y-%m-%d %H:%M}"
