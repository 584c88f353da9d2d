"""Fields that choose rows: what cannot be the key of any row is refused, and not shown again.

Django asks the database for whatever a form was sent; a number too large for the column,
or a NUL, then ends in an error of the database or of the widget that is drawn again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, ManyToManyField
from django.http import HttpRequest

from authkit.admin.base import key_in

if TYPE_CHECKING:
    One = forms.ModelChoiceField[Any]
    Many = forms.ModelMultipleChoiceField[Any]
else:
    One, Many = forms.ModelChoiceField, forms.ModelMultipleChoiceField


class OneByKey(One):
    """One row."""

    def to_python(self, value: Any) -> Any:
        """Find it."""
        _require_key(self, value)
        return super().to_python(value)


class ManyByKey(Many):
    """Several rows."""

    def clean(self, value: Any) -> Any:
        """Find them."""
        for each in value if isinstance(value, list | tuple) else ():
            _require_key(self, each)
        return super().clean(value)


class FindingSelect(AutocompleteSelect):
    """A widget in which one row is searched for."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Show what was chosen, if it can be a row at all."""
        model = self.field.remote_field.model
        shown = [each for each in value if not each or key_in(model, str(each)) is not None]
        return super().optgroups(name, shown, attr)


class ChoosingByKey:
    """For an admin page or an inline, in front of Django's class."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The field of a relation to one row."""
        page: Any = self
        if "widget" not in kwargs and db_field.name in page.get_autocomplete_fields(request):
            kwargs["widget"] = FindingSelect(db_field, page.admin_site, using=kwargs.get("using"))
        kwargs.setdefault("form_class", OneByKey)
        base: Any = super()
        return base.formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The field of a relation to several rows."""
        kwargs.setdefault("form_class", ManyByKey)
        base: Any = super()
        return base.formfield_for_manytomany(db_field, request, **kwargs)


def _require_key(field: Any, value: Any) -> None:
    is_empty = value in field.empty_values
    if not is_empty and key_in(field.queryset.model, str(getattr(value, "pk", value))) is None:
        message = field.error_messages["invalid_choice"]
        raise ValidationError(message, code="invalid_choice", params={"value": value})
