"""Other roads by which access changes: groups, and the flags of people.

Our own rows count up where they are saved (`models.AccessModel`). What Django's own models
say is noticed here; relations and many rows at once, of which Django does not tell, where
they are guarded (`gates`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import signals

from authkit.models.access_revision import changed
from authkit.models.kinds import names_of
from authkit.models.prepared import has_field

_FLAGS = ("is_active", "is_staff", "is_superuser")
_BEFORE = "_authkit_flags_before"


def listen() -> None:
    """Notice what Django's signals tell; called once."""
    for kind in names_of(Group):
        signals.pre_delete.connect(_group_deleted, sender=kind, dispatch_uid="authkit.access")


def before_save(
    sender: Any, instance: Any, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """Remember the flags of a person as they are stored, if they are about to be saved."""
    names = [name for name in _FLAGS if has_field(sender, name)]
    saved = names if update_fields is None else [n for n in names if n in update_fields]
    instance.__dict__.pop(_BEFORE, None)
    if saved and not instance._state.adding:
        instance.__dict__[_BEFORE] = (
            sender._base_manager.filter(pk=instance.pk).values(*saved).first() or {}
        )


def after_save(sender: Any, instance: Any, **_: object) -> None:
    """Count up if a flag of a person is another than it was."""
    before = instance.__dict__.pop(_BEFORE, {})
    if any(getattr(instance, name) != value for name, value in before.items()):
        changed("people")


def _group_deleted(using: str, **_: object) -> None:
    changed("people", using=using)
