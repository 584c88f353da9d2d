"""What the server asks Demo ID while the browser waits, told to the page that shows the dance."""

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from authkit.signals import provider_asked

_arrows: ContextVar[list[dict[str, Any]] | None] = ContextVar("arrows", default=None)
HEADER = "X-Demo-Arrows"


class ArrowsMiddleware:
    """Adds the arrows to the answers of authkit's social views; a real site would not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/auth/social/"):
            return self.get_response(request)
        arrows: list[dict[str, Any]] = []
        token = _arrows.set(arrows)
        try:
            response = self.get_response(request)
        finally:
            _arrows.reset(token)
        response.headers[HEADER] = json.dumps(arrows)
        return response


@receiver(provider_asked)
def _draw(method: str, url: str, status: int | None, duration: float, **_: object) -> None:
    arrows = _arrows.get()
    if arrows is not None:
        path = urlsplit(url).path
        took = round(duration * 1000)
        arrows.append({"method": method, "path": path, "status": status, "milliseconds": took})
