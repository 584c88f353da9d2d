"""A permission under another name is another permission: only superusers rename one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Model, QuerySet

from authkit.access import acting, guards, keyholders
from authkit.access.gates import rows
from authkit.access.gates.unsignalled import Around
from authkit.models.access_revision import changed

#: What makes the name of a permission; that of its kind of object is a part of it.
_NAMING = frozenset({"codename", "content_type", "content_type_id", "app_label", "model"})


def before_saved(
    instance: Model, using: str, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """A permission is saved, or a kind of object."""
    before = rows.stored(instance, using)
    if before is None:
        return
    after = rows.intended(instance, before, update_fields).__dict__
    renamed = [name for name in _NAMING & after.keys() if after[name] != before.__dict__.get(name)]
    rows.keep(instance, renamed)
    _require(renamed)


def after_saved(instance: Model, **_: object) -> None:
    """Roles bring it under its new name."""
    if rows.kept(instance):
        changed("policy")


def before_deleted(instance: Model, **_: object) -> None:
    """A permission goes, and whoever had it has it no more."""
    rows.keep(instance, keyholders.at_stake() if acting.current() else None)


def after_deleted(instance: Model, using: str, **_: object) -> None:
    """Roles bring it no more, and somebody must still reach the access pages."""
    changed("policy", using=using)
    actor = acting.current()
    if actor is not None:
        keyholders.require_reachable(actor, rows.kept(instance))


class Road:
    """Many of them at once."""

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """New ones are nobody's; `migrate` makes them."""
        return self._around(updating)

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each gets a name of its own."""
        return self._around(names)

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All get the same values."""
        return self._around(values)

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """Nobody has what is gone."""
        return None

    def _around(self, names: Iterable[str]) -> Around | None:
        renamed = _NAMING.intersection(names)
        return self._renaming(renamed) if renamed else None

    @contextmanager
    def _renaming(self, names: Iterable[str]) -> Iterator[None]:
        _require(names)
        yield
        changed("policy")


def _require(names: Iterable[str]) -> None:
    actor, what = acting.current(), ", ".join(sorted(names))
    if actor is not None and what:
        guards.require_superuser(actor, what)
