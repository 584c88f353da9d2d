"""Pages on which access is changed: what the guards refuse is an error on the form."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from authkit.access.refusals import GuardRefusal
from authkit.admin.base import ListingAdmin, is_person
from authkit.admin.keys import ChoosingByKey

_REFUSAL = "_authkit_refusal"


class GuardedAdmin(ChoosingByKey, ListingAdmin):
    """Shows a refusal of the guards beside what was typed, and keeps all of it.

    The guards themselves live below the forms and bind every other page as well, which
    answers with 403. A personal access token opens none of these pages.
    """

    show_full_result_count = False
    list_per_page = 50

    class Media:
        css: ClassVar = {"all": ("authkit/admin.css",)}
        js: ClassVar = ("authkit/named.js",)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save, all or nothing; what is refused is told on the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except GuardRefusal as refusal:
            setattr(request, _REFUSAL, refusal)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        """The form; once it was refused it says so."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal: GuardRefusal | None = getattr(request, _REFUSAL, None)
        if refusal is None:
            return form
        problem = ValidationError(refusal.text, code=refusal.code)

        class Refused(form):  # type: ignore[misc, valid-type]
            def clean(self) -> Any:
                super().clean()
                raise problem

        return Refused

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the site's first page names this one."""
        return is_person(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it is shown."""
        return is_person(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether there may be more of it."""
        return is_person(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it may be changed."""
        return is_person(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it may go."""
        return is_person(request) and super().has_delete_permission(request, obj)
