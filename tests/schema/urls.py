"""The views of `tests.access.urls_of_policies`, described by serializers."""

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from authkit.decorators import allow, public, require
from tests.urls import urlpatterns as of_every_test


class PersonSerializer(ModelSerializer[Any]):
    class Meta:
        model = get_user_model()
        fields = ("pk",)


@allow("author", to="create")
class PersonViewSet(ModelViewSet[Any]):
    """People."""

    queryset = get_user_model()._default_manager.order_by("pk")
    serializer_class = PersonSerializer


@extend_schema(responses=PersonSerializer)
@public
@api_view(["GET"])
def health(request: Request) -> Response:
    """Whether it is up."""
    return Response({})


@extend_schema(request=PersonSerializer, responses=PersonSerializer)
@require("auth.view_group")
@api_view(["GET", "POST"])
def report(request: Request) -> Response:
    return Response({})


router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")

api = [
    *router.urls,
    path("health/", health, name="health"),
    re_path("^report/(?P<year>[0-9]+)/$", report, name="report"),
    path("nameless/", health),
]

urlpatterns = [*of_every_test, path("api/", include((api, "api")))]
