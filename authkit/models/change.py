"""The change feed: what one process did that the others must learn of."""

from __future__ import annotations

from typing import ClassVar

from django.db import DEFAULT_DB_ALIAS, models, router
from django.utils.translation import gettext_lazy as _


class Change(models.Model):
    """One entry of the feed. Kept until no process can still need it (`expires_at`)."""

    class Kind(models.TextChoices):
        """What changed."""

        SESSION_ENDED = "session_ended"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind)
    subject = models.CharField(max_length=64)
    expires_at = models.PositiveBigIntegerField(db_index=True, help_text=_("Unix time, seconds."))

    class Meta:
        verbose_name = _("change")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


def database() -> str:
    """Where the feed is. Routers are asked only where a project has any: this is asked often."""
    return router.db_for_write(Change) if router.routers else DEFAULT_DB_ALIAS
