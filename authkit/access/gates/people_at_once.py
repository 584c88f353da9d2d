"""Many people at once: `update()`, `bulk_create()` and `bulk_update()` of users."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.models import F, QuerySet

from authkit.access import acting, guards, issued_tokens, keyholders, ledger
from authkit.access.acting import Actor
from authkit.access.gates import people
from authkit.access.gates.unsignalled import Around
from authkit.models.access_revision import changed

Pair = tuple[Any, Any]


class Road:
    """The road of one model of people."""

    def __init__(self, model: Any) -> None:
        """`model`: the user model, or one that inherits from it."""
        self._model = model

    def adding(self, objs: Collection[Any], using: str, updating: Collection[str]) -> Around | None:
        """People are added. Only a superuser adds some that may turn out to be there."""
        flagged = [row for row in objs if any(getattr(row, n, False) for n in people.FLAGS)]
        touched = {*people.watched(self._model)}.intersection(updating)
        return self._adding(flagged, touched) if flagged or touched else None

    def rewriting(self, objs: Collection[Any], using: str, names: Collection[str]) -> Around | None:
        """Each of them gets values of their own."""
        watched = self._watched(names)
        if not watched:
            return None
        values = {row.pk: row.__dict__ for row in objs}
        stored = self._model._base_manager.using(using).filter(pk__in=values)
        return self._changing(using, [(row, _with(row, values[row.pk], watched)) for row in stored])

    def updating(self, stored: QuerySet[Any], values: dict[str, Any]) -> Around | None:
        """All of a queryset get the same values."""
        watched = self._watched(n for n, v in values.items() if not _is_itself(n, v))
        if not watched:
            return None
        keys = stored.values("pk")
        everybody = self._model._base_manager.using(stored.db).filter(pk__in=keys)
        if acting.current() is None:
            everybody = everybody[: ledger.MOST]
        return self._changing(stored.db, [(row, _with(row, values, watched)) for row in everybody])

    def removing(self, stored: QuerySet[Any]) -> Around | None:
        """Django tells of each."""
        return None

    def _watched(self, names: Iterable[str]) -> set[str]:
        """Those of the fields that are asked about: only flags, where nobody acts."""
        nobody_acts = acting.current() is None
        watched = people.FLAGS if nobody_acts else people.watched(self._model)
        return {*watched}.intersection(names)

    @contextmanager
    def _adding(self, flagged: Collection[Any], updated: Collection[str]) -> Iterator[None]:
        actor = acting.current()
        if actor is not None and updated:
            guards.require_superuser(actor, ", ".join(sorted(updated)))
        if actor is not None:
            for person in flagged:
                self._require(actor, None, person)
        yield
        if updated:
            changed("people")
        for person in flagged:
            gained = {"is_staff", "is_superuser"} & _flags_of(person)
            if gained:
                ledger.flags_changed(person, None, gained)

    @contextmanager
    def _changing(self, using: str, pairs: Collection[Pair]) -> Iterator[None]:
        actor = acting.current()
        at_stake = None if actor is None else keyholders.at_stake()
        if actor is not None:
            for before, after in pairs:
                self._require(actor, before, after)
        yield
        befores = {before.pk: before for before, _ in pairs}
        now = self._model._base_manager.using(using).in_bulk(befores)
        are_flags_changed = [_note_flags(befores[key], person) for key, person in now.items()]
        if any(are_flags_changed):
            changed("people")
        if actor is not None:
            _require_keyholders(actor, [(befores[key], person) for key, person in now.items()])
            keyholders.require_reachable(actor, at_stake)
        if any(are_flags_changed):
            issued_tokens.end_those_that_grew()

    def _require(self, actor: Actor, before: Any, after: Any) -> None:
        names = people.watched(self._model)
        differing = {name for name in names if people.differs(before, after, name)}
        if differing:
            people.require_change(actor, before, after, differing)


def _with(before: Any, values: Mapping[str, Any], names: Iterable[str]) -> Any:
    after = copy.copy(before)
    after.__dict__.update({name: values[name] for name in names if name in values})
    return after


def _is_itself(name: str, value: object) -> bool:
    """Whether a field keeps its value: so a row is locked where there is no `FOR UPDATE`."""
    return value == F(name)


def _flags_of(person: Any) -> set[str]:
    return {name for name in people.FLAGS if getattr(person, name, False) is True}


def _note_flags(before: Any, after: Any) -> bool:
    names = _flags_of(before) ^ _flags_of(after)
    if names:
        ledger.flags_changed(after, before, names)
    return bool(names)


def _require_keyholders(actor: Actor, pairs: Iterable[Pair]) -> None:
    """Whoever held a key and does not any more must leave others who do."""
    for before, after in pairs:
        is_locked_out = before.has_usable_password() and not after.has_usable_password()
        if keyholders.holds_a_key(before) and (is_locked_out or not keyholders.holds_a_key(after)):
            keyholders.require_others(actor, before)
