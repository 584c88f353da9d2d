"""One's own account: profile, address, password, and its end."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.forms import modelform_factory
from django.http import Http404, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext, gettext_lazy

from authkit import conf
from authkit.accounts import addresses, closing, links, names, recent, recovery
from authkit.exceptions import AuthkitError
from authkit.models.prepared import has_field
from authkit.pages import forms, offers
from authkit.pages.base import FormPage, SignedInMixin

#: What a page says when it has done what it was asked for; `?done=` names it.
_DONE = {
    "profile": gettext_lazy("Your profile is saved."),
    "password": gettext_lazy("Your password is changed. All your other devices are signed out."),
    "email": gettext_lazy("We have sent a link to the new address. Nothing changes until then."),
    "link": gettext_lazy("We have sent you the link again."),
    "unlinked": gettext_lazy("The account is unlinked."),
    "device": gettext_lazy("The device is signed out."),
    "others": gettext_lazy("All your other devices are signed out."),
    "token": gettext_lazy("The token is revoked."),
}


class AccountFormPage(SignedInMixin, FormPage):
    """A page of one's own account, with the way to the others."""

    template_name = "authkit/pages/account_form.html"
    done = ""

    def get_success_url(self) -> str:
        """Here, with a word about what was done."""
        return f"{self.request.path}?done={self.done}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With that word."""
        return super().get_context_data(
            done=_DONE.get(self.request.GET.get("done", ""), ""), **kwargs
        )


class AccountPage(AccountFormPage):
    """Who one is: the fields of PROFILE_FIELDS, and the address."""

    template_name = "authkit/pages/account.html"
    title = gettext_lazy("Your account")
    button = gettext_lazy("Save")
    done = "profile"

    def get_form(self, form_class: Any = None) -> Any:
        """The fields that people may edit of themselves."""
        model = get_user_model()
        fields = [name for name in conf.get().profile_fields if has_field(model, name)]
        form = modelform_factory(model, fields=fields)
        data = self.request.POST if self.request.method == "POST" else None
        return form(data, instance=model._default_manager.get(pk=self.person.pk))

    def act(self, form: Any) -> None:
        """Save them, and nothing else."""
        if form.fields:
            form.instance.save(update_fields=list(form.fields))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the address, and whether it is confirmed."""
        return super().get_context_data(
            person=self.person,
            accounts=offers.accounts_of(self.person),
            providers=offers.providers(),
            address=names.address_of(self.person),
            is_verified=addresses.is_verified(self.person),
            **kwargs,
        )


class UnlinkPage(AccountFormPage):
    """Unlink an account at a provider; not the last way to sign in."""

    http_method_names = ("post",)
    form_class = forms.ButtonForm
    title = gettext_lazy("Linked accounts")
    button = gettext_lazy("Unlink")

    def act(self, form: Any) -> HttpResponseBase:
        """Unlink it."""
        wanted = self.request.POST.get("account", "")
        if not offers.unlink(self.person, wanted, request=self.request):
            raise Http404
        return HttpResponseRedirect(resolve_url(f"{links.PAGES}:account") + "?done=unlinked")

    def refuse(self, form: Any, refusal: AuthkitError) -> HttpResponseBase:
        """409, as the API answers."""
        response = super().refuse(form, refusal)
        response.status_code = HTTPStatus.CONFLICT
        return response


class ResendOwnPage(AccountFormPage):
    """The link that confirms one's address, once more."""

    http_method_names = ("post",)
    form_class = forms.ButtonForm

    def act(self, form: Any) -> HttpResponseBase:
        """Send it."""
        addresses.resend(names.address_of(self.person), self.request)
        return HttpResponseRedirect(resolve_url(f"{links.PAGES}:account") + "?done=link")


class PasswordPage(AccountFormPage):
    """Another password."""

    form_class = forms.PasswordChangeForm
    title = gettext_lazy("Password")
    button = gettext_lazy("Change my password")
    done = "password"

    def get_form(self, form_class: Any = None) -> Any:
        """Who has no password yet, having come through others, is not asked for it."""
        form = super().get_form(form_class)
        if not self.person.has_usable_password():
            del form.fields["old_password"]
        return form

    def act(self, form: Any) -> None:
        """Change it."""
        given = form.cleaned_data
        try:
            recovery.change(
                self.person,
                self.grant,
                given.get("old_password"),
                given["new_password"],
                self.request,
            )
        except ValidationError as error:
            raise ValidationError({"new_password": error.error_list}) from None


class ProvedFormPage(AccountFormPage):
    """A page that takes the password of everybody who has one.

    Who has none, having come through others, has to have signed in a moment ago.
    """

    def get_form(self, form_class: Any = None) -> Any:
        """Without the field that nobody could fill in."""
        form = super().get_form(form_class)
        if not self.person.has_usable_password():
            del form.fields["password"]
        return form


class AddressPage(ProvedFormPage):
    """Another address."""

    form_class = forms.AddressChangeForm
    title = gettext_lazy("E-mail address")
    button = gettext_lazy("Change my address")
    done = "email"

    def act(self, form: Any) -> None:
        """Ask the new address."""
        given = form.cleaned_data
        recent.require_proof(self.person, self.grant, given.get("password"), self.request)
        try:
            addresses.ask_to_change(self.person, given["email"], self.request)
        except ValidationError:
            message = gettext("Enter a valid e-mail address.")
            raise ValidationError({"email": [message]}) from None


class ClosePage(ProvedFormPage):
    """The end."""

    form_class = forms.OwnPasswordForm
    title = gettext_lazy("Close your account")
    button = gettext_lazy("Close my account")
    extra_context = {  # noqa: RUF012 - as in Django
        "lead": gettext_lazy(
            "You are signed out everywhere and cannot sign in any more. Whoever runs the site"
            " can open the account again."
        ),
        "is_grave": True,
    }

    def act(self, form: Any) -> HttpResponseBase:
        """Deactivate the account."""
        password = form.cleaned_data.get("password")
        closing.deactivate(self.person, self.grant, password, self.request)
        return HttpResponseRedirect(resolve_url(f"{links.PAGES}:sign_in"))
