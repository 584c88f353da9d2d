"""One view for all who are asked whether a request may reach it, and views of papers."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import GenericViewSet

from authkit.authentication import JWTAuthentication, SessionAuthentication, TokenAuthentication
from authkit.filters import AccessFilterBackend
from authkit.permissions import EndpointPermission
from benchmarks.papers.models import Paper
from benchmarks.views import MinimalView

#: The key of the WSGI environment under which a contender puts its permission class.
PERMISSION = "benchmarks.permission_class"


class List(MinimalView):
    """Answers with the primary key of whoever asks."""

    def get_permissions(self) -> list[BasePermission]:
        return [self.request.META[PERMISSION]()]


class Governed(MinimalView):
    """The same, guarded as a project of authkit's is: its middleware knows that it asks."""

    permission_classes: ClassVar = [EndpointPermission]


class PaperSerializer(ModelSerializer):
    class Meta:
        model = Paper
        fields = ("pk", "title")


class Papers(RetrieveModelMixin, GenericViewSet):
    """The first twenty that the caller may see, and each of them."""

    queryset: ClassVar[QuerySet[Paper]] = Paper.objects.order_by("pk")
    serializer_class = PaperSerializer
    authentication_classes: ClassVar = [
        JWTAuthentication,
        TokenAuthentication,
        SessionAuthentication,
    ]
    permission_classes: ClassVar = [EndpointPermission]
    filter_backends: ClassVar = [AccessFilterBackend]

    def list(self, request: Request) -> Response:
        page = self.filter_queryset(self.get_queryset())[:20]
        return Response(self.get_serializer(page, many=True).data)
