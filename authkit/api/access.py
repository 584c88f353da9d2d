"""What the caller may do: for a front end that hides the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.access import Reach, access_of, callers
from authkit.api.base import View
from authkit.decorators import public
from authkit.kernel.grant import Grant


@public
class AccessView(View):
    """``access/``: also for strangers, who learn what anyone may do.

    Being public, it is within every credential's scopes.
    """

    permission_classes: Sequence[type[BasePermission]] = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Every action that the caller may ask for, within the scopes of the credential."""
        callers.bind(request.user, cast(Grant | None, request.auth))
        return Response([_as_data(reach) for reach in access_of(request.user)])


def _as_data(reach: Reach) -> dict[str, Any]:
    return {
        "access": reach.access,
        "methods": list(reach.methods),
        "routes": list(reach.routes),
        "conditional": reach.conditional,
    }
