"""Which claim of a provider gives which role, and what new people get: superusers say so.

A claim is the word of somebody else. Whoever says what comes of it gives roles to people
of whom nothing is known yet, so holding the role oneself is not enough.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import nullcontext
from typing import Any

from django.db.models import Model, QuerySet

from authkit.access import acting, guards
from authkit.access.gates import rows
from authkit.access.gates.unsignalled import Around
from authkit.models import ClaimRole, SocialProvider

_GIVING = frozenset({"default_roles"})


def before_claim_changes(instance: ClaimRole, origin: object = None, **_: object) -> None:
    """A claim is to give a role, another one, or none. With its provider it goes as well."""
    if not _is_of_provider(origin):
        _require_superuser(str(instance))


def before_provider_saved(
    instance: SocialProvider,
    using: str,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    """New people are to get roles, or others."""
    before = rows.stored(instance, using)
    after = rows.intended(instance, before, update_fields)
    was = [] if before is None else before.default_roles
    if after.__dict__.get("default_roles", was) != was:
        _require_superuser("default_roles")


class Road:
    """Many rows of either at once."""

    def __init__(self, names: frozenset[str] | None = None) -> None:
        """`names`: the fields that are asked about; None for every one."""
        self._names = names

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """Rows are added."""
        is_giving = self._names is None or any(
            getattr(row, name) for row in objs for name in self._names
        )
        return _asked("bulk_create") if is_giving else self._around(updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets values of its own."""
        return self._around(names)

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        return self._around(values)

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """Django tells of each."""
        return None

    def _around(self, names: Iterable[str]) -> Around | None:
        asked = set(names) if self._names is None else self._names.intersection(names)
        return _asked(", ".join(sorted(asked))) if asked else None


def roads() -> dict[type[Model], Road]:
    """The roads of both."""
    return {ClaimRole: Road(), SocialProvider: Road(_GIVING)}


def _asked(what: str) -> Around:
    _require_superuser(what)
    return nullcontext()


def _require_superuser(what: str) -> None:
    actor = acting.current()
    if actor is not None:
        guards.require_own_hand(actor)
        guards.require_superuser(actor, what)


def _is_of_provider(origin: object) -> bool:
    model = origin.model if isinstance(origin, QuerySet) else type(origin)
    return issubclass(model, SocialProvider)
