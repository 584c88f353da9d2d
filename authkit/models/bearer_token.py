"""An opaque random token: of a sign-in, or a named personal access token."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from authkit.models.user_session import UserSession


class BearerToken(models.Model):
    """An opaque token; of its text only the digest is kept.

    With a `session` it is the carrier of that sign-in and ends with it. Without one it is
    a personal access token and ends by itself, by hand, or with a new password.
    """

    id = models.CharField(_("public id"), primary_key=True, max_length=32, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="authkit_tokens",
        verbose_name=_("user"),
    )
    session = models.ForeignKey(
        UserSession,
        on_delete=models.CASCADE,
        null=True,
        related_name="tokens",
        verbose_name=_("session"),
    )
    credential_digest = models.CharField(max_length=32, editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
        help_text=_("Who made it, if it was not the person themselves."),
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    scopes = models.JSONField(_("scopes"), null=True)
    created_at = models.DateTimeField(_("created at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)

    class Meta:
        verbose_name = _("bearer token")
        verbose_name_plural = _("bearer tokens")
        ordering: ClassVar = ["-created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="authkit_token_expiry"),
            models.Index(fields=["created_at"], name="authkit_token_created"),
            # Personal ones are few among very many of sign-ins.
            models.Index(fields=["session", "expires_at"], name="authkit_token_session"),
        ]
        permissions: ClassVar = [
            ("introspect_token", "Can look into other people's tokens (RFC 7662)"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)

    def is_live(self, *, now: datetime) -> bool:
        """Whether nobody has revoked it and its time is not over (its session aside)."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
