"""Related objects in the input of a request: whom one cannot see, one cannot name.

A serializer accepts any row of its field's queryset. For a caller to whom the related
model's endpoints show only some rows, or none, the others are made not to exist: the
answer is the one for a primary key that nobody has.

Wherever a view makes its serializers, nested ones and lists of them included: a relation
learns of it when it is put into its serializer (`RelatedField.bind`), because classes of a
project say for themselves what their queryset is.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from rest_framework.relations import RelatedField
from rest_framework.serializers import BaseSerializer

from authkit.access import discovery, objects, questions
from authkit.kernel.grant import Grant

_READING = ("retrieve", "list", "GET")


@dataclass(frozen=True, slots=True)
class Input:
    """That of one request.

    Attributes:
        user, grant: who sends it.
        unchecked: names of relations that are meant to be open; a view lists them in
            `unchecked_relations`.
    """

    user: Any
    grant: Grant | None
    unchecked: frozenset[str]


_input: contextvars.ContextVar[Input | None] = contextvars.ContextVar("authkit_input", default=None)


@contextmanager
def narrowed(user: Any, grant: Grant | None, view: Any) -> Iterator[None]:
    """Around what reads the input: relations accept only what the caller may see."""
    before = _input.get()
    _input.set(Input(user, grant, frozenset(getattr(view, "unchecked_relations", ()))))
    try:
        yield
    finally:
        _input.set(before)  # and not by its token: an async chain changes contexts on the way


def listen() -> None:
    """Learn of each relation that is put into a serializer; called once."""
    bind: Any = RelatedField.bind

    @wraps(bind)
    def noticing(self: Any, *args: Any, **options: Any) -> None:
        bind(self, *args, **options)
        its = _input.get()
        if its is not None:
            vars(self)["get_queryset"] = _narrowed(self, self.get_queryset, its)

    RelatedField.bind = noticing  # type: ignore[method-assign]


def open_up(serializer: Any) -> None:
    """Put all fields into a serializer now, and not when it is first looked at."""
    child = getattr(serializer, "child", serializer)
    for each in getattr(child, "fields", {}).values():
        if isinstance(each, BaseSerializer):
            open_up(each)


def _narrowed(relation: Any, make: Callable[[], Any], its: Input) -> Callable[[], Any]:
    found: list[QuerySet[Any]] = []

    def get_queryset() -> Any:
        if relation.field_name in its.unchecked or _name_of_many(relation) in its.unchecked:
            return make()
        if not found:
            rows = make()  # a field may have no queryset and work its rows out itself
            if not hasattr(rows, "model"):
                return rows
            found.append(seen_by(its.user, its.grant, rows.all()))
        return found[0].all()

    return get_queryset


def _name_of_many(relation: Any) -> Any:
    """The name of a relation to many, which holds one for each."""
    return getattr(relation.parent, "field_name", None) if relation.field_name == "" else None


def seen_by(user: Any, grant: Grant | None, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that any endpoint of their model shows this caller; all, if there is none."""
    decisions = []
    for key, action in _reading_of(rows.model):
        decision = questions.ask(user, key, action, grant=grant)
        if decision.allowed:
            return rows
        decisions.append(decision)
    if not decisions:
        return rows
    is_about_people = user.is_authenticated and isinstance(user, rows.model)
    within = Q(pk=user.pk) if is_about_people else Q(pk__in=())  # everybody knows themselves
    for decision in decisions:
        if decision.conditional:
            every: QuerySet[Any] = rows.model._base_manager.using(rows.db)
            within |= Q(pk__in=objects.visible_by(decision, every, user).order_by().values("pk"))
    return rows.filter(within)


def _reading_of(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    for key, endpoint in discovery.registry().endpoints.items():
        if (
            endpoint.is_governed
            and endpoint.model is not None
            and issubclass(model, endpoint.model)
        ):
            action = next((name for name in _READING if name in endpoint.methods), None)
            if action is not None:
                yield key, action
