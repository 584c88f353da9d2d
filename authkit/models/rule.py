"""Allow or deny: a role, an endpoint pattern, actions, perhaps a condition."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from authkit import wording
from authkit.kernel.language import (
    MAX_ACTIONS_LENGTH,
    MAX_KEY_LENGTH,
    PatternError,
    parse_actions,
    parse_endpoint_pattern,
)
from authkit.models.access_revision import AccessModel
from authkit.models.role import Role

#: MariaDB takes no unique index of more than 3072 bytes.
MAX_CONDITION_LENGTH = 60


class Rule(AccessModel):
    """One rule of a role.

    Code's defaults (`@allow`) stand beside those that administrators write. `default` keeps
    what code declared, so a default that an administrator has changed or switched off is
    known as such: an upgrade leaves it alone, and it can be reset.
    """

    class Effect(models.TextChoices):
        """Deny always wins."""

        ALLOW = "allow", _("allow")
        DENY = "deny", _("deny")

    class Source(models.TextChoices):
        """Whose word it is."""

        CODE = "code", _("code")
        ADMIN = "admin", _("administrator")

    role = models.ForeignKey(
        Role, on_delete=models.CASCADE, related_name="rules", verbose_name=_("role")
    )
    effect = models.CharField(_("effect"), max_length=5, choices=Effect, default=Effect.ALLOW)
    endpoints = models.CharField(
        _("endpoints"),
        max_length=MAX_KEY_LENGTH,
        help_text=_("A key such as api.article, or a pattern such as api.*"),
    )
    actions = models.CharField(
        _("actions"),
        max_length=MAX_ACTIONS_LENGTH,
        default="*",
        help_text=_("Separated by commas: read, create, update, delete, *, or single actions."),
    )
    condition = models.CharField(
        _("condition"),
        max_length=MAX_CONDITION_LENGTH,
        blank=True,
        help_text=_("Empty: for every object."),
    )
    is_enabled = models.BooleanField(_("in force"), default=True)
    source = models.CharField(
        _("source"), max_length=5, choices=Source, default=Source.ADMIN, editable=False
    )
    default = models.CharField(
        _("default in code"),
        max_length=MAX_KEY_LENGTH + MAX_ACTIONS_LENGTH + MAX_CONDITION_LENGTH + 10,
        blank=True,
        editable=False,
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering: ClassVar = ["role__slug", "endpoints", "effect", "actions", "condition", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["role", "effect", "endpoints", "actions", "condition"],
                name="authkit_rule_once",
                violation_error_message=_("This role has this rule already."),
            ),
        ]

    def __str__(self) -> str:
        when = f" when {self.condition}" if self.condition else ""
        return f"{self.effect} {self.endpoints}:{self.actions}{when}"

    def clean(self) -> None:
        """Write it in its one canonical form, or say where it is not of the language."""
        problems = {}
        try:
            parse_endpoint_pattern(self.endpoints)
        except PatternError as error:
            problems["endpoints"] = wording.pattern_text(error)
        try:
            self.actions = ",".join(parse_actions(self.actions))
        except PatternError as error:
            problems["actions"] = wording.pattern_text(error)
        if problems:
            raise ValidationError(problems)
