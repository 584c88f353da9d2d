"""What can be known of a view without calling it: its class, its methods, its model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from django.db import models

from authkit.access.declarations import (
    Allow,
    Declaration,
    Locked,
    Require,
    hidden_in,
    innermost,
    layers_of,
    noted_on,
)
from authkit.kernel.language import PatternError, parse_actions
from authkit.kernel.patterns import has_action

View = Callable[..., Any]

#: What a function may be asked. It gets every method; the others are closed.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_MADE_BY_API_VIEW = "WrappedAPIView"

#: The action of a viewset that answers OPTIONS.
METADATA = "metadata"


def kind_of(view: View) -> Any:
    """The class of a class-based view, else the view itself."""
    return getattr(view, "cls", None) or getattr(view, "view_class", None) or view


def is_viewset(view: View) -> bool:
    """Whether each HTTP method is mapped to an action."""
    return isinstance(getattr(view, "actions", None), Mapping)


def arguments_of(view: View) -> Mapping[str, Any]:
    """What was given to ``as_view()``."""
    found: Mapping[str, Any] = getattr(view, "initkwargs", None) or getattr(
        view, "view_initkwargs", {}
    )
    return found


def identity_of(view: View) -> object:
    """Equal for two views that are one: all ``as_view()`` of a class about one model are.

    But those of Django's generic classes are told apart by all their arguments: a
    `TemplateView` is its template.
    """
    kind = kind_of(view)
    if isinstance(kind, type) and kind.__module__.startswith("django.views."):
        return (kind, sorted((name, repr(value)) for name, value in arguments_of(view).items()))
    return (kind, model_of(view))


def dotted_name_of(view: View) -> str:
    """Module and name of its class or function."""
    kind = kind_of(view)
    if not isinstance(kind, type):
        kind = innermost(kind)
        kind = kind if hasattr(kind, "__qualname__") else type(kind)
    name = kind.__qualname__
    if name == _MADE_BY_API_VIEW:  # its other name is that of the function
        name = kind.__name__
    return f"{kind.__module__}.{name}"


def methods_of(view: View) -> dict[str, str]:
    """The HTTP methods that it answers, each with its action."""
    kind = kind_of(view)
    if not isinstance(kind, type):
        return {method: method for method in METHODS}
    names = arguments_of(view).get("http_method_names", getattr(kind, "http_method_names", ()))
    answered = [name.upper() for name in names if hasattr(kind, name.lower())]
    found = {method: method for method in answered if _is_word(method)}
    if is_viewset(view):
        found.update(_actions_of(view, {name.upper() for name in names}))
    if "GET" in found and "HEAD" in {name.upper() for name in names}:
        found.setdefault("HEAD", found["GET"] if is_viewset(view) else "HEAD")
    return dict(sorted(found.items(), key=lambda item: _place(item[0])))


def declarations_of(view: View, methods: Mapping[str, str]) -> dict[str, tuple[Declaration, ...]]:
    """By action, what is declared on the view, on its class, and on what answers.

    What narrows is seen through decorators that hide it as well, on every action; what
    opens is not: nobody can tell whether the view is that of which it was said.
    """
    kind = kind_of(view)
    wide = [*_on_all_of(view), *_hidden_in(view)]
    found: dict[str, tuple[Declaration, ...]] = {}
    for method, action in methods.items():
        narrow = noted_on(_answering(kind, method, action))
        about = [one for one in (*wide, *narrow) if _is_about(one, action)]
        found[action] = tuple(dict.fromkeys([*found.get(action, ()), *about]))
    return found


def reached_by(view: View) -> Iterator[object]:
    """All that answers or decides for a view: functions, its class, its ancestors, its methods."""
    for each in (view, *hidden_in(view)):
        yield from layers_of(each)
        kind: Any = kind_of(each)  # type: ignore[arg-type]
        for function in _below_api_view(kind):
            yield from layers_of(function)
        for ancestor in getattr(kind, "__mro__", ()) if isinstance(kind, type) else ():
            yield ancestor
            for member in vars(ancestor).values():
                yield from layers_of(member)


def allows_of(view: View) -> Iterator[Allow]:
    """The default rules that are declared for all that a view answers."""
    yield from (one for one in _on_all_of(view) if isinstance(one, Allow))


def _on_all_of(view: View) -> Iterator[Declaration]:
    """What is declared for all that a view answers."""
    kind = kind_of(view)
    yield from noted_on(view)
    if isinstance(kind, type):
        yield from noted_on(kind)
    for function in _below_api_view(kind):
        yield from noted_on(function)


def _hidden_in(view: View) -> Iterator[Declaration]:
    for each in hidden_in(view):
        found = list(_on_all_of(each))  # type: ignore[arg-type]
        kind = kind_of(each)  # type: ignore[arg-type]
        if isinstance(kind, type):
            found += [one for name in dir(kind) for one in _noted_below(kind, name)]
        yield from (one for one in found if isinstance(one, Require | Locked))


def _noted_below(kind: type, name: str) -> Iterator[Declaration]:
    member = inspect.getattr_static(kind, name, None)
    if isinstance(member, FunctionType):
        yield from noted_on(member)


def model_of(view: View) -> type[models.Model] | None:
    """Whose objects it is about, if it says so.

    ``access_model`` on the class or function says it outright; else it follows from the
    queryset, the model or the serializer.
    """
    kind, arguments = kind_of(view), arguments_of(view)

    def attribute(name: str) -> Any:
        return arguments.get(name, getattr(kind, name, None))

    meta = getattr(attribute("serializer_class"), "Meta", None)
    candidates = (
        attribute("access_model") or getattr(view, "access_model", None),
        getattr(attribute("queryset"), "model", None),
        attribute("model"),
        getattr(meta, "model", None),
    )
    return next((one for one in candidates if _is_model(one)), None)


def _actions_of(view: View, names: set[str]) -> Iterator[tuple[str, str]]:
    actions: Mapping[str, str] = view.actions  # type: ignore[attr-defined]
    if "OPTIONS" in names:
        yield "OPTIONS", METADATA
    for method, action in actions.items():
        if method.upper() in names:
            yield method.upper(), action


def _answering(kind: Any, method: str, action: str) -> object:
    """The method of a class that answers."""
    if not isinstance(kind, type):
        return None
    name = action if hasattr(kind, action) else method.lower()
    if method == "HEAD" and not hasattr(kind, name):
        name = "get"
    return getattr(kind, name, None)


def _below_api_view(kind: Any) -> Iterator[object]:
    """The function that `@api_view` was put on: its handlers enclose it, and nothing else."""
    if not isinstance(kind, type) or kind.__qualname__ != _MADE_BY_API_VIEW:
        return
    for name in kind.http_method_names:  # type: ignore[attr-defined]
        handler: Any = getattr(kind, name, None)
        if getattr(handler, "__qualname__", "").startswith("api_view."):
            yield from (cell.cell_contents for cell in handler.__closure__ or ())
            return


def _is_about(declaration: Declaration, action: str) -> bool:
    return not isinstance(declaration, Allow) or has_action(declaration.actions, action)


def _is_model(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, models.Model)


def _is_word(method: str) -> bool:
    try:
        return parse_actions([method]) == (method,)
    except PatternError:
        return False


def _place(method: str) -> tuple[int, str]:
    return (METHODS.index(method), "") if method in METHODS else (len(METHODS), method)
