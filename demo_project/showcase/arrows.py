"""What the server asks Demo ID while the browser waits, told to the page that shows the dance.

The answer of authkit's view tells all of it in a header. That comes when the dance is over;
so that each arrow is seen as it flies, it is also written to the database at once, and the
page asks for those of its ride meanwhile. A real site has nothing of the kind.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import DatabaseError, transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authkit.decorators import public
from authkit.signals import provider_asked
from demo_project.showcase.models import Arrow

HEADER = "X-Demo-Arrows"
#: By what name the page asks: a UUID that it has made up.
RIDE = re.compile(r"[0-9a-f-]{36}\Z")
_KEPT = timedelta(minutes=10)


@dataclass
class _Ride:
    """One request for which the server asks Demo ID."""

    name: str
    arrows: list[dict[str, Any]] = field(default_factory=list)


_ride: ContextVar[_Ride | None] = ContextVar("ride", default=None)


class ArrowsMiddleware:
    """Adds the arrows to the answers of authkit's social views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/auth/social/"):
            return self.get_response(request)
        named = request.headers.get("X-Demo-Ride", "")
        ride = _Ride(named if RIDE.match(named) else "")
        token = _ride.set(ride)
        try:
            response = self.get_response(request)
        finally:
            _ride.reset(token)
        response.headers[HEADER] = json.dumps(ride.arrows)
        return response


@receiver(provider_asked)
def _draw(method: str, url: str, status: int | None, duration: float, **_: object) -> None:
    ride = _ride.get()
    if ride is None:
        return
    path, took = urlsplit(url).path, round(duration * 1000)
    arrow = {"method": method, "path": path, "status": status, "milliseconds": took}
    ride.arrows.append(arrow)
    if ride.name:
        with suppress(DatabaseError), transaction.atomic():
            Arrow.objects.filter(flown_at__lt=timezone.now() - _KEPT).delete()
            Arrow.objects.create(ride=ride.name, told=arrow)


@public
@never_cache
@require_safe
def of_ride(request: HttpRequest, ride: UUID) -> JsonResponse:
    """The arrows of one ride so far, for who knows its name."""
    rows = Arrow.objects.filter(ride=str(ride))
    return JsonResponse({"arrows": [row.told for row in rows]})
