"""Make an account, and prove that the address is one's own."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from authkit.accounts import addresses, links, registration
from authkit.pages import forms, offers
from authkit.pages.base import FormPage, Page
from authkit.pages.keyed import KeyedPage

_SENT = reverse_lazy(f"{links.PAGES}:sent")


class SignUpPage(FormPage):
    """A new account. The answer is the same whether or not the address is known."""

    template_name = "authkit/pages/sign_up.html"
    form_class = forms.SignUpForm
    success_url = _SENT
    title = gettext_lazy("Make an account")
    button = gettext_lazy("Make my account")

    def get_initial(self) -> dict[str, Any]:
        """With the invitation in the link."""
        return {"invitation": self._invitation()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the other ways to sign in, and whether there is a form to fill in."""
        return super().get_context_data(
            providers=offers.providers(),
            may_register=registration.is_open(self._invitation()),
            takes_invitation=registration.takes_invitation(),
            **kwargs,
        )

    def _invitation(self) -> str:
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        return str(given.get("invitation", ""))[:64]

    def act(self, form: Any) -> None:
        """Register."""
        registration.register(self.request, **form.cleaned_data)


class VerifyPage(KeyedPage):
    """Confirm an address, by the link in a mail; looking at the page confirms nothing."""

    page = "verify"

    template_name = "authkit/pages/verify.html"
    form_class = forms.ButtonForm
    title = gettext_lazy("Confirm your address")
    button = gettext_lazy("Confirm")

    def act(self, form: Any) -> HttpResponseBase:
        """Confirm the address, or take the new one."""
        addresses.verify(self.key, self.request)
        return self.finish(form)


class ResendPage(FormPage):
    """The link once more."""

    form_class = forms.AddressForm
    success_url = _SENT
    title = gettext_lazy("Send the link again")
    button = gettext_lazy("Send it")

    def act(self, form: Any) -> None:
        """Send it, if there is anybody to send it to."""
        addresses.resend(form.cleaned_data["email"], self.request)


class SentPage(Page):
    """What everybody is told who asked for a mail."""

    template_name = "authkit/pages/sent.html"
    title = gettext_lazy("Look into your mail")
