"""How often something was tried, and the lock-out that this has led to."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Throttle(models.Model):
    """One thing that may be tried only so often within a time. Written by `authkit.accounts`.

    `failed` is how often it was tried in vain (or, where every try costs, at all), and
    `pending` how many tries are being judged just now. The row means nothing any more
    from `ends_at` on.
    """

    class Scope(models.TextChoices):
        """What is counted. Those of names belong to those of people, and no page shows them."""

        NAME_FROM_ADDRESS = "name_from_address", _("sign-ins by name and address")
        NAME = "name", _("sign-ins by name")
        PERSON_FROM_ADDRESS = "person_from_address", _("sign-ins to an account from one address")
        PERSON = "person", _("sign-ins to an account")
        ADDRESS = "address", _("sign-ins from an address")
        REGISTRATION = "registration", _("registrations")
        PASSWORD_RESET = "password_reset", _("requests for a new password")
        VERIFICATION = "verification", _("keys out of mails")
        MAIL = "mail", _("mails to a recipient")
        TOKEN = "token", _("made-up tokens")
        SOCIAL = "social", _("social sign-ins")

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    scope = models.CharField(_("what"), max_length=24, choices=Scope)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        db_constraint=False,  # a check would cost known people time that strangers do not cost
        related_name="+",
        verbose_name=_("user"),
    )
    address = models.CharField(_("address"), max_length=43, blank=True)
    failed = models.PositiveIntegerField(_("how many"), default=0)
    pending = models.PositiveIntegerField(default=0, editable=False)
    since = models.DateTimeField(_("since"))
    locked_at = models.DateTimeField(_("locked out at"), null=True)
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("lock-out")
        verbose_name_plural = _("lock-outs")
        ordering: ClassVar = ["-locked_at", "digest"]
        indexes: ClassVar = [
            models.Index(fields=["ends_at"], name="authkit_throttle_end"),
            models.Index(fields=["locked_at"], name="authkit_throttle_locked"),
            models.Index(fields=["address"], name="authkit_throttle_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.digest[:8]}"

    def is_over(self, *, now: datetime) -> bool:
        """Whether what was counted does not count any more."""
        return now >= self.ends_at
