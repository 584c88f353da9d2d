"""Roles: what they may, what they include, who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, ManyToManyField, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from authkit.access import conditions, power
from authkit.admin import code_defaults
from authkit.admin.assignment import AssignmentsOfRole
from authkit.admin.base import Text
from authkit.admin.formsets import BoundedFormSet
from authkit.admin.guarded import GuardedAdmin
from authkit.admin.keys import ChoosingByKey
from authkit.models import Role, Rule

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
else:
    TabularInline = admin.TabularInline
    ModelForm = forms.ModelForm


class RuleForm(ModelForm):
    """A rule, with the conditions that there are to choose from."""

    class Meta:
        model = Rule
        fields = ("effect", "endpoints", "actions", "condition", "is_enabled")
        widgets: ClassVar = {
            "endpoints": forms.TextInput(attrs={"size": 24, "spellcheck": "false"}),
            "actions": forms.TextInput(attrs={"size": 20, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the registered conditions, and the one that it has already."""
        super().__init__(*args, **kwargs)
        if "condition" in self.fields:
            known = sorted({*conditions.names(), self.instance.condition} - {""})
            choices = [("", _("for every object")), *((name, name) for name in known)]
            self.fields["condition"] = forms.ChoiceField(
                choices=choices, required=False, label=_("condition")
            )


class RulesOfRole(ChoosingByKey, TabularInline):
    """The rules of a role, on its page."""

    model = Rule
    form = RuleForm
    formset = BoundedFormSet
    extra = 0
    fields = ("effect", "endpoints", "actions", "condition", "is_enabled", "origin")
    readonly_fields = ("origin",)

    @admin.display(description=_("whose word"))
    def origin(self, rule: Rule) -> Text:
        """Code's, an administrator's, or what one has made of the other."""
        return code_defaults.origin_of(rule)


class RoleForm(ModelForm):
    """A role that does not include itself, be it by way of others."""

    def clean_includes(self) -> Any:
        """Refuse a circle."""
        included = self.cleaned_data["includes"]
        keys = [role.pk for role in included]
        if self.instance.pk is not None and self.instance.pk in power.including(keys):
            raise ValidationError(_("Roles cannot include each other in a circle."))
        return included


@admin.register(Role)
class RoleAdmin(GuardedAdmin):
    """Rules, permissions, inclusion, and who has the role, on one page."""

    form = RoleForm
    list_display = ("shown_name", "slug", "rule_count", "assignment_count")
    search_fields = ("name", "slug", "description")
    filter_horizontal = ("includes", "permissions")
    inlines = (RulesOfRole, AssignmentsOfRole)
    actions = ("reset_to_code",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "description")}),
        (_("Includes"), {"fields": ("includes",), "classes": ("collapse",)}),
        (_("Django permissions"), {"fields": ("permissions",), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        """Roles, with how much they have."""
        rows: QuerySet[Role] = super().get_queryset(request)
        return rows.annotate(
            rule_count=Count("rules", distinct=True),
            assignment_count=Count("assignments", distinct=True),
        )

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """A permission is written with its model: asked with it, not once for each."""
        if db_field.name == "permissions":
            permissions = Permission.objects.select_related("content_type")
            kwargs.setdefault("queryset", permissions)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, role: Role) -> str:
        """The built-in ones have a name in every language."""
        return str(role)

    @admin.display(description=_("rules"), ordering="rule_count")
    def rule_count(self, role: Any) -> int:
        """How many rules it has."""
        return int(role.rule_count)

    @admin.display(description=_("given"), ordering="assignment_count")
    def assignment_count(self, role: Any) -> int:
        """How many people and groups it is given to."""
        return int(role.assignment_count)

    @admin.action(description=_("Reset to what code says"), permissions=["change"])
    def reset_to_code(self, request: HttpRequest, queryset: QuerySet[Role]) -> None:
        """Give up what administrators have made of code's defaults."""
        with transaction.atomic():
            places = sum(code_defaults.reset(role) for role in queryset)
        text = ngettext("%(count)d default was reset.", "%(count)d defaults were reset.", places)
        level = messages.SUCCESS if places else messages.WARNING
        self.message_user(request, text % {"count": places}, level)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A built-in role keeps its short name: it is what it is by that."""
        fixed = ("slug",) if obj is not None and obj.is_built_in else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A built-in role is nobody's to give."""
        for formset, inline in super().get_formsets_with_inlines(request, obj):
            if obj is None or not obj.is_built_in or not isinstance(inline, AssignmentsOfRole):
                yield formset, inline

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The built-in roles stay."""
        is_fixed = obj is not None and obj.is_built_in
        return not is_fixed and super().has_delete_permission(request, obj)

    def save_formset(
        self,
        request: HttpRequest,
        form: Any,
        formset: BaseInlineFormSet[Any, Any, Any],
        change: Any,
    ) -> None:
        """Save rules so that an upgrade leaves alone what an administrator has edited."""
        if formset.model is not Rule:
            super().save_formset(request, form, formset, change)
            return
        for rule in formset.save(commit=False):
            code_defaults.save(rule)
        for rule in formset.deleted_objects:
            code_defaults.remove(rule)
