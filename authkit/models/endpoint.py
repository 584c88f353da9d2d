"""A view that the URLconf reaches, under a stable key."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from authkit.kernel.language import MAX_KEY_LENGTH
from authkit.models.access_revision import AccessModel


class Endpoint(AccessModel):
    """What `sync` found, and what an administrator has looked at.

    Code says which actions there are and what it demands: that is read from the running
    URLconf, so this row can open nothing. It keeps what code cannot know: whether
    somebody has looked at the endpoint, and that one which vanished was once there.
    """

    class State(models.TextChoices):
        """See `kernel.policy.standing_of` for what follows from each."""

        NEW = "new", _("new: nobody has looked at it")
        ACTIVE = "active", _("active")
        RETURNED = "returned", _("came back: nobody has looked at it since")
        MISSING = "missing", _("missing: the URLconf does not reach it")

    key = models.CharField(_("key"), max_length=MAX_KEY_LENGTH, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.NEW)
    view = models.CharField(_("view"), max_length=300, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    routes = models.JSONField(_("routes"), default=list)
    methods = models.JSONField(_("actions"), default=dict, help_text=_("Action: HTTP methods."))
    declared = models.JSONField(_("declared in code"), default=dict)
    found_at = models.DateTimeField(_("found at"))
    missing_since = models.DateTimeField(_("missing since"), null=True, blank=True)
    reviewed_at = models.DateTimeField(_("looked at"), null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("looked at by"),
    )

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.key
