"""What a sign-in through a provider leaves behind for minutes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class SpentState(models.Model):
    """A `state` that has come back from a provider, and works no second time.

    Nothing is stored when a sign-in begins. Kept until the state would have expired anyway.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("spent state")

    def __str__(self) -> str:
        return self.digest[:8]


class PausedSignIn(models.Model):
    """A sign-in that waits for the person: for an e-mail address, or the proof for a link.

    Found by the digest of what its holder was given; the rest is sealed.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    provider = models.CharField(max_length=32)
    sealed = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("paused sign-in")
        ordering: ClassVar = ["expires_at"]

    def __str__(self) -> str:
        return f"{self.provider} {self.digest[:8]}"
