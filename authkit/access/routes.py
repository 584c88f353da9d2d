"""What a URLconf leads to: its routes, each with the key that follows from its names.

A key is the namespaces of a URL and its name, joined by dots; for the routes of a viewset,
the namespaces and the router's basename. So a route that moves keeps its rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.urls import LocalePrefixPattern, ResolverMatch, URLPattern, URLResolver, get_resolver
from django.utils.translation import override

from authkit import conf
from authkit.access import views
from authkit.access.declarations import Declaration, Public
from authkit.access.views import View
from authkit.kernel.language import PatternError, parse_key


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern that leads to a view.

    Attributes:
        path: as the URLconf writes it.
        key: of its endpoint; None where none follows from its names: closed.
        view: what is called.
        methods: each HTTP method that it answers, with its action.
        is_governed: whether rules are about it. If not, it guards itself.
        declarations: by action, what code declares of it; a route without a key has them
            too.
    """

    path: str
    key: str | None
    view: View
    methods: Mapping[str, str]
    is_governed: bool = True
    declarations: Mapping[str, tuple[Declaration, ...]] = field(default_factory=dict)

    def is_public(self, action: str) -> bool:
        """Whether code opens this action of it to all."""
        return Public() in self.declarations.get(action, ())


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a URLconf a pattern stands."""

    path: str = ""
    namespaces: tuple[str, ...] = ()
    is_in_admin_site: bool = False


def routes_in(urlconf: str | None) -> Iterator[tuple[str, Route]]:
    """Every route, with the name (`ResolverMatch.view_name`) of a request that it leads on.

    Paths that are translated are written in the language of the project.
    """
    with override(settings.LANGUAGE_CODE):
        found = list(_walk(get_resolver(urlconf), Place()))
    for place, pattern in found:
        name = ResolverMatch(
            pattern.callback, (), {}, pattern.name, namespaces=list(place.namespaces)
        ).view_name
        yield name, route_to(pattern.callback, place, _key_of(place, pattern))


def route_to(view: View, place: Place, key: str | None) -> Route:
    """A route to a view."""
    methods = views.methods_of(view)
    guards_itself = place.is_in_admin_site or views.dotted_name_of(view).startswith(
        conf.get().ungoverned_views
    )
    declared = views.declarations_of(view, methods)
    return Route(place.path, key, view, methods, not guards_itself, declared)


def _walk(resolver: URLResolver, place: Place) -> Iterator[tuple[Place, URLPattern]]:
    is_in_admin_site = place.is_in_admin_site or _is_admin_site(resolver)
    for entry in resolver.url_patterns:
        path = place.path + _text_of(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Place(path, place.namespaces, is_in_admin_site), entry
        else:
            names = (*place.namespaces, entry.namespace) if entry.namespace else place.namespaces
            yield from _walk(entry, Place(path, names, is_in_admin_site))


def _text_of(pattern: Any) -> str:
    if isinstance(pattern, LocalePrefixPattern):
        return "<language>/"
    return str(pattern).removeprefix("^")


def _is_admin_site(resolver: URLResolver) -> bool:
    """Whether this is ``site.urls``: an app that is merely called "admin" is not.

    Only what a site itself puts into its URLs is marked so; its methods may stand anywhere.
    """
    return resolver.app_name == "admin" and any(
        isinstance(getattr(entry.callback, "admin_site", None), AdminSite)
        for entry in resolver.url_patterns
        if isinstance(entry, URLPattern)
    )


def _key_of(place: Place, pattern: URLPattern) -> str | None:
    basename = None
    if views.is_viewset(pattern.callback):
        basename = views.arguments_of(pattern.callback).get("basename")
    name = basename or pattern.name
    try:
        return parse_key(".".join([*place.namespaces, name])) if name else None
    except PatternError:
        return None
