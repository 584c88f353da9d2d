"""The key in a link that was mailed to somebody."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LinkKey(models.Model):
    """A key that proves that its holder reads the mail of an address. Kept as a digest.

    It works once, for one purpose, for one address, until `expires_at`, and no longer than
    the person's password (`credential_digest`). Who asks on behalf of an account that does
    not exist leaves a row as well, without a user: it opens nothing, and takes as long.
    """

    class Purpose(models.TextChoices):
        """What it is good for."""

        VERIFY_EMAIL = "verify_email", _("confirm an address")
        CHANGE_EMAIL = "change_email", _("change the address")
        RESET_PASSWORD = "reset_password", _("set a new password")

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="authkit_link_keys",
        verbose_name=_("user"),
    )
    address = models.CharField(_("address"), max_length=254, blank=True)
    credential_digest = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    used_at = models.DateTimeField(_("used at"), null=True)

    class Meta:
        verbose_name = _("key of a link")
        verbose_name_plural = _("keys of links")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.created_at:%Y-%m-%d %H:%M}"
