"""A forgotten password."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy

from authkit.accounts import link_keys, links, recovery
from authkit.exceptions import KeyNotValid
from authkit.models import LinkKey
from authkit.pages import forms
from authkit.pages.base import FormPage
from authkit.pages.keyed import KeyedPage


class ForgotPage(FormPage):
    """Ask for a link."""

    form_class = forms.AddressForm
    success_url = reverse_lazy(f"{links.PAGES}:sent")
    title = gettext_lazy("Forgotten your password?")
    button = gettext_lazy("Send me a link")
    extra_context = {  # noqa: RUF012 - as in Django
        "lead": gettext_lazy("We send you a link with which you can set a new one.")
    }

    def act(self, form: Any) -> None:
        """Send it, if there is anybody to send it to."""
        recovery.ask_for_reset(form.cleaned_data["email"], self.request)


class ResetPage(KeyedPage):
    """Set a new password, by the link in a mail."""

    page = "reset"

    template_name = "authkit/pages/reset.html"
    form_class = forms.NewPasswordForm
    title = gettext_lazy("Set a new password")
    button = gettext_lazy("Set it")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether the link is good, and whether it is done."""
        if not kwargs.get("is_done"):
            kwargs["is_valid"] = self._is_valid()
        return super().get_context_data(**kwargs)

    def act(self, form: Any) -> HttpResponseBase:
        """Set it. Every session ends; nobody is signed in by this."""
        try:
            recovery.reset(self.key, form.cleaned_data["new_password"], self.request)
        except ValidationError as error:
            raise ValidationError({"new_password": error.error_list}) from None
        return self.finish(form)

    def _is_valid(self) -> bool:
        try:
            purpose = LinkKey.Purpose.RESET_PASSWORD
            link_keys.look_up(self.key, purpose, now=timezone.now())
        except KeyNotValid:
            return False
        return True
