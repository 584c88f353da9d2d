"""The list of people: find them, narrow them down, do something to many, take them along."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from authkit import audit
from authkit.accounts import care
from authkit.accounts.client import client_of
from authkit.admin import asking
from authkit.admin.base import names_of_people
from authkit.admin.people import exporting, filters, searching
from authkit.admin.people.acts import Act, Told
from authkit.admin.people.doing import perform
from authkit.admin.people.listing import CappedPaginator, ListOfPeople
from authkit.admin.people.page import PageOfPerson
from authkit.models.prepared import has_field

#: So many accounts are touched at once, and no more.
MOST_AT_ONCE = 200
_MOST_NAMED = 20


class ManyPeople(PageOfPerson):
    """The list. What it does to many is what the page of each does, all or nothing."""

    change_list_template = "admin/authkit/people/list.html"
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("unlock_people", "sign_out_people", "deactivate_people", "export_people")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Count and sort no more than is looked at."""
        return ListOfPeople

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Authkit's questions, and the project's."""
        project = [
            filters.GroupFilter if each == "groups" else each
            for each in super().get_list_filter(request)
        ]
        flags = [name for name in ("is_staff",) if has_field(self.model, name)]
        ours = [
            filters.LastSignInFilter,
            filters.LockedOutFilter,
            filters.AddressFilter,
            *flags,
            filters.RoleFilter,
            filters.ProviderFilter,
        ]
        return list(dict.fromkeys([*ours, *project]))

    def get_search_fields(self, request: HttpRequest) -> Any:
        """The project's, or whatever people are known by."""
        return super().get_search_fields(request) or names_of_people()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By an index where there are many, unless somebody asks to look everywhere."""
        term = search_term.strip()
        if not term or not searching.has_many(request, self.model):
            return super().get_search_results(request, queryset, search_term)
        if term.startswith(searching.EVERYWHERE):
            return super().get_search_results(request, queryset, term[1:])
        return searching.by_index(queryset, term), False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """No hash is found out letter by letter."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Where there are many, by what an index has in order already."""
        offered = super().get_sortable_by(request)
        if not searching.has_many(request, self.model):
            return offered
        return [
            name
            for name in offered
            if isinstance(name, str)
            and has_field(self.model, name)
            and searching.is_indexed(self.model, name)
        ]

    @method_decorator(sensitive_post_parameters(asking.PASSWORD))
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, or do something to many."""
        return super().changelist_view(request, extra_context)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Whether lock-outs may be ended."""
        return self._may(request, "unlock")

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        """Whether sessions may be ended."""
        return self._may(request, "sign-out")

    def has_deactivate_permission(self, request: HttpRequest) -> bool:
        """Whether accounts may be deactivated."""
        return self._may(request, "deactivate")

    @admin.action(description=gettext_lazy("Unlock the selected people"), permissions=["unlock"])
    def unlock_people(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Let them try again."""
        return self._to_many(request, queryset, "unlock_people", "unlock")

    @admin.action(
        description=gettext_lazy("Sign the selected people out everywhere"),
        permissions=["sign_out"],
    )
    def sign_out_people(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """End every session of each."""
        return self._to_many(request, queryset, "sign_out_people", "sign-out")

    @admin.action(
        description=gettext_lazy("Deactivate the selected people and end everything"),
        permissions=["deactivate"],
    )
    def deactivate_people(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Deactivate each account and end all that it has."""
        return self._to_many(request, queryset, "deactivate_people", "deactivate")

    @admin.action(
        description=gettext_lazy("Export the selected people as CSV"), permissions=["view"]
    )
    def export_people(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Hand out a file; it takes a recent sign-in, and is written down."""
        fields = [
            (name, value)
            for name in (ACTION_CHECKBOX_NAME, "select_across")
            for value in request.POST.getlist(name)
        ]
        question = self._question(request, _("Export as CSV"), "export_people", fields)
        asked = asking.answered(request, self, question, takes_recent_sign_in=True)
        if asked is not None:
            return asked
        across = request.POST.get("select_across") == "1"
        selected = len(request.POST.getlist(ACTION_CHECKBOX_NAME))
        audit.record(
            "people.exported",
            actor=cast(AbstractBaseUser, request.user),
            client=client_of(request),
            data={
                "columns": list(exporting.columns()),
                "selected": "all" if across else selected,
                "list": request.GET.urlencode(),
            },
        )
        return exporting.respond(request, queryset)

    def _may(self, request: HttpRequest, slug: str) -> bool:
        act = self._act(request, slug)
        return act is not None and self.may_act(request, act)

    def _act(self, request: HttpRequest, slug: str) -> Act | None:
        return next((act for act in self.get_acts(request) if act.slug == slug), None)

    def _to_many(
        self, request: HttpRequest, queryset: QuerySet[Any], action: str, slug: str
    ) -> HttpResponseBase | None:
        act = self._act(request, slug)
        people = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
        if act is None:
            return None
        if len(people) > MOST_AT_ONCE:
            text = _("That is for no more than %(count)d people at once. Nothing was changed.")
            self.message_user(request, text % {"count": MOST_AT_ONCE}, messages.ERROR)
            return None
        actor = cast(AbstractBaseUser, request.user)
        care.require_power(people, actor=actor, request=request)
        if not all(self.may_act(request, act, person) for person in people):
            raise PermissionDenied
        fields = [(ACTION_CHECKBOX_NAME, str(person.pk)) for person in people]
        question = self._question(request, act.text, action, fields, act, people)
        asked = asking.answered(request, self, question, takes_recent_sign_in=act.is_grave)
        if asked is None:
            self._do_to_many(request, people, act)
        return asked

    def _do_to_many(self, request: HttpRequest, people: list[Any], act: Act) -> None:
        with transaction.atomic():
            told = [perform(self, request, person, act) for person in people]
        done = sum(isinstance(one, Told) and one.level == messages.SUCCESS for one in told)
        text = ngettext("%(act)s: %(count)d person.", "%(act)s: %(count)d people.", done)
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, text % {"act": act.text, "count": done}, level)
        left = len(people) - done
        if left:
            text = ngettext(
                "There was nothing to be done for %(count)d person.",
                "There was nothing to be done for %(count)d people.",
                left,
            )
            self.message_user(request, text % {"count": left}, messages.WARNING)

    def _question(
        self,
        request: HttpRequest,
        title: Any,
        action: str,
        fields: list[tuple[str, str]],
        act: Act | None = None,
        people: list[Any] | None = None,
    ) -> asking.Question:
        named = [str(person) for person in (people or [])[:_MOST_NAMED]]
        return asking.Question(
            title,
            () if act is None else act.question,
            title,
            request.get_full_path(),
            named,
            max(0, len(people or []) - _MOST_NAMED),
            [("action", action), ("index", "0"), *fields],
        )
