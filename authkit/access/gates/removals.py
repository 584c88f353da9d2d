"""Removals, and what Django sets by itself where a row goes that others point to.

All of them end in Django's `Collector`, and some of its updates go by the methods that are
watched (`unsignalled`). Those are nobody's write: what becomes of a row whose relation
leads nowhere any more, its model has said.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import wraps
from typing import Any, ClassVar

from django.db import models
from django.db.models.deletion import CASCADE, DO_NOTHING, PROTECT, RESTRICT, Collector

#: Where what a relation points to goes, these set no other value.
_SETTING_NOTHING = (CASCADE, DO_NOTHING, PROTECT, RESTRICT)

_is_removing: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "authkit_is_removing", default=False
)


class Removals:
    """Django's one method by which rows go, watched once in a process."""

    around: ClassVar[list[Callable[[Any], AbstractContextManager[Any] | None]]] = []
    are_watched: ClassVar[bool] = False

    @classmethod
    def watch(cls, look: Callable[[Any], AbstractContextManager[Any] | None] | None = None) -> None:
        """Call `look` with each collector; what it returns stands around the removal."""
        if not cls.are_watched:
            cls.are_watched = True
            Collector.delete = cls._looking(Collector.delete)  # type: ignore[method-assign]
        if look is not None:
            cls.around.append(look)

    @classmethod
    def _looking(cls, delete: Callable[[Any], Any]) -> Any:
        @wraps(delete)
        def method(self: Any) -> Any:
            with ExitStack() as stack:
                for look in cls.around:
                    stack.enter_context(look(self) or nullcontext())
                return cls._removing(delete, self)

        return method

    @staticmethod
    def _removing(delete: Callable[[Any], Any], collector: Any) -> Any:
        token = _is_removing.set(True)
        try:
            return delete(collector)
        finally:
            _is_removing.reset(token)


def sets(model: type[models.Model], names: Iterable[str]) -> bool:
    """Whether an update of these fields follows from the removal that is under way."""
    if not _is_removing.get():
        return False
    fields = (f for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey))
    following = {f.name for f in fields if f.remote_field.on_delete not in _SETTING_NOTHING}
    return following.issuperset(names)
