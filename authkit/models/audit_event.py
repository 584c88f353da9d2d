"""What happened, for ever."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One thing that happened. Written by `authkit.audit` alone, changed by nobody.

    `actor` is who did it, `subject` to whom or what; names are kept beside them so that
    the row still tells its story after an account is deleted.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("time"), db_index=True)
    kind = models.CharField(_("event"), max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(_("name at that time"), max_length=254, blank=True)
    subject = models.CharField(_("about"), max_length=254, blank=True)
    session_id = models.UUIDField(_("session"), null=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    user_agent = models.CharField(_("browser or client"), max_length=300, blank=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["kind", "at"], name="authkit_audit_kind"),
            models.Index(fields=["actor", "at"], name="authkit_audit_actor"),
            models.Index(fields=["subject", "at"], name="authkit_audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"

    def delete(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse: events leave only through `manage.py authkit prune`."""
        raise TypeError("Audit events are append only; `authkit prune` ends their retention.")
