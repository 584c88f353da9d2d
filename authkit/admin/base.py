"""What authkit's pages in the admin site have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from authkit.access.guards import holds_at_least
from authkit.accounts import current
from authkit.models.prepared import has_field

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


@dataclass(frozen=True, slots=True)
class Place:
    """A button or link on a page: its text and where it leads."""

    text: str | Promise
    url: str


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows that authkit alone writes. Nobody edits or deletes them, superusers included.

    Nothing here counts a whole table. A request that is made with a personal access token
    sees nothing: such tokens are for the project's API, not for running the house.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    hidden: tuple[str, ...] = ()  # columns that no page shows and no URL may ask about

    class Media:
        css = {"all": ("authkit/admin.css",)}  # noqa: RUF012 - as Django has it

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the pages are listed."""
        return _is_person(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the rows are shown."""
        return _is_person(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds what did not happen."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes what did happen."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only along with what a row belongs to.

        A deleted row would tell no other process that something has ended. But when a
        person is deleted, their page asks here whether the rows that go too may go.
        """
        return obj is not None and not self._is_own_page(request)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Refuse URLs that would find out a hidden column letter by letter."""
        if lookup.partition("__")[0] in self.hidden:
            return False
        if request is None:
            return False
        return super().lookup_allowed(lookup, value, request)

    def _is_own_page(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is None or getattr(match.func, "model_admin", None) is self


class PersonalAdmin(ReadOnlyAdmin):
    """Rows that belong to a person, their `user`, and that can be ended.

    Ending takes the model's change permission, and at least what the person holds.
    """

    list_select_related = ("user",)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whether rows may be ended at all; whose, `require_power_over` says."""
        codename = get_permission_codename("change", self.opts)
        return _is_person(request) and request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def require_power_over(self, request: HttpRequest, people: Iterable[Any]) -> None:
        """Refuse (403) if one of these people holds more than whoever asks."""
        if not all(holds_at_least(request.user, person) for person in people):
            raise PermissionDenied

    def owners_of(self, rows: QuerySet[Any]) -> Iterable[Any]:
        """The people to whom these rows belong."""
        manager: Any = get_user_model()._base_manager
        return list(manager.filter(pk__in=rows.order_by().values("user")))

    def buttons_for(self, obj: Any) -> dict[str, str | Promise]:
        """What can be done from the page of a row: the last part of a URL, and its text."""
        return {}

    def press(self, request: HttpRequest, name: str, obj: Any) -> None:
        """Do what the button of this name says."""
        raise NotImplementedError

    def links_for(self, request: HttpRequest, obj: Any) -> list[Place]:
        """What to look at next, from the page of a row."""
        return []

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Find by whatever the project's users are known by."""
        return [*(f"user__{name}" for name in names_of_people()), *self.search_fields]

    def get_urls(self) -> list[URLPattern]:
        """The buttons' addresses, before `<path:object_id>` takes them."""
        url = "<path:object_id>/press/<slug:name>/"
        press = path(url, self.admin_site.admin_view(self.press_view), name=self._name("press"))
        return [press, *super().get_urls()]

    @method_decorator(require_POST)
    def press_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Answer a button."""
        obj: Any = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined,no-any-return]
                request, self.opts, object_id
            )
        if not self.has_end_permission(request) or name not in self.buttons_for(obj):
            raise PermissionDenied
        self.require_power_over(request, [obj.user])
        self.press(request, name, obj)
        return HttpResponseRedirect(self.url_of("change", object_id))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the buttons to those who may press them."""
        obj = kwargs.get("obj")
        if obj is not None:
            context["authkit_links"] = self.links_for(request, obj)
            may_end = self.has_end_permission(request) and holds_at_least(request.user, obj.user)
            context["authkit_buttons"] = [
                Place(text, self.url_of("press", obj.pk, name))
                for name, text in self.buttons_for(obj).items()
                if may_end
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def url_of(self, page: str, *arguments: object) -> str:
        """The address of one of this admin's pages."""
        return reverse(
            f"admin:{self._name(page)}", args=arguments, current_app=self.admin_site.name
        )

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


def names_of_people() -> list[str]:
    """The columns of the user model by which people are known."""
    model: Any = get_user_model()
    names = dict.fromkeys([model.USERNAME_FIELD, model.get_email_field_name()])
    return [name for name in names if has_field(model, name)]


def list_of(model: type[Model], **which: object) -> str:
    """The address of a model's list, narrowed."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    query = "&".join(f"{key}={value}" for key, value in which.items())
    return f"{url}?{query}"


def _is_person(request: HttpRequest) -> bool:
    grant = current.grant_of(request)
    return grant is None or not grant.is_personal


PERSON = _("user")
