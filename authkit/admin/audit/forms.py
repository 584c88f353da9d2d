"""What the list of events is asked: whose, what, when, from where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone, localtime, make_aware
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authkit import event_kinds
from authkit.accounts.identify import MAX_LENGTH, person_named
from authkit.admin.audit.finding import Narrowing, Person
from authkit.admin.base import key_in, names_of_people
from authkit.models import AuditEvent

if TYPE_CHECKING:
    PersonChoice = forms.ModelChoiceField[Any]
else:
    PersonChoice = forms.ModelChoiceField

_WHO = AuditEvent._meta.get_field("actor")
_DAYS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2199, 12, 31))]
#: Behind the name of a namespace it stands for all kinds in it.
ALL_OF = ".*"


class _PersonField(PersonChoice):
    """A primary key, also of somebody who is no more."""

    def to_python(self, value: Any) -> Any:
        """The key, if any row could have it; no other reaches the database."""
        return _key_of(value)


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class NarrowingForm(forms.Form):
    """Asks by GET, so that each answer has an address that can be sent on.

    Whoever may look at people picks one from the site's own search; a name typed in works
    for everybody, without JavaScript, and for names that nobody has.
    """

    person = _PersonField(
        label=_("Person"),
        queryset=get_user_model()._default_manager.none(),
        required=False,
        blank=True,
    )
    name = forms.CharField(
        label=_("or user name, or e-mail address"),
        max_length=MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    part = forms.ChoiceField(
        label=_("Their part"),
        choices=[
            ("", _("did it, or had it done to them")),
            ("actor", _("did it")),
            ("subject", _("had it done to them")),
        ],
        required=False,
    )
    kind = forms.CharField(label=_("Event"), max_length=event_kinds.MAX_LENGTH + 2, required=False)
    period = forms.ChoiceField(
        label=_("Time"),
        choices=[
            ("", _("any")),
            ("1", _("today")),
            ("7", _("last 7 days")),
            ("30", _("last 30 days")),
            ("90", _("last 90 days")),
        ],
        required=False,
    )
    since = forms.DateField(label=_("or from"), required=False, widget=_Day(), validators=[*_DAYS])
    until = forms.DateField(
        label=_("up to and including"), required=False, widget=_Day(), validators=[*_DAYS]
    )
    address = forms.GenericIPAddressField(label=_("IP address"), required=False, unpack_ipv4=True)
    session = forms.UUIDField(required=False, widget=forms.HiddenInput())

    def __init__(
        self,
        data: Mapping[str, str],
        *,
        site: AdminSite,
        request: HttpRequest,
        recorded: list[str],
    ) -> None:
        """Offer the kinds that are recorded, and the search of people to those who may use it."""
        is_possible = _key_of(data.get("person")) is not None or not data.get("person")
        super().__init__(data if is_possible else {**data, "person": ""}, auto_id="ak-%s")
        self._is_possible = is_possible
        self._recorded = recorded
        person: Any = self.fields["person"]
        person.queryset = get_user_model()._default_manager.all()
        person.widget = _picker(site, request, person.choices) or forms.HiddenInput()
        kinds = forms.Select(choices=_grouped(recorded))
        self.fields["kind"].widget = kinds

    def clean(self) -> dict[str, Any]:
        """A time that ends before it begins is a mistake, and so is a person who cannot be."""
        cleaned = super().clean() or self.cleaned_data
        if not self._is_possible:
            self.add_error("person", gettext("There is no such person."))
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", gettext("This is before the time begins."))
        return cleaned

    def narrowing(self) -> Narrowing:
        """What was asked for, once it is valid."""
        asked = self.cleaned_data
        since, until = self.days()
        return Narrowing(
            person=_person(asked["person"], asked["name"]),
            part=asked["part"],
            kinds=self._kinds(asked["kind"]),
            since=None if since is None else midnight(since),
            until=None if until is None else midnight(until + timedelta(days=1)),
            ip=asked["address"] or None,
            session=asked["session"],
        )

    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day; dates that were given go before a period."""
        asked = self.cleaned_data
        if asked["since"] or asked["until"] or not asked["period"]:
            return asked["since"], asked["until"]
        return localtime().date() - timedelta(days=int(asked["period"]) - 1), None

    def _kinds(self, text: str) -> tuple[str, ...] | None:
        """The kinds meant; of a namespace all that are recorded."""
        if not text:
            return None
        if not text.endswith(ALL_OF):
            return (text,)
        namespace = text.removesuffix(ALL_OF)
        return tuple(k for k in self._recorded if event_kinds.namespace_of(k) == namespace)


def midnight(day: date) -> datetime:
    """When a day begins here; the first moment of it where clocks are changed at midnight."""
    return make_aware(datetime.combine(day, time.min), get_current_timezone())


def _key_of(value: Any) -> Any:
    return key_in(get_user_model(), str(value)) if value else None


def _person(key: Any, name: str) -> Person | None:
    """Whom a key or a name means. A name that nobody has may have been tried all the same."""
    if key is None and not name:
        return None
    if key is None:
        found = person_named(name)
        return Person(names=(name,)) if found is None else Person(found.pk, _names_of(found, name))
    model: Any = get_user_model()
    known = model._base_manager.filter(pk=key).first()
    return Person(key, () if known is None else _names_of(known))


def _names_of(person: Any, *typed: str) -> tuple[str, ...]:
    own = [str(getattr(person, name) or "") for name in names_of_people()]
    return tuple(dict.fromkeys(name for name in [*own, *typed] if name))


def _picker(site: AdminSite, request: HttpRequest, choices: Any) -> forms.Widget | None:
    """The site's own search of people, for those who may use it."""
    people = site._registry.get(get_user_model())
    if people is None or not people.has_view_permission(request):
        return None
    if not people.get_search_fields(request):
        return None
    return AutocompleteSelect(_WHO, site, choices=choices)


def _grouped(recorded: list[str]) -> list[Any]:
    """The kinds under their namespaces, each with one entry for all of them."""
    found: list[Any] = [("", gettext("all"))]
    for namespace, kinds in groupby(sorted(recorded), event_kinds.namespace_of):
        name = event_kinds.name_of_namespace(namespace)
        every = (namespace + ALL_OF, gettext("%(group)s: all") % {"group": name})
        found.append((name, [every, *((kind, _in_words(kind)) for kind in kinds)]))
    return found


def _in_words(kind: str) -> str:
    label = event_kinds.label_of(kind)
    return kind if label == kind else f"{label} ({kind})"
