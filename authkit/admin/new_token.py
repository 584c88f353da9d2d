"""The form with which an administrator makes a personal access token for somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit import conf, tokens, wording
from authkit.access.scopes import unknown_in
from authkit.accounts.identify import MAX_LENGTH, person_named
from authkit.kernel.language import PatternError, parse_pattern
from authkit.models import BearerToken

_MOST_SCOPES = 100
_LONGEST_SCOPES = 20_000


class NewToken(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """For whom, what for, how far and how long."""

    user = forms.CharField(
        label=gettext_lazy("Person"),
        max_length=MAX_LENGTH,
        help_text=gettext_lazy("A user name or e-mail address. The token acts as this person."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What it is for, so that it is known again later."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    scopes = forms.CharField(
        label=gettext_lazy("Scopes"),
        required=False,
        max_length=_LONGEST_SCOPES,
        help_text=gettext_lazy(
            "What it may be used for, one per line, such as api.article:read or api.*:read,create."
            " Empty: for everything that the person may do."
        ),
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 5, "spellcheck": "false"}),
    )

    expires_at = forms.SplitDateTimeField(
        label=gettext_lazy("Expires at"),
        required=False,
        help_text=gettext_lazy("Empty: never."),
        widget=AdminSplitDateTime,
    )

    class Meta:
        model = BearerToken
        fields = ("user", "name", "scopes", "expires_at")

    def clean_user(self) -> AbstractBaseUser:
        """Find the person."""
        user = person_named(self.cleaned_data["user"])
        if user is None:
            raise ValidationError(_("Nobody has this user name or e-mail address."))
        if not user.is_active:
            raise ValidationError(_("This account is deactivated."))
        limit = conf.get().personal_token_limit
        if tokens.personal_of(user, now=timezone.now()).count() >= limit:
            text = _("This person has %(limit)d personal access tokens, and may have no more.")
            raise ValidationError(text % {"limit": limit})
        return user

    def clean_scopes(self) -> list[str] | None:
        """Read the scopes; none at all narrows nothing."""
        lines = self.cleaned_data["scopes"].splitlines()
        scopes = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
        if len(scopes) > _MOST_SCOPES:
            raise ValidationError(_("These are too many."))
        problems = [problem for each in scopes for problem in _problems_of(*each)]
        if problems:
            raise ValidationError(problems)
        unknown = unknown_in(scope for _number, scope in scopes)
        if unknown:
            raise ValidationError(wording.unknown_scopes_text(unknown))
        return [scope for _number, scope in scopes] or None

    def clean_expires_at(self) -> datetime | None:
        """Take no end that is over already."""
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at and not tokens.is_possible_end(expires_at, now=timezone.now()):
            raise ValidationError(_("This moment is in the past, or too far away."))
        return expires_at


def _problems_of(number: int, scope: str) -> list[str]:
    try:
        parse_pattern(scope)
    except PatternError as error:
        problem = wording.problem_text(error)
        where: dict[str, Any] = {"number": number, "place": error.position + 1, "problem": problem}
        return [_("Line %(number)d, character %(place)d: %(problem)s.") % where]
    return []
