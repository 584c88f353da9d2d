"""Pages of the admin site that are no lists of rows, and stand beside those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import django
from django.apps import AppConfig, apps
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path

from authkit.admin.base import Text, is_person

if TYPE_CHECKING:
    Base = ModelAdmin[Any]
else:
    Base = ModelAdmin


class PageOptions:
    """As much of a model's `_meta` as an admin site asks for to list a page."""

    app_label = "authkit"
    abstract = False
    swapped = False
    is_composite_pk = False

    def __init__(self, name: str, verbose_name: Text) -> None:
        """Name it, for addresses and for people."""
        self.object_name = name
        self.model_name = name.lower()
        self.verbose_name = self.verbose_name_plural = verbose_name

    @property
    def app_config(self) -> AppConfig:
        """The app under which it is listed."""
        return apps.get_app_config(self.app_label)

    @property
    def label(self) -> str:
        """As models are named."""
        return f"{self.app_label}.{self.object_name}"

    @property
    def label_lower(self) -> str:
        """As models are named."""
        return f"{self.app_label}.{self.model_name}"


def page(name: str, verbose_name: Text) -> type[Model]:
    """What is registered with an admin site for a page, in the place of a model.

    Not a model, so it makes no table, no permission and no migration.
    """
    kind: Any = type(name, (), {"_meta": PageOptions(name, verbose_name)})
    found: type[Model] = kind
    return found


class PageAdmin(Base):
    """Registers a page: its one view stands where the list of a model would.

    It is for people alone; personal access tokens never open it.
    """

    #: All of these are needed to see it.
    view_permissions: ClassVar[tuple[str, ...]] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the site's first page names it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether it is shown."""
        return is_person(request) and request.user.has_perms(self.view_permissions)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is nothing to add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """There is nothing that the site could change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """There is nothing to delete."""
        return False

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        """The one address."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        """What every page of the site needs, for a template."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.opts.verbose_name,
            "has_list_of_breadcrumbs": django.VERSION >= (6, 1),
            **more,
        }
