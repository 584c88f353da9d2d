"""What happened, for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

_REFUSAL = "Audit events are append only; `authkit prune` ends their retention."


class AuditEvents(models.QuerySet["AuditEvent"]):
    """Events to read and to add to. None is changed, and none leaves before its time."""

    def update(self, **values: Any) -> int:
        """Refuse; but a person who is deleted takes along the link to them (not their name)."""
        if values not in ({"actor": None}, {"impersonator": None}):
            raise TypeError(_REFUSAL)
        return super().update(**values)

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError(_REFUSAL)

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list[AuditEvent]:
        """Add events, but never write over one."""
        events = list(objs)
        if options.get("update_conflicts") or any(event.pk is not None for event in events):
            raise TypeError(_REFUSAL)
        return super().bulk_create(events, *args, **options)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse."""
        raise TypeError(_REFUSAL)

    update.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class AuditEvent(models.Model):
    """One thing that happened. Written by `authkit.audit` alone, changed by nobody.

    `actor` is who did it, `subject` to whom or what; names are kept beside them so that
    the row still tells its story after an account is deleted. Where an administrator acted
    in the name of somebody, `actor` is that person and `impersonator` the administrator.
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
    impersonator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,  # it is the first of an index below
        related_name="+",
        verbose_name=_("impersonated by"),
    )
    impersonator_name = models.CharField(_("their name"), max_length=254, blank=True)
    subject = models.CharField(_("about"), max_length=254, blank=True)
    session_id = models.UUIDField(_("session"), null=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    user_agent = models.CharField(_("browser or client"), max_length=300, blank=True)
    data = models.JSONField(_("details"), default=dict)

    objects = AuditEvents.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        base_manager_name = "objects"
        ordering: ClassVar = ["-at", "-id"]
        # Each of what a list is narrowed by, in the order of the list.
        indexes: ClassVar = [
            models.Index(fields=["kind", "at"], name="authkit_audit_kind"),
            models.Index(fields=["actor", "at"], name="authkit_audit_actor"),
            models.Index(fields=["impersonator", "at"], name="authkit_audit_impersonator"),
            models.Index(fields=["actor_name", "at"], name="authkit_audit_name"),
            models.Index(fields=["subject", "at"], name="authkit_audit_subject"),
            models.Index(fields=["session_id", "at"], name="authkit_audit_session"),
            models.Index(fields=["ip", "at"], name="authkit_audit_ip"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"

    def save(self, *_args: Any, **options: Any) -> None:
        """Add the event; one that is stored stays as it is."""
        if not self._state.adding:
            raise TypeError(_REFUSAL)
        super().save(force_insert=True, using=options.get("using"))

    def delete(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse: events leave only through `manage.py authkit prune`."""
        raise TypeError(_REFUSAL)


def older_than(before: datetime) -> models.QuerySet[AuditEvent]:
    """The events of which the retention is over: all that is ever deleted, and only by `prune`."""
    return models.QuerySet(AuditEvent).filter(at__lt=before)
