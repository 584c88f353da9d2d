"""An account at a provider that somebody signs in with."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SocialAccount(models.Model):
    """The link from an identity (provider, issuer, subject) to a person.

    `digest` stands for the identity: it is unique, tells case apart on every database,
    and is short enough for every index. E-mail address and name are what the provider
    said at the last sign-in, for people's eyes; nobody is found by them.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="authkit_social_accounts",
        verbose_name=_("user"),
    )
    provider = models.CharField(_("provider"), max_length=32)
    issuer = models.CharField(_("issuer"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255)
    display_name = models.CharField(_("name there"), max_length=254, blank=True)
    email = models.CharField(_("e-mail address there"), max_length=254, blank=True)
    is_email_verified = models.BooleanField(_("verified there"), default=False)
    claims = models.JSONField(_("claims at the last sign-in"), default=dict)
    given_roles = models.JSONField(
        _("roles given"),
        default=list,
        help_text=_("By this account's claims; only these are taken away again."),
    )
    sealed_tokens = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(_("linked at"))
    last_used_at = models.DateTimeField(_("last used at"))

    class Meta:
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        ordering: ClassVar = ["created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["provider", "created_at"], name="authkit_social_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.display_name or self.email or self.subject}"

    @property
    def uid(self) -> str:
        """The subject, by python-social-auth's name for it."""
        return self.subject
