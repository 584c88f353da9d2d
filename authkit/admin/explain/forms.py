"""What is asked on the explain page: who, where, what, perhaps with which object."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit import wording
from authkit.accounts.identify import MAX_LENGTH, person_named
from authkit.kernel.language import MAX_ACTION_LENGTH, MAX_KEY_LENGTH, PatternError, parse_access
from authkit.models import Assignment

_WHO = Assignment._meta.get_field("user")


class Question(forms.Form):
    """Nobody chosen means a stranger.

    Whoever may look at people picks one from the site's own search; a name typed in works
    for everybody, and without JavaScript.
    """

    user = forms.ModelChoiceField(
        label=gettext_lazy("Person"),
        queryset=get_user_model()._default_manager.none(),
        required=False,
        blank=True,
    )
    name = forms.CharField(
        label=gettext_lazy("or by user name or e-mail address"),
        max_length=MAX_LENGTH,
        required=False,
        help_text=gettext_lazy("Nobody at all: a stranger."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    access = forms.CharField(
        label=gettext_lazy("Endpoint and action"),
        max_length=MAX_KEY_LENGTH + 1 + MAX_ACTION_LENGTH,
        help_text=gettext_lazy("Such as api.article:update, or a group of actions: read."),
        widget=forms.TextInput(
            attrs={
                "class": "vTextField",
                "list": "ak-accesses",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
    object = forms.CharField(
        label=gettext_lazy("Object"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The primary key of an object of the endpoint, if it is about one."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, site: AdminSite, request: HttpRequest, **kwargs: Any) -> None:
        """Offer the search of people to those who may use it."""
        super().__init__(*args, **kwargs)
        model = get_user_model()
        field: Any = self.fields["user"]
        field.queryset = model._default_manager.all()
        people = site._registry.get(model)
        if people is not None and people.has_view_permission(request):
            if people.get_search_fields(request):
                field.widget = AutocompleteSelect(_WHO, site, choices=field.choices)
        else:
            field.widget = forms.HiddenInput()

    def clean_access(self) -> str:
        """One endpoint and one action or group."""
        text: str = self.cleaned_data["access"]
        try:
            parse_access(text)
        except PatternError as error:
            raise ValidationError(wording.pattern_text(error)) from None
        return text

    def clean(self) -> dict[str, Any]:
        """Find the person by the name, if none was picked."""
        cleaned = super().clean() or self.cleaned_data
        name = cleaned.get("name")
        if name and not cleaned.get("user"):
            cleaned["user"] = person_named(name)
            if cleaned["user"] is None:
                self.add_error("name", _("Nobody has this user name or e-mail address."))
        return cleaned
