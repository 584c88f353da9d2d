"""Sign in as the person of a page, to see what they see."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import django
from django import forms
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from authkit import conf
from authkit.access import impersonation
from authkit.accounts import current, impersonating, links, recent
from authkit.accounts.passwords import LONGEST
from authkit.accounts.refusals import text_of
from authkit.admin.base import url_of
from authkit.admin.people.page import PageOfPerson
from authkit.admin.personal import Place
from authkit.exceptions import (
    AuthkitError,
    CannotImpersonate,
    RecentSignInRequired,
    SignInRefused,
    TooManyAttempts,
    WrongPassword,
)
from authkit.impersonation.marking import way_back

#: What an administrator may be told on the form, and try again.
_TOLD = (WrongPassword, RecentSignInRequired, TooManyAttempts, SignInRefused)


class ReasonForm(forms.Form):
    """Why, and the administrator's own password if they gave it too long ago."""

    why = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("It is written down, with your name and theirs."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Your own password"),
        strip=False,
        max_length=LONGEST,
        widget=forms.PasswordInput(
            attrs={"class": "vTextField", "autocomplete": "current-password"}
        ),
    )


class ImpersonatingAdmin(PageOfPerson):
    """Adds the page to a ModelAdmin for people, for those who may."""

    def get_urls(self) -> list[URLPattern]:
        """Its address, before ``<path:object_id>/`` takes it."""
        view = self.admin_site.admin_view(self.impersonate_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_impersonate"
        return [path("<path:object_id>/impersonate/", view, name=name), *super().get_urls()]

    def get_person_links(self, request: HttpRequest, person: Any) -> list[Place]:
        """The way there, for those who may go it."""
        links = super().get_person_links(request, person)
        url = self.impersonate_url(request, person)
        return [Place(_("Sign in as this person"), url), *links] if url else links

    def impersonate_url(self, request: HttpRequest, person: Any) -> str:
        """Where this administrator signs in as a person; empty if they may not."""
        if person is None or not (impersonating.is_possible(request) and way_back()):
            return ""
        if not impersonation.may(request.user, person):
            return ""
        return url_of(self.admin_site, self.model, "impersonate", quote(person.pk))

    @method_decorator(sensitive_post_parameters("password"))
    @method_decorator(require_http_methods(["GET", "POST"]))
    @sensitive_variables("form", "given")
    def impersonate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, and do it."""
        key = unquote(object_id)
        person = self.get_object(request, key) if key.isprintable() else None
        if person is None:
            raise Http404
        if not (
            self.has_view_permission(request, person) and self.impersonate_url(request, person)
        ):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if _is_recent(request):
            del form.fields["password"]
        if request.method == "POST" and form.is_valid():
            try:
                return self._impersonate(request, person, form.cleaned_data)
            except CannotImpersonate as refusal:
                raise PermissionDenied from refusal
            except _TOLD as refusal:
                form.add_error(None, _text_of(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": person,
            "title": _("Sign in as %(name)s") % {"name": person},
            "form": form,
            "media": self.media,
            "has_list_of_breadcrumbs": django.VERSION >= (6, 1),
            "may_write": conf.get().impersonation_writes,
        }
        template = "admin/authkit/people/impersonate.html"
        status = HTTPStatus.OK if request.method == "GET" else HTTPStatus.BAD_REQUEST
        return TemplateResponse(request, template, context, status=status)

    @sensitive_variables("given")
    def _impersonate(
        self, request: HttpRequest, person: AbstractBaseUser, given: dict[str, Any]
    ) -> HttpResponse:
        impersonating.begin(
            request,
            person,
            password=given.get("password"),
            why=given["why"],
            back=url_of(self.admin_site, self.model, "change", quote(person.pk)),
        )
        self.log_change(request, person, _("Signed in as this person."))
        return HttpResponseRedirect(links.home())


def _is_recent(request: HttpRequest) -> bool:
    grant = current.grant_of(request)
    return grant is not None and recent.is_recent(grant, now=timezone.now())


def _text_of(refusal: AuthkitError) -> ValidationError:
    if isinstance(refusal, TooManyAttempts):
        return ValidationError(text_of(refusal), refusal.code)
    return ValidationError(_(refusal.public_message), refusal.code)
