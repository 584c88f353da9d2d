"""The gate before every view: passed once it is known who asks, and for which view."""

from __future__ import annotations

from django.http import HttpRequest

from authkit.access import scopes
from authkit.kernel.grant import Grant


def enter(request: HttpRequest, grant: Grant | None) -> None:
    """Refuse a request for which its credential is not enough; `grant` is None for a stranger.

    The middleware asks for every view that is not Django REST framework's, sync or async;
    for those, authkit's authentication classes ask with the credential they have accepted.
    `request` is Django's own, with its `resolver_match`.

    Raises:
        ScopeInsufficient: RFC 6750 §3.1 ``insufficient_scope``.
    """
    if grant is not None:
        scopes.require_reach(grant, request)
