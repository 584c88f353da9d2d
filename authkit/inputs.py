"""Related objects in the input of a request: whom one cannot see, one cannot name.

A serializer accepts any row of its field's queryset. For a caller to whom the related
model's endpoints show only some rows, or none, the others are made not to exist: the
answer is the one for a primary key that nobody has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from rest_framework.relations import ManyRelatedField, RelatedField
from rest_framework.serializers import BaseSerializer, ListSerializer

from authkit.access import discovery, objects, questions
from authkit.kernel.grant import Grant

_READING = ("retrieve", "list", "GET")


def narrow(serializer: BaseSerializer[Any], user: Any, grant: Grant | None, view: Any) -> None:
    """Let every writable relation of a serializer accept only what the caller may see.

    A view names relations that are meant to be open in `unchecked_relations`.
    """
    unchecked = frozenset(getattr(view, "unchecked_relations", ()))
    for name, field in _relations(serializer):
        if name not in unchecked and not field.read_only:
            # A field may have no queryset and work its rows out itself.
            vars(field)["get_queryset"] = _narrowed(field.get_queryset, user, grant)


def _narrowed(make: Callable[[], Any], user: Any, grant: Grant | None) -> Callable[[], Any]:
    found: list[QuerySet[Any]] = []

    def get_queryset() -> Any:
        if not found:
            rows = make()
            if not hasattr(rows, "model"):
                return rows
            found.append(seen_by(user, grant, rows.all()))
        return found[0].all()

    return get_queryset


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


def _relations(serializer: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(serializer, ListSerializer):
        yield from _relations(serializer.child, name)
        return
    for field_name, field in getattr(serializer, "fields", {}).items():
        if isinstance(field, ManyRelatedField):
            yield field_name, field.child_relation
        elif isinstance(field, RelatedField):
            yield field_name, field
        elif isinstance(field, BaseSerializer):
            yield from _relations(field, field_name)
