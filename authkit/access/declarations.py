"""What code declares of its views: public, locked, requirements, default rules.

`authkit.decorators` only notes it on the function, class or method, and changes nothing
else about them; here it is noted and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeVar
from weakref import WeakSet

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

_targets: WeakSet[Any] = WeakSet()
#: Through so many decorators that hide what they wrap, one looks for it.
_DEEPEST = 12


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
    _targets.add(target)
    return target


def targets() -> list[Any]:
    """Every function, class and method on which something is declared, in this process."""
    named = [each for each in _targets if isinstance(each, type | FunctionType)]
    return sorted(named, key=lambda each: (each.__module__, each.__qualname__))


def noted_on(target: object) -> tuple[Declaration, ...]:
    """What is declared on a function, on what it wraps, or on a class and its ancestors.

    What is declared on `dispatch` counts as declared on its class.
    """
    if isinstance(target, type):
        found = [_of_class(kind) for kind in reversed(target.__mro__)]
    else:
        found = [_own(layer) for layer in layers_of(target)]
    return tuple(dict.fromkeys(one for some in found for one in some))


def hidden_in(view: object) -> Iterator[object]:
    """Functions that a view holds in its closure, or as an attribute of its instance.

    A decorator without `functools.wraps` hides what it was put on, and with it what is
    declared there. Among these is the function that was hidden; there may be others.
    """
    seen = {id(layer) for layer in layers_of(view)}
    held = [each for layer in layers_of(view) for each in _held_by(layer)]
    for _ in range(_DEEPEST):
        held = [each for each in held if id(each) not in seen]
        seen.update(map(id, held))
        yield from held
        held = [other for each in held for layer in layers_of(each) for other in _held_by(layer)]


def _held_by(layer: object) -> Iterator[object]:
    """The callables in a closure and on an instance; those of classes are reached elsewhere."""
    for cell in getattr(layer, "__closure__", None) or ():
        try:
            content = cell.cell_contents
        except ValueError:  # it is empty yet
            continue
        if callable(content) and not isinstance(content, type):
            yield content
    if not isinstance(layer, type | FunctionType | ModuleType | MethodType):
        for content in [*getattr(layer, "__dict__", {}).values()]:
            if isinstance(content, FunctionType | MethodType | partial):
                yield content


def innermost(view: object) -> object:
    """The function at the heart of decorators and partials."""
    *_, heart = layers_of(view)
    return heart


def _of_class(kind: type) -> tuple[Declaration, ...]:
    dispatch = vars(kind).get("dispatch")
    return (*_own(kind), *(noted_on(dispatch) if dispatch is not None else ()))


def layers_of(target: object) -> Iterator[object]:
    """A function, and what it wraps."""
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
