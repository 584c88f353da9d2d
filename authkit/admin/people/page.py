"""The page of a person: what they are, what can be done, and the newest of all that is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.admin.utils import quote, unquote
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from authkit.accounts import care
from authkit.admin import asking
from authkit.admin.base import ModelAdmin, Text, is_person, url_of
from authkit.admin.people import facts
from authkit.admin.people.acts import ACTS, Act, Told
from authkit.admin.people.doing import has_power, perform
from authkit.admin.people.panels import Panel, View
from authkit.admin.people.parts import PANELS
from authkit.admin.personal import Place


@dataclass(frozen=True, slots=True)
class Button:
    """What a button says, where it leads, and whether something ends by it."""

    text: Text
    url: str
    is_grave: bool


class PageOfPerson(ModelAdmin):
    """Shows the parts of a person's page, and answers its buttons."""

    change_form_template = "admin/authkit/people/person.html"

    def get_acts(self, request: HttpRequest) -> list[Act]:
        """What can be done to people; a project takes away or adds."""
        return ACTS

    def get_panels(self, request: HttpRequest, person: Any) -> list[Panel]:
        """What is shown of a person below their form."""
        view = View(self.admin_site, request, person)
        return [panel for panel in (make(view) for make in PANELS) if panel is not None]

    def get_person_links(self, request: HttpRequest, person: Any) -> list[Place]:
        """Links at the head of the page, beside the history."""
        return []

    def may_act(self, request: HttpRequest, act: Act, person: Any = None) -> bool:
        """Whether the visitor has the permission for it; whom they reach, `care` says too.

        With a person: whether a project's own rules about single people let them.
        """
        if not is_person(request):
            return False
        if person is not None and not self.has_view_permission(request, person):
            return False
        if act.permission == "change":
            return bool(self.has_change_permission(request, person))
        return bool(request.user.has_perm(act.permission))

    def get_urls(self) -> list[URLPattern]:
        """The buttons' address, before ``<path:object_id>/`` takes it."""
        view = self.admin_site.admin_view(self.act_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        return [path("<path:object_id>/act/<slug:slug>/", view, name=name), *super().get_urls()]

    @method_decorator(sensitive_post_parameters(asking.PASSWORD))
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def act_view(self, request: HttpRequest, object_id: str, slug: str) -> HttpResponse:
        """Answer a button: ask first where that is due, do it, and go back to the page.

        A browser that only comes by (after signing in again, by its history) is shown the page.
        """
        if request.method != "POST":
            return HttpResponseRedirect(url_of(self.admin_site, self.model, "change", object_id))
        act = next((act for act in self.get_acts(request) if act.slug == slug), None)
        if act is None:
            raise Http404
        if not self.has_view_or_change_permission(request) or not self.may_act(request, act):
            raise PermissionDenied
        key = unquote(object_id)
        person = self.get_object(request, key) if key.isprintable() else None
        if person is None:
            raise Http404
        care.require_power([person], actor=cast(AbstractBaseUser, request.user), request=request)
        if not self.may_act(request, act, person):
            raise PermissionDenied
        back = url_of(self.admin_site, self.model, "change", quote(person.pk))
        question = asking.Question(act.text, act.question, act.text, back, (str(person),))
        asked = asking.answered(request, self, question, takes_recent_sign_in=act.is_grave)
        if asked is not None:
            return asked
        told = perform(self, request, person, act)
        if isinstance(told, Told):
            self.message_user(request, told.text, told.level)
            return HttpResponseRedirect(back)
        return told

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show it."""
        if obj is not None:
            context["authkit_facts"] = list(facts.of(View(self.admin_site, request, obj)))
            context["authkit_links"] = self.get_person_links(request, obj)
            context["authkit_buttons"] = self._buttons(request, obj)
            context["authkit_panels"] = self.get_panels(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _buttons(self, request: HttpRequest, person: Any) -> list[Button]:
        if not has_power(request, person):
            return []
        return [
            Button(
                act.text,
                url_of(self.admin_site, self.model, "act", quote(person.pk), act.slug),
                act.is_grave,
            )
            for act in self.get_acts(request)
            if self.may_act(request, act, person) and act.fits(person, request.user)
        ]
