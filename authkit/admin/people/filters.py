"""By what the list of people can be narrowed: questions that an administrator has.

None of them joins the table of people to another, which would need DISTINCT: they ask in
subqueries, whose indexes are there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authkit.access import holders
from authkit.accounts import lockouts, names
from authkit.admin.base import Text, key_in
from authkit.kernel.policy import ANYONE, AUTHENTICATED
from authkit.models import (
    Assignment,
    BearerToken,
    Role,
    SignInName,
    SocialAccount,
    Throttle,
    UserSession,
)

LONG_AGO = timedelta(days=90)
_LATELY = timedelta(days=30)
_MOST_CHOICES = 200


class Question(admin.SimpleListFilter, ABC):
    """A filter; where `about` is set, for those who may view these rows on this site."""

    about: ClassVar[type[Model] | None] = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        """The answers to choose from; none hides the filter, and then it does nothing."""
        if self.about is not None:
            site = model_admin.admin_site
            page = site.get_model_admin(self.about) if site.is_registered(self.about) else None
            if page is None or not page.has_view_permission(request):
                return []
        return list(self.answers())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to one of the answers; to nobody by what is none."""
        value = self.value()
        if not value:
            return queryset
        known = {str(answer) for answer, _text in self.lookup_choices}
        return queryset.filter(self.which(value)) if value in known else queryset.none()

    @abstractmethod
    def answers(self) -> list[tuple[str, Text]]:
        """What there is to choose from."""

    @abstractmethod
    def which(self, answer: str) -> Q:
        """Whom that is true of."""


class LastSignInFilter(Question):
    """Never, not for long, or lately."""

    title = _("last sign-in")
    parameter_name = "signed_in"

    def answers(self) -> list[tuple[str, Text]]:
        """How long ago."""
        return [
            ("never", _("never")),
            ("long_ago", _("inactive for 90 days")),
            ("lately", _("within 30 days")),
        ]

    def which(self, answer: str) -> Q:
        """By the sign-in; a session or token in use keeps nobody inactive."""
        now = timezone.now()
        if answer == "never":
            return Q(last_login__isnull=True)
        if answer == "lately":
            return Q(last_login__gte=now - _LATELY)
        return Q(last_login__lt=now - LONG_AGO) & _not_in_use_since(now - LONG_AGO)


def _not_in_use_since(at: datetime) -> Q:
    """Two questions: of one that asks for either, PostgreSQL makes no join."""
    theirs = {"user": OuterRef("pk")}
    seen = UserSession.objects.filter(last_seen_at__gte=at, **theirs)
    used = BearerToken.objects.filter(last_used_at__gte=at, **theirs)
    return ~Q(Exists(seen)) & ~Q(Exists(used))


class LockedOutFilter(Question):
    """Whoever is locked out now."""

    title = _("locked out")
    parameter_name = "locked_out"
    about = Throttle

    def answers(self) -> list[tuple[str, Text]]:
        """One: there are few of them."""
        return [("now", _("now"))]

    def which(self, answer: str) -> Q:
        """By the lock-outs that are live."""
        live = lockouts.live(now=timezone.now()).filter(user__isnull=False)
        return Q(pk__in=live.order_by().values("user"))


class AddressFilter(Question):
    """Whether they have proved that their e-mail address is theirs."""

    title = _("e-mail address")
    parameter_name = "address"

    def answers(self) -> list[tuple[str, Text]]:
        """Confirmed or not."""
        return [("unconfirmed", _("not confirmed")), ("confirmed", _("confirmed"))]

    def which(self, answer: str) -> Q:
        """Who has none has not confirmed it either."""
        own = SignInName.objects.filter(user=OuterRef("pk"), kind=names.EMAIL)
        confirmed = Q(Exists(own.filter(verified_at__isnull=False)))
        return confirmed if answer == "confirmed" else ~confirmed


class RoleFilter(Question):
    """Who has a role now: given to them or to a group of theirs, by itself or in another."""

    title = _("role")
    parameter_name = "role"
    about = Assignment

    def answers(self) -> list[tuple[str, Text]]:
        """Each role that not everybody has."""
        rows = Role.objects.exclude(slug__in=(ANYONE, AUTHENTICATED)).order_by("name")
        return [(role.slug, str(role)) for role in rows.only("slug", "name")[:_MOST_CHOICES]]

    def which(self, answer: str) -> Q:
        """By the assignments in force."""
        return holders.having_role(answer, now=timezone.now())


class ProviderFilter(Question):
    """Who has linked an account there."""

    title = _("provider")
    parameter_name = "provider"
    about = SocialAccount

    def answers(self) -> list[tuple[str, Text]]:
        """Jump from each provider to the next along the index."""
        found: list[tuple[str, Text]] = []
        for _step in range(_MOST_CHOICES):
            last = found[-1][0] if found else ""
            rows = SocialAccount.objects.filter(provider__gt=last).order_by("provider")
            provider = rows.values_list("provider", flat=True).first()
            if provider is None:
                break
            found.append((provider, provider))
        return found

    def which(self, answer: str) -> Q:
        """By the linked accounts."""
        return Q(pk__in=SocialAccount.objects.filter(provider=answer).order_by().values("user"))


class GroupFilter(Question):
    """Who is in a group: Django's own filter would join, and sort a million people for that."""

    title = _("group")
    parameter_name = "group"

    def answers(self) -> list[tuple[str, Text]]:
        """Each group."""
        rows = Group.objects.order_by("name").values_list("pk", "name")[:_MOST_CHOICES]
        return [(str(key), name) for key, name in rows]

    def which(self, answer: str) -> Q:
        """By the table between."""
        field = get_user_model()._meta.get_field("groups")
        through: Any = field.remote_field.through
        rows = through._base_manager.filter(
            **{field.m2m_reverse_field_name(): key_in(Group, answer)}
        )
        return Q(pk__in=rows.values(field.m2m_field_name()))
