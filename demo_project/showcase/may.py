"""What the caller may do, and why not the rest: in words, for the page."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from rest_framework.decorators import api_view, schema
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.access import discovery, explain
from authkit.access.explanation_in_words import remedy_text
from authkit.decorators import public

_SHOWN = ("api.", "reports.")


@public
@api_view(["GET"])
@schema(None)
def may(request: Request) -> Response:
    """Each action of the magazine's endpoints: yes, for some objects, or no and why."""
    return Response(list(_told(request.user)))


def _told(user: Any) -> Iterator[dict[str, Any]]:
    for endpoint in discovery.registry(settings.ROOT_URLCONF).governed():
        if not endpoint.key.startswith(_SHOWN):
            continue
        for action, methods in endpoint.methods.items():
            if action in {"metadata", "OPTIONS", "HEAD"}:
                continue
            access = f"{endpoint.key}:{action}"
            found = explain(user, access)
            if any(one.code == "give_role_or_rule" and not one.roles for one in found.remedies):
                continue  # nobody but superusers may
            yield {
                "access": access,
                "methods": [method for method in methods if method != "HEAD"],
                "allowed": found.decision.allowed,
                "reason": found.decision.reason,
                "rule": str(found.decision.rule or ""),
                "help": [remedy_text(one, {}) for one in found.remedies],
            }
