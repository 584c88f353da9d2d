"""Named predicates that a developer registers and an administrator picks.

A condition yields a `Q`, so one definition guards an object and filters a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q

from authkit.access.strangers import NOTHING, UNANSWERABLE, Keyless, Stranger, without_keys

Predicate = Callable[[Any], Q]
P = TypeVar("P", bound=Predicate)


@dataclass(frozen=True, slots=True)
class Condition:
    """A registered condition, for the objects of one model.

    `verbose_name` is for people; it may be a lazy translation.
    """

    name: str
    model: type[models.Model]
    predicate: Predicate
    verbose_name: object

    def as_q(self, user: Any) -> Q:
        """The objects for which it holds. For a stranger, none where it asks who they are.

        Raises:
            TypeError: it answers with something else than a `Q`.
        """
        if _is_somebody(user):
            return self._ask(user)
        try:
            return self._buildable(self._ask(Stranger()))
        except UNANSWERABLE:
            return NOTHING

    def as_denied_q(self, user: Any) -> Q:
        """The objects to take out where it denies: for a stranger, all where nobody can tell.

        Raises:
            TypeError: it answers with something else than a `Q`.
        """
        if _is_somebody(user):
            return self._ask(user)
        try:
            return self._buildable(without_keys(self._ask(Keyless())))
        except UNANSWERABLE:
            return Q()

    def _ask(self, user: Any) -> Q:
        found: Any = self.predicate(user)
        if isinstance(found, Q):
            return found
        if getattr(found, "conditional", False) is True:  # Exists, say
            return Q(found)
        raise TypeError(
            f"condition {self.name!r} of {self.model.__name__} "
            f"answers {type(found).__name__}, and not a Q"
        )

    def _buildable(self, found: Q) -> Q:
        """Build it once: a stranger may not fit in."""
        self.model._default_manager.filter(found)
        return found


def _is_somebody(user: Any) -> bool:
    return user is not None and bool(user.is_authenticated)


_registered: dict[tuple[str, type[models.Model]], Condition] = {}


def condition(
    name: str, *, model: type[models.Model], verbose_name: object = ""
) -> Callable[[P], P]:
    """Register a condition on the objects of `model`, under a name for rules and admin.

    The function takes the user and returns a `Q` on `model`.

    Raises:
        ValueError: another function has this name for this model.
    """

    def register(predicate: P) -> P:
        known = _registered.get((name, model))
        if known is not None and known.predicate.__qualname__ != predicate.__qualname__:
            raise ValueError(f"condition {name!r} of {model.__name__} is registered twice")
        _registered[name, model] = Condition(name, model, predicate, verbose_name or name)
        return predicate

    return register


def of_model(model: type[models.Model] | None) -> dict[str, Condition]:
    """The conditions on objects of a model, those of the models it inherits from included."""
    if model is None:
        return {}
    found = {}
    for kind in reversed(model.__mro__):
        found.update({name: c for (name, its), c in _registered.items() if its is kind})
    return found


def names() -> frozenset[str]:
    """Every registered name."""
    return frozenset(name for name, _ in _registered)
