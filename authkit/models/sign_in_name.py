"""The names that people sign in with, canonical, so that each is found and given once."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInName(models.Model):
    """A user name or an e-mail address of an account, as a digest of its canonical form.

    It follows the account: saving a user writes it (`authkit.accounts.names`). `claim` is
    the digest once more for whoever has the name to themselves; it is unique, so of two
    who want a name at the same moment one gets it. Accounts that shared a name before
    authkit came have none but the first. Without a user, a name is reserved.
    """

    class Kind(models.TextChoices):
        """What the name is."""

        USERNAME = "username", _("user name")
        EMAIL = "email", _("e-mail address")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="authkit_names",
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    digest = models.CharField(max_length=64, db_index=True, editable=False)
    claim = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - NULLs are many, claims unique
    created_at = models.DateTimeField(_("since"))
    verified_at = models.DateTimeField(_("confirmed at"), null=True)
    is_due = models.BooleanField(
        _("to be confirmed"),
        default=False,
        help_text=_("Whoever registered confirms the address, if EMAIL_VERIFICATION says so."),
    )

    class Meta:
        verbose_name = _("sign-in name")
        verbose_name_plural = _("sign-in names")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="authkit_one_name_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.digest[:8]}"
