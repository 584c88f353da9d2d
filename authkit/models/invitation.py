"""An invitation to make an account."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Invitation(models.Model):
    """Lets one person register where REGISTRATION is "invitation". Kept as a digest."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    address = models.EmailField(
        _("e-mail address"),
        blank=True,
        help_text=_("Only for this address, to which it is mailed. Empty: for whoever has it."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    used_at = models.DateTimeField(_("used at"), null=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.address or f"{self.created_at:%Y-%m-%d %H:%M}"
