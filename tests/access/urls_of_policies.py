"""Views of a project that declares some defaults."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from authkit.decorators import allow, locked, public, require
from tests.urls import urlpatterns as of_every_test


class PersonSerializer(ModelSerializer[Any]):
    class Meta:
        model = get_user_model()
        fields = ("pk",)


@allow("author", to="create")
@allow("author", to=["update", "delete"], when="themselves")
class PersonViewSet(ModelViewSet[Any]):
    """People."""

    queryset = get_user_model()._default_manager.order_by("pk")
    serializer_class = PersonSerializer


@public
@locked
@api_view(["GET"])
def health(request: Request) -> Response:
    """Whether it is up."""
    return Response({"status": "ok"})


@require("auth.view_group")
def report(request: HttpRequest) -> HttpResponse:
    return HttpResponse("report")


@locked
def vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse("vault")


router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")

api = [
    *router.urls,
    path("health/", health, name="health"),
    path("report/", report, name="report"),
    path("vault/", vault, name="vault"),
]

urlpatterns = [*of_every_test, path("api/", include((api, "api")))]
