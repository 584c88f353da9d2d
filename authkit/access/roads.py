"""Other roads by which access changes: relations, groups, and the flags of people.

Our own rows count up where they are saved (`models.AccessModel`). What hangs from them by
many-to-many relations, and what Django's own models say, is noticed here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import signals

from authkit.models import Role
from authkit.models.access_revision import changed
from authkit.models.prepared import has_field

_CHANGING = {"post_add", "post_remove", "post_clear"}
_FLAGS = ("is_active", "is_staff", "is_superuser")
_BEFORE = "_authkit_flags_before"


def listen() -> None:
    """Notice what Django's signals tell; called once, when all models are there."""
    for relation in (Role.includes.through, Role.permissions.through):
        signals.m2m_changed.connect(_policy_changed, sender=relation, dispatch_uid="authkit.access")
    for field in get_user_model()._meta.many_to_many:
        if field.name == "groups":
            through = field.remote_field.through
            signals.m2m_changed.connect(
                _people_changed, sender=through, dispatch_uid="authkit.access"
            )
    signals.pre_delete.connect(_group_deleted, sender=Group, dispatch_uid="authkit.access")


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


def _policy_changed(action: str, using: str, **_: object) -> None:
    if action in _CHANGING:
        changed("policy", using=using)


def _people_changed(action: str, using: str, **_: object) -> None:
    if action in _CHANGING:
        changed("people", using=using)


def _group_deleted(using: str, **_: object) -> None:
    changed("people", using=using)
