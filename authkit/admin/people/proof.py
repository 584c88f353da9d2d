"""What Django's own pages of people do that takes a recent sign-in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from authkit.admin import actions, asking
from authkit.admin.base import ModelAdmin
from authkit.models import Assignment

_FLAGS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")
_DELETE = "delete_selected"


class NotProved(Exception):
    """Something is about to be saved for which a recent sign-in is needed."""


class TakesProof(ModelAdmin):
    """Asks before somebody gets other names, flags, groups, roles or another password, or goes."""

    @method_decorator(sensitive_post_parameters(asking.PASSWORD))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save, once it is proved who does."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except NotProved:
            asked = asking.proved(request, self, _("Save what was changed"))
            return asked or super().changeform_view(request, object_id, form_url, extra_context)

    @method_decorator(sensitive_post_parameters(asking.PASSWORD))
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The same where a project lets people be edited in the list."""
        try:
            return super().changelist_view(request, extra_context)
        except NotProved:
            asked = asking.proved(request, self, _("Save what was changed"))
            return asked or super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stop before something grave is written."""
        if change and not _grave().isdisjoint(form.changed_data):
            _require_proof(request)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Stop before roles are given or taken."""
        if change and formset.model is Assignment and formset.has_changed():
            _require_proof(request)
        super().save_formset(request, form, formset, change)

    @method_decorator(sensitive_post_parameters(asking.PASSWORD))
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete, once it is proved who does."""
        is_asked = request.method == "POST" and self.has_delete_permission(request)
        asked = asking.proved(request, self, _("Delete")) if is_asked else None
        return asked or super().delete_view(request, object_id, extra_context)

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """The same for many."""
        offered: Any = super().get_actions(request, *actions.places(action_location))
        if _DELETE in offered:
            delete = actions.function_of(offered[_DELETE])

            def delete_people(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
                is_meant = "post" in request.POST
                asked = asking.proved(request, self, _("Delete")) if is_meant else None
                return asked or delete(admin, request, queryset)

            offered[_DELETE] = actions.doing(offered[_DELETE], delete_people)
        return offered

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - as in Django's
        """Set somebody's password on Django's page, once it is proved who does."""
        title = _("Set a new password")
        asked = asking.proved(request, self, title, keeps_what_was_sent=False)
        above: Any = super()
        return asked or above.user_change_password(request, id, form_url)


def _grave() -> set[str]:
    """What somebody signs in with, and what makes them more or less."""
    model: Any = get_user_model()
    return {*_FLAGS, "password", model.USERNAME_FIELD, model.get_email_field_name()}


def _require_proof(request: HttpRequest) -> None:
    if not asking.is_recent(request):
        raise NotProved
