"""A role, given to a person or to a group of people."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from authkit.models.access_revision import AccessModel, Part
from authkit.models.going_along import go_along
from authkit.models.role import Role


class Assignment(AccessModel):
    """In force from `starts_at` up to, and not including, `ends_at`."""

    part: Part = "people"

    role = models.ForeignKey(
        Role, on_delete=models.CASCADE, related_name="assignments", verbose_name=_("role")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=go_along,
        null=True,
        blank=True,
        related_name="authkit_assignments",
        verbose_name=_("person"),
    )
    group = models.ForeignKey(
        Group,
        on_delete=go_along,
        null=True,
        blank=True,
        related_name="authkit_assignments",
        verbose_name=_("group"),
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    created_at = models.DateTimeField(_("given at"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("given by"),
    )

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering: ClassVar = ["role__slug", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True)
                | Q(user__isnull=True, group__isnull=False),
                name="authkit_assignment_to_one",
                violation_error_message=_("To a person or to a group: one of the two."),
            ),
            models.UniqueConstraint(
                fields=["role", "user"],
                name="authkit_assignment_user",
                violation_error_message=_("This person has this role already."),
            ),
            models.UniqueConstraint(
                fields=["role", "group"],
                name="authkit_assignment_group",
                violation_error_message=_("This group has this role already."),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="authkit_assignment_end")]

    def __str__(self) -> str:
        return f"{self.role}: {self.user or self.group}"

    def is_in_force(self, *, now: datetime) -> bool:
        """Whether it counts at this moment."""
        if self.starts_at is not None and now < self.starts_at:
            return False
        return self.ends_at is None or now < self.ends_at

    def clean(self) -> None:
        """Refuse the built-in roles, and a time that ends before it begins."""
        if getattr(self, "role_id", None) and self.role.is_built_in:
            raise ValidationError({"role": _("This role is nobody's to give.")})
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("It would end before it begins.")})
