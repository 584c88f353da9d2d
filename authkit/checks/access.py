"""Whether code's own words about access can be kept, and who is left outside by them.

What is about code is read from the URLconf. What is about rules is read from the database
too, and only with ``--deploy``: `migrate` and the other commands run checks before there
are any tables. Where the database cannot be asked, that is said and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.db import Error as DatabaseFailure
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve

from authkit import conf
from authkit.access import conditions, declarations, discovery, views
from authkit.checks.rules import of_rules
from authkit.checks.settings import usable_settings
from authkit.checks.wiring import names_any, places_of
from authkit.kernel.patterns import ANY, GROUPS

_PERMISSION = "authkit.permissions.EndpointPermission"
_FILTER = "authkit.filters.AccessFilterBackend"
_MIDDLEWARE = "authkit.middleware.AuthkitMiddleware"


def check_declared_conditions(**_: Any) -> list[CheckMessage]:
    """Every ``@allow(…, when=…)`` names a condition that is registered for its model."""
    if not _has_urls():
        return []
    return [
        Error(
            f"{endpoint.view} declares @allow(when={allow.condition!r}), and"
            f" {_model_name(endpoint)} has no condition of this name: the rule allows nothing.",
            hint=f"Register it with @condition({allow.condition!r}, model=…) in a module that is"
            " imported at the start, or mend the name.",
            id="authkit.E010",
        )
        for endpoint in discovery.registry().governed()
        for allow, _actions in endpoint.allows()
        if allow.condition and allow.condition not in conditions.of_model(endpoint.model)
    ]


def check_endpoints(**_: Any) -> list[CheckMessage]:
    """Every view has a name of its own, from which the key of its endpoint follows."""
    if not _has_urls():
        return []
    registry = discovery.registry()
    nameless: list[CheckMessage] = [
        Warning(
            f"The view at {path!r} has no name from which a key could follow: it is closed.",
            hint='Give its path() a name: letters, digits, "-" and "_".',
            id="authkit.W111",
        )
        for path in sorted(set(registry.nameless))
    ]
    return nameless + [
        Warning(
            f"Different views answer under the key {key!r}: they are closed, because no rule"
            " could tell them apart.",
            hint=f"Give them different names: {', '.join(registry.endpoints[key].routes)}.",
            id="authkit.W112",
        )
        for key in sorted(registry.ambiguous)
        if registry.endpoints[key].is_governed
    ]


def check_declarations(**_: Any) -> list[CheckMessage]:
    """What code declares is about a view that is reached, and about actions that it has."""
    if not _has_urls():
        return []
    registry = discovery.registry()
    return [*_unreached(registry), *_without_action(registry)]


def _unreached(registry: discovery.Registry) -> Iterator[CheckMessage]:
    routes = registry.by_view.values()
    reached = {id(each) for route in routes for each in views.reached_by(route.view)}
    for target in declarations.targets():
        if _is_of_project(target) and not reached.intersection(
            map(id, declarations.layers_of(target))
        ):
            yield Warning(
                f"{target.__module__}.{target.__qualname__} declares something with @allow,"
                " @require, @public or @locked, and no route leads to it.",
                hint="If a decorator above it hides it, write that one with functools.wraps;"
                " if a URLconf other than ROOT_URLCONF leads there, silence this check.",
                id="authkit.W125",
            )


def _is_of_project(target: Any) -> bool:
    guards_itself = target.__module__.startswith(conf.get().ungoverned_views)
    return "<locals>" not in target.__qualname__ and not guards_itself


def _without_action(registry: discovery.Registry) -> Iterator[CheckMessage]:
    for endpoint in registry.governed():
        routes = [route for route in registry.by_view.values() if route.key == endpoint.key]
        allows = [allow for route in routes for allow in views.allows_of(route.view)]
        words = dict.fromkeys(word for allow in allows for word in allow.actions)
        known = {ANY, *GROUPS, *endpoint.actions}
        for word in words:
            if word not in known:
                yield Warning(
                    f'{endpoint.view} declares @allow(to="{word}"), and has no action of this'
                    " name: nothing comes of it.",
                    hint=f"It has: {', '.join(endpoint.actions)}.",
                    id="authkit.W126",
                )


def check_rules(**_: Any) -> list[CheckMessage]:
    """Rules, roles and endpoints fit each other."""
    if not _has_urls():
        return []
    try:
        return list(of_rules())
    except DatabaseFailure as failure:
        return [
            Warning(
                f"The database cannot be asked for roles and rules: {failure}".strip(),
                hint="Run `manage.py migrate`, and this check where the database can be reached.",
                id="authkit.W118",
            )
        ]


def check_enforcement(**_: Any) -> list[CheckMessage]:
    """Somebody asks for the decision, and lists are narrowed by it."""
    found: list[CheckMessage] = []
    given = getattr(settings, "REST_FRAMEWORK", None) or {}
    has_middleware = bool(places_of(_MIDDLEWARE, settings.MIDDLEWARE))
    if not has_middleware and not names_any(_PERMISSION, given, "DEFAULT_PERMISSION_CLASSES"):
        found.append(
            Warning(
                f"Neither {_MIDDLEWARE!r} is in MIDDLEWARE nor {_PERMISSION!r} among the"
                " DEFAULT_PERMISSION_CLASSES: no rule is asked before a view is reached.",
                hint="Add both.",
                id="authkit.W119",
            )
        )
    if not names_any(_FILTER, given, "DEFAULT_FILTER_BACKENDS"):
        found.append(
            Warning(
                f"{_FILTER!r} is not among the DEFAULT_FILTER_BACKENDS: lists that a rule allows"
                " under a condition are refused unless their view filters them itself.",
                hint="Add it, or filter with authkit.access.visible() in each view.",
                id="authkit.W120",
            )
        )
    return found


def check_login_url(**_: Any) -> list[CheckMessage]:
    """Strangers who are sent away from a page are sent somewhere."""
    if not _has_urls():
        return []
    try:
        target = resolve_url(settings.LOGIN_URL)
        if "//" not in target:
            resolve(target.partition("?")[0].partition("#")[0])
    except (NoReverseMatch, Resolver404):
        return [
            Warning(
                f"LOGIN_URL is {settings.LOGIN_URL!r}, and nothing is there: strangers who are"
                " refused a page are sent into a 404.",
                hint="Set it to the address, or the name, of the page where people sign in.",
                id="authkit.W121",
            )
        ]
    return []


def _has_urls() -> bool:
    """Whether there is something to look at; wrong settings are named by another check."""
    return bool(getattr(settings, "ROOT_URLCONF", "")) and usable_settings() is not None


def _model_name(endpoint: discovery.FoundEndpoint) -> str:
    return "the view names no model, which" if endpoint.model is None else endpoint.model.__name__
