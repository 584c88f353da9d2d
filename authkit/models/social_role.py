"""Which claim of a provider gives which role."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from authkit.models.social_provider import SocialProvider


class ClaimRole(models.Model):
    """Whoever has `value` in `claim`, by this provider's word, gets `role`.

    A claim never makes staff or superuser: a role is all that it can give.
    """

    class Mode(models.TextChoices):
        """What happens when the claim is gone."""

        ADD = "add", _("give it, and leave it")
        SYNC = "sync", _("keep in step: take it away when the claim is gone")

    provider = models.ForeignKey(
        SocialProvider,
        on_delete=models.CASCADE,
        related_name="claim_roles",
        verbose_name=_("provider"),
    )
    claim = models.CharField(
        _("claim"),
        max_length=100,
        default="groups",
        help_text=_("Its name; parts of nested ones are joined by dots: realm_access.roles."),
    )
    value = models.CharField(_("value"), max_length=255)
    role = models.CharField(_("role"), max_length=100)
    mode = models.CharField(_("mode"), max_length=8, choices=Mode, default=Mode.ADD)

    class Meta:
        verbose_name = _("role from a claim")
        verbose_name_plural = _("roles from claims")
        ordering: ClassVar = ["provider", "claim", "value", "role"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "claim", "value", "role"], name="authkit_claim_role_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.claim} = {self.value} → {self.role}"
