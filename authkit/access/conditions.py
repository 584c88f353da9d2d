"""Named predicates that a developer registers and an administrator picks.

A condition yields a `Q`, so one definition guards an object and filters a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

Predicate = Callable[[Any], Q]
P = TypeVar("P", bound=Predicate)

#: Matches no row.
NOTHING = Q(pk__in=())


class NobodySignedIn(Exception):
    """A condition asked for the primary key of a stranger."""


class Stranger(AnonymousUser):
    """Who has not signed in, as conditions see them: without a primary key.

    Django's `AnonymousUser` has the key None, and ``Q(owner_id=None)`` would match every
    row that nobody owns.
    """

    @property
    def pk(self) -> NoReturn:  # type: ignore[override]
        """Refuse: there is none."""
        raise NobodySignedIn

    id = pk
    username = pk  # Django's is "", and rows may hold that too


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
        """The objects for which it holds. For a stranger, none where it asks who they are."""
        if user is not None and user.is_authenticated:
            return self.predicate(user)
        try:
            found = self.predicate(Stranger())
            self.model._default_manager.filter(found)  # builds it; a stranger may not fit in
        except (NobodySignedIn, AttributeError, TypeError, ValueError):
            return NOTHING
        return found


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
