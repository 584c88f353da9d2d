"""A credential's scopes: a ceiling over whatever its holder may do, superusers included."""

from __future__ import annotations

from django.http import HttpRequest

from authkit.access import discovery
from authkit.exceptions import ScopeInsufficient
from authkit.kernel.grant import Grant
from authkit.kernel.language import reaches


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
