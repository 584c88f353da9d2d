"""Endpoints find themselves: what the URLconf reaches, under stable keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db import models
from django.urls import get_resolver

from authkit import conf
from authkit.access import conditions, views
from authkit.access.declarations import Allow, Declaration, Locked, Public, Require
from authkit.access.routes import Place, Route, route_to, routes_in
from authkit.access.views import METHODS, View
from authkit.kernel.language import parse_actions
from authkit.kernel.patterns import ANY, has_action
from authkit.kernel.policy import EndpointDecl, Requirement, State

__all__ = ["METHODS", "FoundEndpoint", "Registry", "Route", "View", "registry"]


@dataclass(slots=True)
class FoundEndpoint:
    """All routes under one key.

    Attributes:
        key: of the endpoint.
        view: dotted name of its class or function.
        model: whose objects it is about, if it says so.
        routes: paths, as the URLconf writes them.
        methods: the HTTP methods of each action.
        routes_of: the paths of each action.
        declarations: what code declares of each action. Where routes disagree, the
            stricter word counts.
        is_governed: whether rules are about it. If not, it guards itself.
    """

    key: str
    view: str
    model: type[models.Model] | None
    routes: list[str] = field(default_factory=list)
    methods: dict[str, list[str]] = field(default_factory=dict)
    routes_of: dict[str, list[str]] = field(default_factory=dict)
    declarations: dict[str, tuple[Declaration, ...]] = field(default_factory=dict)
    is_governed: bool = False

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that a request can ask of it."""
        return tuple(self.methods)

    def allows(self) -> Iterator[tuple[Allow, tuple[str, ...]]]:
        """The default rules of code, each with words for the actions that it is about."""
        for declaration, actions in self._by_declaration().items():
            if isinstance(declaration, Allow):
                yield declaration, self._words(actions, declaration.actions)

    def declared(self, state: State) -> EndpointDecl:
        """What the kernel needs to know of it."""
        declared = self._by_declaration()
        return EndpointDecl(
            key=self.key,
            actions=self.actions,
            state=state,
            public=declared.get(Public(), ()),
            locked=declared.get(Locked(), ()),
            requirements=tuple(
                Requirement(d.permissions, d.recent, actions=self._words(actions, (ANY,)))
                for d, actions in declared.items()
                if isinstance(d, Require)
            ),
            conditions=frozenset(conditions.of_model(self.model)),
        )

    def add(self, route: Route) -> None:
        """Take in one more route."""
        self.is_governed |= route.is_governed
        if route.path not in self.routes:
            self.routes.append(route.path)
        for method, action in route.methods.items():
            known = self.methods.setdefault(action, [])
            if method not in known:
                known.append(method)
            paths = self.routes_of.setdefault(action, [])
            if route.path not in paths:
                paths.append(route.path)
        for action, declared in route.declarations.items():
            before = self.declarations.get(action, declared)
            self.declarations[action] = tuple(_strictest(before, declared))

    def _by_declaration(self) -> dict[Declaration, tuple[str, ...]]:
        found: dict[Declaration, list[str]] = {}
        for action, declarations in self.declarations.items():
            for declaration in declarations:
                found.setdefault(declaration, []).append(action)
        return {declaration: tuple(actions) for declaration, actions in found.items()}

    def _words(self, actions: Iterable[str], written: tuple[str, ...]) -> tuple[str, ...]:
        """As it is written in code where that means the same here, else each by its name."""
        meant = [action for action in self.actions if has_action(written, action)]
        return written if set(meant) == set(actions) else parse_actions(actions)


def _strictest(one: Iterable[Declaration], other: Iterable[Declaration]) -> Iterator[Declaration]:
    for declaration in dict.fromkeys([*one, *other]):
        is_opening = isinstance(declaration, Public | Allow)
        if not is_opening or (declaration in one and declaration in other):
            yield declaration


@dataclass(frozen=True, slots=True)
class Registry:
    """What one URLconf reaches.

    Attributes:
        endpoints: by key; those that guard themselves as well.
        by_view: for a resolved request, (name of the match, id of the view): its route.
            The routes keep the views, so no other can get the id of one.
        nameless: paths of governed routes without a usable name: closed.
        ambiguous: keys under which different views answer: closed.
    """

    endpoints: Mapping[str, FoundEndpoint]
    by_view: Mapping[tuple[str, int], Route]
    nameless: tuple[str, ...]
    ambiguous: frozenset[str]

    def find(self, match: Any) -> Route:
        """The route that a request was resolved to, whether it has a key or not.

        One that is in no URLconf that has been read has none.
        """
        route = self.by_view.get((match.view_name, id(match.func)))
        return route if route is not None else route_to(match.func, Place(str(match.route)), None)

    def route_of(self, match: Any) -> Route | None:
        """The route that a request was resolved to; None if it is closed."""
        route = self.by_view.get((match.view_name, id(match.func)))
        if route is None or route.key is None or route.key in self.ambiguous:
            return None
        return route

    def governed(self) -> Iterator[FoundEndpoint]:
        """The endpoints that rules are about: those with a key of their own."""
        for endpoint in self.endpoints.values():
            if endpoint.is_governed and endpoint.key not in self.ambiguous:
                yield endpoint


def registry(urlconf: str | None = None) -> Registry:
    """What a URLconf reaches, the project's unless another is named; read once."""
    return _registry(urlconf or settings.ROOT_URLCONF)


@lru_cache(maxsize=32)
def _registry(urlconf: str) -> Registry:
    as_of = (get_resolver(urlconf), conf.get().ungoverned_views, settings.LANGUAGE_CODE)
    return _read(urlconf, as_of)


@lru_cache(maxsize=32)
def _read(urlconf: str, as_of: tuple[object, ...]) -> Registry:
    """The same as long as all that it follows from is the same; Django's resolver among it."""
    endpoints: dict[str, FoundEndpoint] = {}
    by_view: dict[tuple[str, int], Route] = {}
    identities: dict[str, object] = {}
    nameless, ambiguous = [], set()
    for name, route in routes_in(urlconf):
        place = (name, id(route.view))
        known = by_view.setdefault(place, route)
        if (known.key, known.is_governed) != (route.key, route.is_governed):
            # Nothing tells which of the two a request came by.
            by_view[place] = route_to(route.view, Place(route.path), None)
        if route.key is None:
            nameless += [route.path] if route.is_governed else []
            continue
        identity = views.identity_of(route.view)
        if identities.setdefault(route.key, identity) != identity:
            ambiguous.add(route.key)
        _endpoint(endpoints, route).add(route)
    return Registry(endpoints, by_view, tuple(nameless), frozenset(ambiguous))


def _endpoint(endpoints: dict[str, FoundEndpoint], route: Route) -> FoundEndpoint:
    key = str(route.key)
    if key not in endpoints:
        view = route.view
        endpoints[key] = FoundEndpoint(key, views.dotted_name_of(view), views.model_of(view))
    return endpoints[key]


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"ROOT_URLCONF", "AUTHKIT"}:
        _registry.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.access.discovery")
