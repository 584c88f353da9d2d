"""The forms of the pages. They hold no rule: what is done with them says what is wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit.accounts import registration
from authkit.accounts.guessable import GuessablePasswordValidator
from authkit.accounts.identify import MAX_LENGTH
from authkit.accounts.passwords import LONGEST
from authkit.exceptions import AuthkitError, SignInRefused


class PasswordField(forms.CharField):
    """A password, exactly as it was typed."""

    def __init__(self, *, autocomplete: str, **how: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
        super().__init__(strip=False, max_length=LONGEST, widget=widget, **how)


def own_password() -> PasswordField:
    """The password that one has."""
    return PasswordField(autocomplete="current-password", label=gettext_lazy("Your password"))


class NewPasswordForm(forms.Form):
    """A password to be."""

    new_password = PasswordField(autocomplete="new-password", label=gettext_lazy("New password"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password"].help_text = GuessablePasswordValidator().get_help_text()


def _address(label: Any) -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return forms.EmailField(label=label, max_length=MAX_LENGTH, widget=widget)


class SignInForm(AuthenticationForm):
    """A user name or an e-mail address, and a password."""

    error_messages = {  # noqa: RUF012 - as in Django
        "invalid_login": gettext_lazy(SignInRefused.public_message),
        "inactive": gettext_lazy(SignInRefused.public_message),
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        name, password = self.fields["username"], self.fields["password"]
        name.label = _("User name or e-mail address")
        if not registration.has_usernames():
            name.label = _("E-mail address")
        name.max_length = MAX_LENGTH  # type: ignore[attr-defined]
        name.widget.attrs |= {"maxlength": MAX_LENGTH, "spellcheck": "false"}
        password.label = _("Password")
        self.refusal: AuthkitError | None = None

    def clean(self) -> dict[str, Any]:
        """Ask who it is."""
        if len(self.cleaned_data.get("password") or "") > LONGEST:
            raise self.get_invalid_login_error()
        try:
            return super().clean()
        except AuthkitError as refusal:
            self.refusal = refusal
            raise ValidationError(_(refusal.public_message), refusal.code) from None


class SignUpForm(forms.Form):
    """A new account."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=MAX_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    # Judged with all the rest, so that people read at once all that is wrong.
    email = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = PasswordField(autocomplete="new-password", label=gettext_lazy("Password"))
    invitation = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not registration.has_usernames():
            del self.fields["username"]
        self.fields["password"].help_text = GuessablePasswordValidator().get_help_text()


class AddressForm(forms.Form):
    """An address."""

    email = _address(gettext_lazy("E-mail address"))


class PasswordChangeForm(NewPasswordForm):
    """The password that is, and the one that is to be."""

    old_password = own_password()
    field_order = ("old_password", "new_password")


class AddressChangeForm(forms.Form):
    """A new address, and the password."""

    email = _address(gettext_lazy("New e-mail address"))
    password = own_password()


class ButtonForm(forms.Form):
    """Nothing but a button."""


class OwnPasswordForm(forms.Form):
    """The password once more."""

    password = own_password()


class TokenForm(forms.Form):
    """A personal access token to be made."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What it is for, so that you know it again."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Works for"),
        coerce=int,
        initial=30,
        choices=[
            (7, gettext_lazy("7 days")),
            (30, gettext_lazy("30 days")),
            (90, gettext_lazy("90 days")),
            (365, gettext_lazy("a year")),
        ],
    )
    scopes = forms.CharField(
        label=gettext_lazy("Scopes"),
        required=False,
        max_length=4000,
        help_text=gettext_lazy(
            "What it may be used for, one per line, such as api.article:read. Empty: for"
            " everything that you may do."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
