"""The explain page: pick a person, an endpoint, an action; read the verdict and the chain."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit.access import policies
from authkit.admin.base import key_in
from authkit.admin.explain.answers import Answer, NoSuchObject, answer
from authkit.admin.explain.forms import Question
from authkit.admin.page import PageAdmin, page

Explain = page("Explain", gettext_lazy("access explained"))


@admin.register(Explain)
class ExplainAdmin(PageAdmin):
    """Answers by GET, so that an answer has an address: ``?user=5&access=api.article:update``.

    It shows rules and who has which role, so it takes the permissions to view both.
    """

    view_permissions = ("authkit.view_rule", "authkit.view_assignment")

    class Media:
        js: ClassVar = ("authkit/named.js",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask and answer."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = _asked(request)
        data = asked if asked.get("access") or asked.get("name") else None
        form = Question(data, initial=asked, site=self.admin_site, request=request)
        found = self._answer(form) if data is not None and form.is_valid() else None
        person = form.cleaned_data.get("user") if found is not None else None
        request.current_app = self.admin_site.name
        context = self.context(
            request,
            form=form,
            answer=found,
            person=_("a stranger") if person is None else str(person),
            accesses=_accesses(),
            media=self.media + form.media,
        )
        return TemplateResponse(request, "admin/authkit/explain/explain.html", context)

    def _answer(self, form: Question) -> Answer | None:
        asked = form.cleaned_data
        try:
            return answer(asked["user"], asked["access"], asked["object"], now=timezone.now())
        except NoSuchObject as error:
            form.add_error("object", str(error))
            return None


def _asked(request: HttpRequest) -> dict[str, str]:
    """What was asked; a person who cannot be is left out, for the field would choke on them."""
    asked = {name: request.GET.get(name, "") for name in ("user", "name", "access", "object")}
    if asked["user"] and key_in(get_user_model(), asked["user"]) is None:
        asked["user"] = ""
    return asked


def _accesses() -> list[str]:
    """What can be asked about, for the list below the field."""
    endpoints = policies.current().snapshot.endpoints
    return [f"{key}:{action}" for key in sorted(endpoints) for action in endpoints[key].cells]
