"""Endpoints find themselves: what the URLconf reaches, under stable keys.

A key is the namespaces of a URL and its name, joined by dots; for the routes of a
viewset, the namespaces and the router's basename. So a route that moves keeps its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from authkit.access import conditions
from authkit.access.declarations import (
    Allow,
    Declaration,
    Locked,
    Public,
    Require,
    noted_below_api_view,
    noted_on,
)
from authkit.kernel.language import PatternError, parse_key
from authkit.kernel.policy import EndpointDecl, Requirement, State

View = Callable[..., Any]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

#: Packages whose views guard themselves and only clutter the matrix.
OUT_OF_THE_WAY = ("authkit.", "django.", "debug_toolbar.", "drf_spectacular.")


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern that leads to a view: `methods` maps each HTTP method to its action."""

    path: str
    key: str | None
    view: View
    methods: Mapping[str, str]
    is_governed: bool = True
    declarations: Mapping[str, tuple[Declaration, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class FoundEndpoint:
    """All routes under one key."""

    key: str
    view: str
    model: type[models.Model] | None
    routes: list[str] = field(default_factory=list)
    methods: dict[str, list[str]] = field(default_factory=dict)  # action -> HTTP methods
    declarations: dict[str, tuple[Declaration, ...]] = field(default_factory=dict)
    is_governed: bool = True

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that a request can ask of it."""
        return tuple(self.methods)

    def allows(self) -> Iterator[tuple[Allow, tuple[str, ...]]]:
        """The default rules of code, each with the actions it is about."""
        for declaration, actions in self._by_declaration().items():
            if isinstance(declaration, Allow):
                is_on_class = set(actions) == set(self.actions)
                yield declaration, declaration.actions if is_on_class else actions

    def declared(self, state: State) -> EndpointDecl:
        """What the kernel needs to know of it."""
        by_declaration = self._by_declaration()
        return EndpointDecl(
            key=self.key,
            actions=self.actions,
            state=state,
            public=self._about(by_declaration, Public),
            locked=self._about(by_declaration, Locked),
            requirements=tuple(
                Requirement(d.permissions, d.recent, actions=actions)
                for d, actions in by_declaration.items()
                if isinstance(d, Require)
            ),
            conditions=frozenset(conditions.of_model(self.model)),
        )

    def _about(
        self, by_declaration: Mapping[Declaration, tuple[str, ...]], kind: type
    ) -> tuple[str, ...]:
        found = [a for d, actions in by_declaration.items() if isinstance(d, kind) for a in actions]
        return tuple(dict.fromkeys(found))

    def _by_declaration(self) -> dict[Declaration, tuple[str, ...]]:
        found: dict[Declaration, list[str]] = {}
        for action, declarations in self.declarations.items():
            for declaration in declarations:
                found.setdefault(declaration, []).append(action)
        return {declaration: tuple(actions) for declaration, actions in found.items()}


@dataclass(frozen=True, slots=True)
class Registry:
    """What one URLconf reaches.

    Attributes:
        endpoints: by key.
        by_view: for a resolved request, (name of the match, view) -> its route.
        nameless: routes without a usable name: closed.
        ambiguous: keys under which different views answer: closed.
    """

    endpoints: Mapping[str, FoundEndpoint]
    by_view: Mapping[tuple[str, View], Route]
    nameless: tuple[str, ...]
    ambiguous: frozenset[str]

    def find(self, match: Any) -> Route | None:
        return self.by_view.get((match.view_name, match.func))

    def route_of(self, match: Any) -> Route | None:
        """The route that a request was resolved to; None if it is closed."""
        route = self.by_view.get((match.view_name, match.func))
        if route is None or route.key is None or route.key in self.ambiguous:
            return None
        return route


def registry(urlconf: str | None = None) -> Registry:
    """What a URLconf reaches, the project's unless another is named; read once."""
    return _registry(urlconf or settings.ROOT_URLCONF)


@lru_cache(maxsize=32)
def _registry(urlconf: str) -> Registry:
    endpoints: dict[str, FoundEndpoint] = {}
    by_view: dict[tuple[str, View], Route] = {}
    kinds: dict[str, object] = {}
    nameless, ambiguous = [], set()
    for path, names, pattern in _walk(get_resolver(urlconf), "", ()):
        key = _key_of(names, pattern)
        kind = _kind_of(pattern.callback)
        name = f"{kind.__module__}.{getattr(kind, '__qualname__', kind)}"
        route = Route(
            path,
            key,
            pattern.callback,
            _methods_of(pattern.callback),
            not (name.startswith(OUT_OF_THE_WAY) or "admin" in names),
        )
        route = Route(
            path,
            key,
            pattern.callback,
            route.methods,
            route.is_governed,
            {a: tuple(_noted(route, a)) for a in route.methods.values()},
        )
        by_view[":".join([*names, pattern.name or _lookup_name(pattern)]), pattern.callback] = route
        if key is None:
            nameless.append(path)
            continue
        kind = _kind_of(pattern.callback)
        if kinds.setdefault(key, kind) is not kind:
            ambiguous.add(key)
        _add(endpoints, route, kind)
    return Registry(endpoints, by_view, tuple(nameless), frozenset(ambiguous))


def _walk(
    resolver: URLResolver, path: str, names: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], URLPattern]]:
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, names, entry
        else:
            deeper = (*names, entry.namespace) if entry.namespace else names
            yield from _walk(entry, here, deeper)


def _key_of(names: tuple[str, ...], pattern: URLPattern) -> str | None:
    initkwargs = getattr(pattern.callback, "initkwargs", {})
    name = initkwargs.get("basename") if _is_viewset(pattern.callback) else None
    name = name or pattern.name
    if not name:
        return None
    try:
        return parse_key(".".join([*names, name]))
    except PatternError:
        return None


def _lookup_name(pattern: URLPattern) -> str:
    return pattern.lookup_str


def _is_viewset(view: View) -> bool:
    return isinstance(getattr(view, "actions", None), Mapping)


def _kind_of(view: View) -> Any:
    return getattr(view, "cls", None) or getattr(view, "view_class", None) or view


def _methods_of(view: View) -> dict[str, str]:
    if _is_viewset(view):
        actions: Mapping[str, str] = view.actions  # type: ignore[attr-defined]
        found = {method.upper(): action for method, action in actions.items()}
        if "GET" in found:
            found.setdefault("HEAD", found["GET"])
        return {**found, "OPTIONS": "metadata"}
    kind = _kind_of(view)
    if not isinstance(kind, type):
        return {method: method for method in METHODS}
    names = getattr(kind, "http_method_names", ())
    methods = {name.upper() for name in names if hasattr(kind, name)} & set(METHODS)
    if "GET" in methods:
        methods.add("HEAD")
    return {method: method for method in METHODS if method in methods | {"OPTIONS"}}


def _add(endpoints: dict[str, FoundEndpoint], route: Route, kind: Any) -> None:
    key = str(route.key)
    name = f"{kind.__module__}.{getattr(kind, '__qualname__', kind)}"
    endpoint = endpoints.get(key)
    if endpoint is None:
        endpoint = FoundEndpoint(key, name, _model_of(kind))
        endpoint.is_governed = route.is_governed
        endpoints[key] = endpoint
    endpoint.routes.append(route.path)
    for method, action in route.methods.items():
        known = endpoint.methods.setdefault(action, [])
        if method not in known:
            known.append(method)
        declared = dict.fromkeys([*endpoint.declarations.get(action, ()), *_noted(route, action)])
        endpoint.declarations[action] = tuple(declared)


def _noted(route: Route, action: str) -> Iterator[Declaration]:
    kind = _kind_of(route.view)
    yield from noted_on(route.view)
    if isinstance(kind, type):
        yield from noted_on(kind)
        yield from noted_below_api_view(kind)
        method = getattr(kind, action, None) or getattr(kind, action.lower(), None)
        if method is not None:
            yield from noted_on(method)


def _model_of(kind: Any) -> type[models.Model] | None:
    queryset = getattr(kind, "queryset", None)
    serializer = getattr(kind, "serializer_class", None)
    meta = getattr(serializer, "Meta", None)
    found = (
        getattr(queryset, "model", None)
        or getattr(kind, "access_model", None)
        or getattr(kind, "model", None)
        or getattr(meta, "model", None)
    )
    return found if isinstance(found, type) and issubclass(found, models.Model) else None


def _forget(*, setting: str, **_: object) -> None:
    if setting == "ROOT_URLCONF":
        _registry.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.access.discovery")
