"""Nobody reaches up: who may act on whose account."""

from __future__ import annotations

import copy
from typing import Any


def holds_at_least(actor: Any, other: Any) -> bool:
    """Whether `actor` holds all that `other` holds, and so may act on that account.

    To end somebody's sign-ins, or to make a token in their name, is to hold their access
    for a moment; whoever holds less must not. People may always act on themselves. A
    deactivated account counts for what it would hold if it were activated again.

    The configured backends are asked for the permissions of both. Where a user model
    cannot tell them, only superusers hold at least as much as somebody else.
    """
    if not actor.is_active:
        return False
    if _is_superuser(actor) or actor.pk == other.pk:
        return True
    if _is_superuser(other) or (_is_staff(other) and not _is_staff(actor)):
        return False
    ours, theirs = _permissions_of(actor), _permissions_of(other)
    return ours is not None and theirs is not None and theirs <= ours


def _is_superuser(person: Any) -> bool:
    return bool(getattr(person, "is_superuser", False))


def _is_staff(person: Any) -> bool:
    return bool(getattr(person, "is_staff", False))


def _permissions_of(person: Any) -> set[str] | None:
    """What a person holds now, whatever was known when the instance was loaded."""
    fresh = copy.copy(person)
    fresh.is_active = True
    for name in [name for name in vars(fresh) if name.endswith("_perm_cache")]:
        delattr(fresh, name)
    get_all = getattr(fresh, "get_all_permissions", None)
    return None if get_all is None else set(get_all())
