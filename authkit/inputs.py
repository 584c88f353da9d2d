"""Related objects in the input of a request: whom one cannot see, one cannot name.

A serializer accepts any row of its field's queryset, and so does a form. For a caller to
whom the related model's endpoints show only some rows, or none, the others are made not
to exist: the answer is the one for a primary key that nobody has.

Wherever a view makes its serializers, nested ones and lists of them included: a field
learns of it when it is put into its serializer (`Field.bind`), because classes of a
project say for themselves what their queryset is. A field that holds the bare key of a
relation (``author_id = IntegerField()``) is asked about as well. A form of Django learns
of it when it is about to be cleaned.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet
from django.forms import BaseForm, ModelChoiceField
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field
from rest_framework.relations import PrimaryKeyRelatedField, RelatedField
from rest_framework.serializers import BaseSerializer

from authkit.access import discovery, objects, questions
from authkit.kernel.grant import Grant

_READING = ("retrieve", "list", "GET")


@dataclass(frozen=True, slots=True)
class Input:
    """That of one request.

    Attributes:
        user, grant: who sends it.
        model: whose objects the view is about.
        unchecked: names of relations that are meant to be open; a view lists them in
            `unchecked_relations`.
    """

    user: Any
    grant: Grant | None
    model: type[models.Model] | None
    unchecked: frozenset[str]


_input: contextvars.ContextVar[Input | None] = contextvars.ContextVar("authkit_input", default=None)


@contextmanager
def narrowed(
    user: Any, grant: Grant | None, view: Any, model: type[models.Model] | None
) -> Iterator[None]:
    """Around what reads the input: relations accept only what the caller may see."""
    before = _input.get()
    _input.set(Input(user, grant, model, frozenset(getattr(view, "unchecked_relations", ()))))
    try:
        yield
    finally:
        _input.set(before)  # and not by its token: an async chain changes contexts on the way


def listen() -> None:
    """Learn of each field that is put into a serializer, and of each form; called once."""
    bind: Any = Field.bind
    full_clean: Any = BaseForm.full_clean

    @wraps(bind)
    def noticing(self: Any, *args: Any, **options: Any) -> None:
        bind(self, *args, **options)
        its = _input.get()
        if its is None:
            return
        if isinstance(self, RelatedField):
            vars(self)["get_queryset"] = _narrowed(self, self.get_queryset, its)
        elif not self.read_only and self.field_name not in its.unchecked:
            relation = _relation_of(self, its)
            if relation is not None:
                self.validators.append(_seen_by_key(relation, its))

    @wraps(full_clean)
    def narrowing(self: Any) -> None:
        its = _input.get()
        if its is not None:
            _narrow_form(self, its)
        full_clean(self)

    Field.bind = noticing  # type: ignore[method-assign]
    BaseForm.full_clean = narrowing  # type: ignore[method-assign]


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


def _relation_of(field: Any, its: Input) -> models.ForeignKey[Any, Any] | None:
    """The relation whose bare key a field of a serializer holds."""
    if isinstance(field, BaseSerializer):
        return None
    model = getattr(getattr(field.parent, "Meta", None), "model", None) or its.model
    if model is None:
        return None
    found = (f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey))
    return next((f for f in found if f.attname == field.source), None)


def _seen_by_key(relation: models.ForeignKey[Any, Any], its: Input) -> Callable[[Any], None]:
    """Refuses a key as the key of nobody is refused."""

    def check(value: Any) -> None:
        target: Any = relation.target_field
        rows = seen_by(its.user, its.grant, target.model._base_manager.all())
        if value is not None and not rows.filter(**{target.attname: value}).exists():
            text = PrimaryKeyRelatedField.default_error_messages["does_not_exist"]
            raise ValidationError(text.format(pk_value=value), code="does_not_exist")

    return check


def _narrow_form(form: Any, its: Input) -> None:
    """Let its choices be what the caller may see, and what its object has already."""
    for name, field in form.fields.items():
        if not isinstance(field, ModelChoiceField) or name in its.unchecked:
            continue
        rows: QuerySet[Any] | None = field.queryset
        if rows is not None:
            every: QuerySet[Any] = rows.model._base_manager.using(rows.db).all()
            seen = seen_by(its.user, its.grant, every)
            if seen is not every:
                within = Q(pk__in=seen.order_by().values("pk"))
                field.queryset = rows.filter(within | _had_by(form, name))


def _had_by(form: Any, name: str) -> Q:
    """What the object that a form changes is related to already."""
    instance: Any = getattr(form, "instance", None)
    nothing = Q(pk__in=())
    if instance is None or instance.pk is None:
        return nothing
    try:
        field: Any = instance._meta.get_field(name)
    except FieldDoesNotExist:
        return nothing
    stored = instance._meta.model._base_manager.using(instance._state.db).filter(pk=instance.pk)
    if not field.is_relation:
        return nothing
    return Q(pk__in=stored.exclude(**{name: None}).order_by().values(f"{name}__pk"))


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
