"""What the pages share: forms that say what is wrong, and answers that stay nowhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from authkit import resolved
from authkit.accounts import current, links, registration
from authkit.accounts.refusals import text_of
from authkit.exceptions import AuthkitError, Busy, TooManyAttempts
from authkit.kernel.grant import Grant

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.views.generic.base import View as _View
else:
    _View = object

_BUSY = 503
_TOO_MANY = 429


@method_decorator(transaction.non_atomic_requests, name="dispatch")
@method_decorator(sensitive_post_parameters(), name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class PageMixin(_View):
    """A page. No cache keeps it, and its address, which may hold a key, is told to nobody."""

    title: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and say what may be done with the answer."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer" if kwargs.get("key") else "same-origin"
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What every page says."""
        context = super().get_context_data(**kwargs)  # type: ignore[misc]
        form = context.get("form")
        if form is not None:
            tie(form)
        return {
            "title": self.title,
            "pages": links.PAGES,
            "may_register": registration.is_open(),
            "page_name": getattr(self.request.resolver_match, "url_name", ""),
            **context,
        }


class FormPage(PageMixin, FormView, ABC):  # type: ignore[type-arg]
    """A form, and what happens when it is sent. A refusal is said above it."""

    template_name = "authkit/pages/form.html"
    button: Any = ""

    def form_valid(self, form: Any) -> Any:
        """Do it, or say why not."""
        try:
            done = self.act(form)
        except ValidationError as error:
            add_errors(form, error)
        except AuthkitError as refusal:
            return self.refuse(form, refusal)
        else:
            return done or HttpResponseRedirect(self.get_success_url())
        return self.form_invalid(form)

    @abstractmethod
    def act(self, form: Any) -> HttpResponseBase | None:
        """Do what the form asks for; None leads to `success_url`."""

    def refuse(self, form: Any, refusal: AuthkitError) -> HttpResponseBase:
        """Show the form again, with a refusal above it."""
        text = _(refusal.public_message)
        if isinstance(refusal, TooManyAttempts):
            text = text_of(refusal)
        form.add_error(None, ValidationError(text, refusal.code))
        response = self.form_invalid(form)
        if isinstance(refusal, TooManyAttempts):
            come_back(response, refusal)
        elif isinstance(refusal, Busy):
            response.status_code = _BUSY
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the text of the button."""
        return super().get_context_data(button=self.button, **kwargs)


def come_back(response: HttpResponseBase, refusal: TooManyAttempts) -> None:
    """Say with the answer that it was too often, and for how long (RFC 6585 §4)."""
    response.status_code = _TOO_MANY
    response.headers["Retry-After"] = str(refusal.retry_after)


class Page(PageMixin, TemplateView):
    """A page without a form of its own."""


class SignedInMixin(_View):
    """For people who have signed in with this browser, and not for programs with a token."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send strangers to the sign-in page."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url(f"{links.PAGES}:sign_in"))
        if self.grant.kind != "session":
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def grant(self) -> Grant:
        """What the cookie is worth."""
        found = current.grant_of(self.request)
        if found is None:
            raise PermissionDenied
        return found

    @cached_property
    def person(self) -> AbstractUser:
        """Who it is: the instance itself, not Django's stand-in that loads it when touched."""
        found = resolved.cookie(self.request)
        if found is None:
            raise PermissionDenied
        return cast("AbstractUser", found[0])


def add_errors(form: Any, error: ValidationError) -> None:
    """Put errors beside the fields that they are about, and the rest above the form."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for name, found in by_field.items():
        form.add_error(name if name in form.fields else None, found)


def tie(form: BaseForm) -> None:
    """Tie each field to its help and its errors, for who hears the page instead of seeing it."""
    for bound in form:
        if bound.is_hidden:
            continue
        ids = []
        if bound.errors:
            bound.field.widget.attrs["aria-invalid"] = "true"
            ids.append(f"{bound.auto_id}_problem")
        if bound.help_text:
            ids.append(f"{bound.auto_id}_help")
        if ids:
            bound.field.widget.attrs["aria-describedby"] = " ".join(ids)
