"""The parts of a person's page, below their form: the newest of each, and the way to all."""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from authkit import event_kinds
from authkit.access import holders
from authkit.accounts import lockouts
from authkit.admin.assignment import state_of
from authkit.admin.people.panels import Panel, View, moment
from authkit.admin.states import state_of_session, state_of_token
from authkit.kernel import browser
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
        pgettext("of a person", "Sessions"),
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
    newest = AuditEvent.objects.order_by("-at", "-id").defer("data")
    about_them = newest.filter(event_kinds.about_people(), subject=str(key))
    found = {
        row.pk: row for some in (newest.filter(actor=key), about_them) for row in some[:NEWEST]
    }
    rows = sorted(found.values(), key=lambda row: (row.at, row.pk), reverse=True)[:NEWEST]
    return Panel(
        "events",
        _("Last events"),
        (_("Time"), _("Event"), _("Who"), _("IP address"), _("Browser")),
        [
            (
                view.row(row, moment(row.at)),
                event_kinds.described(row.kind),
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
