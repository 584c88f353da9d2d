"""What authkit's pages in the admin site have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from authkit import sessions
from authkit.accounts import current
from authkit.admin.lists import List, is_pattern, leads_away
from authkit.kernel.grant import Grant
from authkit.models.prepared import has_field

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

#: For people's eyes: text, or one that is translated when it is shown.
Text: TypeAlias = "str | _StrPromise"


class ListingAdmin(ModelAdmin):
    """Answers made-up addresses and selections of its list with a refusal, not a failure."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list."""
        return List

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse patterns, and other tables, unless a filter of the list asks them."""
        if is_pattern(lookup):
            return False
        if leads_away(self.model, lookup):
            is_asked_here = self._offers(request, lookup) or self._is_choice(lookup, value)
            return is_asked_here and super().lookup_allowed(lookup, value, request)
        return super().lookup_allowed(lookup, value, request)

    def _offers(self, request: HttpRequest, lookup: str) -> bool:
        """Whether a filter of the list, made by whoever wrote the page, asks by this."""
        specs = (
            spec[0] if isinstance(spec, list | tuple) else getattr(spec, "parameter_name", spec)
            for spec in self.get_list_filter(request)
        )
        names = [spec for spec in specs if isinstance(spec, str)]
        return any(lookup == name or lookup.startswith(f"{name}__") for name in names)

    def _is_choice(self, lookup: str, value: Any) -> bool:
        """Whether a `limit_choices_to` of some model asks this, in the window for choosing."""
        for limits in self.model._meta.related_fkey_lookups:
            asked = url_params_from_lookup_dict(limits() if callable(limits) else limits)
            if (lookup, value) in asked.items():
                return True
        return False

    def response_action(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run an action; made-up primary keys are the caller's mistake."""
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if any(key_in(self.model, text) is None for text in selected):
            raise BadRequest("no such rows")
        return super().response_action(request, *args, **kwargs)


class ReadOnlyAdmin(ListingAdmin):
    """Shows rows that authkit alone writes. Nobody edits or deletes them, superusers included.

    Nothing here counts a whole table. A request that is made with a personal access token
    sees nothing: such tokens are for the project's API, not for running the house.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    #: Columns that no page shows, and that no URL may find out letter by letter.
    hidden: ClassVar[tuple[str, ...]] = ()

    class Media:
        css: ClassVar = {"all": ("authkit/admin.css",)}
        js: ClassVar = ("authkit/named.js",)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """The row; none for an id that no database could hold."""
        if not object_id.isprintable():
            return None
        found: Model | None = super().get_object(request, object_id, from_field)
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the site's first page names this one."""
        return is_person(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the rows are shown."""
        return is_person(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds what did not happen."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes what did happen."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only along with the person: their page asks here whether these rows may go too.

        Deleted by itself, a row would tell no other process that something has ended.
        """
        match = request.resolver_match
        is_elsewhere = match is not None and getattr(match.func, "model_admin", None) is not self
        return obj is not None and is_elsewhere

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse to narrow a list by a hidden column."""
        is_hidden = lookup.partition("__")[0] in self.hidden
        return not is_hidden and super().lookup_allowed(lookup, value, request)


def is_person(request: HttpRequest) -> bool:
    """Whether somebody has signed in to make this request, and not out since.

    An access token may outlive its sign-in for a while; nothing that lasts is done with it.
    """
    grant = current.grant_of(request)
    if grant is None or grant.kind == "session":
        return True
    if grant.session_id is None:
        return False
    known: dict[Grant, bool] = request.__dict__.setdefault("_authkit_live", {})
    if grant not in known:
        user = cast(AbstractBaseUser, request.user)
        known[grant] = sessions.is_live(user, grant.session_id, now=timezone.now())
    return known[grant]


def key_in(model: type[Model], text: str) -> Any:
    """The primary key of `model` that a text means; None for one that no row could have."""
    field: Any = model._meta.pk
    try:
        key = field.to_python(text)
        field.run_validators(key)  # a number may be too large for the database
    except (ValidationError, OverflowError):
        return None
    return key if "\0" not in text else None


def names_of_people() -> list[str]:
    """The columns of the user model by which people are known."""
    model: Any = get_user_model()
    names = dict.fromkeys([model.USERNAME_FIELD, model.get_email_field_name()])
    return [name for name in names if has_field(model, name)]


def url_of(admin_site: admin.AdminSite, model: type[Model], page: str, *arguments: object) -> str:
    """The address of one of a model's pages."""
    name = f"{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(f"admin:{name}", args=arguments, current_app=admin_site.name)


def list_of(admin_site: admin.AdminSite, model: type[Model], **which: object) -> str:
    """The address of a model's list, narrowed."""
    return f"{url_of(admin_site, model, 'changelist')}?{urlencode(which)}"
