"""One sign-in on one device: what cookie, login token and JWT pair hang from."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from authkit import conf


class UserSession(models.Model):
    """One sign-in on one device.

    It lives until it is ended (`revoked_at`), until `expires_at`, or until the person's
    password is no longer the one of `credential_digest`. Everything that proves this
    sign-in dies with it.

    Where an administrator has signed in as its person, `impersonator_session_id` is the
    administrator's own sign-in. That is no foreign key: without the other, it counts for
    nothing. `parked` holds, sealed, what Django keeps in the administrator's session.
    """

    class Kind(models.TextChoices):
        """What was delivered to the client."""

        SESSION = "session", _("session cookie")
        TOKEN = "token", _("bearer token")
        JWT = "jwt", _("JWT pair")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="authkit_sessions",
        verbose_name=_("user"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    cookie_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - NULLs are many, digests unique
    credential_digest = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("signed in at"))
    authenticated_at = models.DateTimeField(_("last proved who they are at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    rotated_at = models.DateTimeField(_("last refreshed at"))
    expires_at = models.DateTimeField(_("expires at"))
    generation = models.PositiveIntegerField(_("generation"), default=1)
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    user_agent = models.CharField(_("browser or client"), max_length=300, blank=True)
    impersonator_session_id = models.UUIDField(null=True, db_index=True, editable=False)
    parked = models.TextField(blank=True, default="", editable=False)
    revoked_at = models.DateTimeField(_("ended at"), null=True)
    revoked_reason = models.CharField(_("why it ended"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering: ClassVar = ["-created_at", "id"]
        permissions: ClassVar = [("impersonate_user", "Can sign in as somebody else")]
        indexes: ClassVar = [
            models.Index(fields=["user", "revoked_at"], name="authkit_session_user"),
            models.Index(fields=["expires_at"], name="authkit_session_expiry"),
            models.Index(fields=["created_at"], name="authkit_session_created"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.pk)[:8]}"

    @property
    def is_impersonated(self) -> bool:
        """Whether an administrator has signed in as its person."""
        return self.impersonator_session_id is not None

    @property
    def ends_at(self) -> datetime:
        """When this sign-in ends whatever is done to keep it (SESSION_LIFETIME)."""
        return self.created_at + conf.get().session_lifetime

    def is_live(self, *, now: datetime) -> bool:
        """Whether nobody has ended it and its time is not over."""
        return self.revoked_at is None and now < min(self.expires_at, self.ends_at)
