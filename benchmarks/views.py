"""The view that every contender stands before."""

from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

#: The key of the WSGI environment under which a contender puts its authentication classes.
CLASSES = "benchmarks.authentication_classes"


class MinimalView(APIView):
    """Answers with the primary key of whoever asks."""

    permission_classes: ClassVar = []

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Those of the contender: one address serves all, so the URLconf weighs the same."""
        return [kind() for kind in self.request.META[CLASSES]]

    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response({"user": user.pk})
