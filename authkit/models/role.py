"""A named set of rules and Django permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import Permission
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authkit.kernel.policy import BUILT_IN
from authkit.models.access_revision import AccessModel

MAX_SLUG_LENGTH = 50


class Role(AccessModel):
    """A named set of rules and Django permissions, given by an Assignment.

    Rules, code and policy files refer to it by its slug. The built-in roles (`anyone`,
    `authenticated`, `staff`) are nobody's to give: everyone to whom they apply has them.
    """

    slug = models.CharField(
        _("short name"),
        max_length=MAX_SLUG_LENGTH,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(?:[-_][a-z0-9]+)*\Z")],
        help_text=_("As code and policy files write it: lower-case letters, digits, - and _."),
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    includes: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="included_by",
        verbose_name=_("includes"),
        help_text=_("Whoever has this role also has the rules and permissions of these."),
    )
    permissions: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        Permission,
        blank=True,
        related_name="authkit_roles",
        verbose_name=_("Django permissions"),
        help_text=_("They count in has_perm, so they open pages of the admin site too."),
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering: ClassVar = ["name", "slug"]

    def __str__(self) -> str:
        return gettext(self.name) if self.is_built_in else self.name

    @property
    def is_built_in(self) -> bool:
        """Whether it is `anyone`, `authenticated` or `staff`."""
        return self.slug in BUILT_IN
