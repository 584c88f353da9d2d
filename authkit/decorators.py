"""What a developer says about a view, where it is defined.

    @allow("anyone", to="read")
    @allow("author", to=["update", "delete"], when="own")
    @allow("editor")
    class ArticleViewSet(ModelViewSet): ...

    @require("shop.view_report", recent=timedelta(minutes=10))
    def sales(request): ...

They stack, on functions, classes, methods and actions, sync or async, above or below other
decorators. They note what is declared and change nothing else: the view is decided about
by the middleware and by `EndpointPermission`.

What is said of a class holds for the classes that inherit from it. What is said of a
method holds where that method answers: a subclass that overrides it says it again. A view
must meet all requirements, of its class, its method and the classes it inherits from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar, overload

from django.core.exceptions import ValidationError

from authkit.access.conditions import condition
from authkit.access.declarations import Allow, Locked, Public, Require, note
from authkit.kernel.language import PatternError, parse_actions
from authkit.kernel.patterns import ANY
from authkit.models.role import Role
from authkit.models.rule import MAX_CONDITION_LENGTH

__all__ = ["allow", "condition", "locked", "public", "require"]

V = TypeVar("V", bound=Callable[..., Any] | type)


def allow(*roles: str, to: str | Iterable[str] = ANY, when: str | None = None) -> Callable[[V], V]:
    """Allow roles by default; administrators may change it from then on.

    Args:
        roles: short names (slugs) of roles. Those that do not exist are made by `sync`.
        to: actions or groups of actions: ``"read"``, ``["update", "delete"]``.
        when: the name of a registered condition; the default holds for the objects where
            it holds.

    Raises:
        TypeError: no role, or something that is not of the language.
    """
    if not roles:
        raise TypeError('@allow needs roles: @allow("editor", to="update")')
    for role in roles:
        _require_slug(role)
    if when is not None:
        _require_name(when)
    declaration = Allow(tuple(dict.fromkeys(roles)), _words(to), when)
    return lambda view: note(view, declaration)


def require(*permissions: str, recent: timedelta | None = None) -> Callable[[V], V]:
    """Demand something of everyone, superusers included. No rule can loosen it.

    Args:
        permissions: Django permissions, ``app_label.codename``, all of them.
        recent: how long ago the person may have proved who they are.

    Raises:
        TypeError: nothing is demanded, or something that is none of these.
    """
    if not permissions and recent is None:
        raise TypeError('@require needs a permission or recent=: @require("shop.view_report")')
    for permission in permissions:
        _require_permission(permission)
    if recent is not None:
        _require_duration(recent)
    declaration = Require(tuple(dict.fromkeys(permissions)), recent)
    return lambda view: note(view, declaration)


@overload
def public(view: V) -> V: ...
@overload
def public() -> Callable[[V], V]: ...
def public(view: Any = None) -> Any:
    """Open a view to all, whatever the rules, even when they cannot be loaded."""
    return public if view is None else note(view, Public())


@overload
def locked(view: V) -> V: ...
@overload
def locked() -> Callable[[V], V]: ...
def locked(view: Any = None) -> Any:
    """Let only code allow here: administrators may deny, and allow nothing more."""
    return locked if view is None else note(view, Locked())


def _words(to: object) -> tuple[str, ...]:
    if not isinstance(to, str | Iterable):
        raise TypeError(f'to= of @allow names actions, like "update", not {to!r}')
    try:
        return parse_actions(to)
    except PatternError as error:
        raise TypeError(f"to= of @allow names actions: {error}") from error


def _require_name(condition_name: object) -> None:
    problem = f'when= of @allow is the name of a condition, like "own", not {condition_name!r}'
    if not isinstance(condition_name, str) or len(condition_name) > MAX_CONDITION_LENGTH:
        raise TypeError(problem)
    if not condition_name or condition_name != condition_name.strip():
        raise TypeError(problem)


def _require_permission(name: object) -> None:
    if not isinstance(name, str) or not all(name.partition(".")):
        raise TypeError(f'@require takes permissions like "shop.view_report", not {name!r}')


def _require_duration(recent: object) -> None:
    if not isinstance(recent, timedelta) or recent <= timedelta(0):
        raise TypeError(f"recent= of @require is a timedelta above zero, not {recent!r}")


def _require_slug(role: object) -> None:
    if not isinstance(role, str):
        raise TypeError(f'@allow takes short names of roles, like "editor", not {role!r}')
    try:
        Role._meta.get_field("slug").run_validators(role)
    except ValidationError:
        raise TypeError(
            f"{role!r} is no short name of a role: lower-case letters, digits, - and _"
        ) from None
    if not role:
        raise TypeError("the short name of a role in @allow is empty")
