"""What code declares of its views: public, locked, requirements, default rules.

The decorators only note it on the function, class or method; here it is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from authkit.kernel.patterns import ANY

NOTED = "_authkit_declarations"

_V = TypeVar("_V", bound=Callable[..., Any] | type)


@dataclass(frozen=True, slots=True)
class Allow:
    """``@allow``: the default rule of these roles."""

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


def note(target: _V, declaration: Declaration) -> _V:
    """Write a declaration on a view, class or method; those noted before stay."""
    noted = vars(target).get(NOTED, ())
    setattr(target, NOTED, (*noted, declaration))
    return target


def noted_on(target: object) -> tuple[Declaration, ...]:
    """What is declared on a function or method, or on a class and those it inherits from."""
    if isinstance(target, type):
        return tuple(declaration for kind in reversed(target.__mro__) for declaration in _own(kind))
    return _own(target) or _own(getattr(target, "__func__", None))


def noted_below_api_view(kind: type) -> tuple[Declaration, ...]:
    """What is declared on the function from which `@api_view` made this class.

    The class keeps that function only in the closure of its handlers.
    """
    return tuple(dict.fromkeys(d for function in _wrapped(kind) for d in _own(function)))


def _wrapped(kind: type) -> Iterator[object]:
    if kind.__name__ == "WrappedAPIView" or kind.__qualname__.endswith("WrappedAPIView"):
        handlers = (getattr(kind, name, None) for name in getattr(kind, "http_method_names", ()))
    else:
        handlers = (
            getattr(kind, name, None)
            for name in getattr(kind, "http_method_names", ())
            if getattr(getattr(kind, name, None), "__qualname__", "").startswith("api_view.")
        )
    for handler in handlers:
        for cell in getattr(handler, "__closure__", None) or ():
            if callable(cell.cell_contents):
                yield cell.cell_contents


def _own(target: object) -> tuple[Declaration, ...]:
    noted: tuple[Declaration, ...] = getattr(target, "__dict__", {}).get(NOTED, ())
    return noted
