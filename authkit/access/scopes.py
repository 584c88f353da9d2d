"""A credential's scopes: a ceiling over whatever its holder may do, superusers included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import HttpRequest

from authkit.access import discovery
from authkit.exceptions import ScopeInsufficient
from authkit.kernel.grant import Grant
from authkit.kernel.language import parse_pattern, reaches
from authkit.kernel.patterns import has_action


def unknown_in(scopes: Iterable[str]) -> list[str]:
    """The scopes, or those words of them, that reach nothing that there is.

    Patterns too: a mistyped one would lie in wait for an endpoint that fits it one day.

    Raises:
        PatternError: one is not of the language.
    """
    registry = discovery.registry()
    there = [each for key, each in registry.endpoints.items() if key not in registry.ambiguous]
    found: list[str] = []
    for pattern in map(parse_pattern, scopes):
        reached = [endpoint for endpoint in there if pattern.endpoint.matches(endpoint.key)]
        actions = {action for endpoint in reached for action in endpoint.actions}
        unknown = [word for word in pattern.actions if not any(_is_for(word, actions))]
        found += (f"{pattern.endpoint.text}:{word}" for word in unknown)
    return found


def _is_for(word: str, actions: Iterable[str]) -> Iterator[bool]:
    return (has_action((word,), action) for action in actions)


def require_reach(grant: Grant, request: HttpRequest) -> None:
    """Refuse a request to which the scopes of its credential do not reach.

    What code opens to all is open to every credential. A view that has no key (it has no
    name, or shares one) is reached by no scope, and the admin site by no personal access
    token: it could mint another there.

    Raises:
        ScopeInsufficient: RFC 6750 §3.1 ``insufficient_scope``.
    """
    if grant.scopes is None and not grant.is_personal:
        return
    match = request.resolver_match
    if grant.is_personal and match is not None and "admin" in match.app_names:
        raise ScopeInsufficient("the admin site")
    if grant.scopes is None:
        return
    if match is None:
        raise ScopeInsufficient("no view")
    registry = discovery.registry(getattr(request, "urlconf", None))
    route = registry.find(match)
    action = route.methods.get(request.method or "")
    if action is None:
        raise ScopeInsufficient("a method that the view does not have")
    if route.is_public(action):
        return
    if route.key is None or route.key in registry.ambiguous:
        raise ScopeInsufficient("a view without a key")
    if not reaches(grant.scopes, route.key, action):
        raise ScopeInsufficient(f"{route.key}:{action}")
