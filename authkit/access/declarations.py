"""What code declares of its views: public, locked, requirements, default rules.

`authkit.decorators` only notes it on the function, class or method, and changes nothing
else about them; here it is noted and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MethodType
from typing import Any, TypeVar

from authkit.kernel.patterns import ANY

_NOTED = "_authkit_declares "

V = TypeVar("V", bound=Callable[..., Any] | type)


@dataclass(frozen=True, slots=True)
class Allow:
    """``@allow``: the default rule of these roles; `actions` are words of the language."""

    roles: tuple[str, ...]
    actions: tuple[str, ...] = (ANY,)
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Require:
    """``@require``: what is demanded of everyone, superusers included."""

    permissions: tuple[str, ...] = ()
    recent: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Public:
    """``@public``: open to all, whatever the rules."""


@dataclass(frozen=True, slots=True)
class Locked:
    """``@locked``: administrators cannot change what code allows here."""


Declaration = Allow | Require | Public | Locked


def note(target: V, declaration: Declaration) -> V:
    """Write a declaration on a view, class or method; those noted before stay.

    Each has an attribute of its own, so that decorators that copy attributes
    (`functools.wraps`, `method_decorator`) add them up and overwrite none.

    Raises:
        TypeError: it is no view, or the declaration would be seen by nobody.
    """
    problem = _problem_with(target)
    if problem:
        word = type(declaration).__name__.lower()
        raise TypeError(f"@{word} is for views, their classes and methods, not for {problem}")
    setattr(target, f"{_NOTED}{declaration!r}", declaration)
    return target


def noted_on(target: object) -> tuple[Declaration, ...]:
    """What is declared on a function, on what it wraps, or on a class and its ancestors.

    What is declared on `dispatch` counts as declared on its class.
    """
    if isinstance(target, type):
        found = [_of_class(kind) for kind in reversed(target.__mro__)]
    else:
        found = [_own(layer) for layer in _layers(target)]
    return tuple(dict.fromkeys(one for some in found for one in some))


def innermost(view: object) -> object:
    """The function at the heart of decorators and partials."""
    *_, heart = _layers(view)
    return heart


def _of_class(kind: type) -> tuple[Declaration, ...]:
    dispatch = vars(kind).get("dispatch")
    return (*_own(kind), *(noted_on(dispatch) if dispatch is not None else ()))


def _layers(target: object) -> Iterator[object]:
    seen: set[int] = set()
    while target is not None and id(target) not in seen:
        seen.add(id(target))
        yield target
        if isinstance(target, partial):
            target = target.func
        elif isinstance(target, MethodType):
            target = target.__func__
        else:
            target = getattr(target, "__wrapped__", None)


def _own(target: object) -> tuple[Declaration, ...]:
    noted = getattr(target, "__dict__", {})
    return tuple(value for name, value in noted.items() if name.startswith(_NOTED))


def _problem_with(target: object) -> str:
    if isinstance(target, type):
        # Models, serializers, forms and permission classes have metaclasses, mixins none.
        is_view = hasattr(target, "as_view") or type(target) is type
        return "" if is_view else f"the class {target.__qualname__}"
    if isinstance(target, staticmethod | classmethod | property):
        return f"a {type(target).__name__}: put it below that decorator"
    if isinstance(target, MethodType):
        return "a bound method: put it where the method is defined"
    if not callable(target) or not hasattr(target, "__dict__"):
        return repr(target)
    return ""
