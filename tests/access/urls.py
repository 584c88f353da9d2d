"""Views of every kind, under names from which their keys follow."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views import View
from rest_framework.decorators import action, api_view
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet


class PersonSerializer(ModelSerializer[Any]):
    class Meta:
        model = get_user_model()
        fields = ("pk",)


class PersonViewSet(ModelViewSet[Any]):
    queryset = get_user_model()._default_manager.order_by("pk")
    serializer_class = PersonSerializer
    permission_classes = [IsAuthenticated]

    @action(detail=True, methods=["post"])
    def greet(self, request: Request, pk: str) -> Response:
        return Response({"greeted": pk})


@api_view(["GET", "POST"])
def report(request: Request) -> Response:
    return Response({"method": request.method})


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"user": request.user.get_username()})


def plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": request.user.get_username()})


def nameless(request: HttpRequest) -> HttpResponse:
    return plain(request)


def other(request: HttpRequest) -> HttpResponse:
    return HttpResponse("other")


router = DefaultRouter()
router.register("people", PersonViewSet, basename="person")

api = [*router.urls, path("report/", report, name="report")]
inner = [path("page/", Page.as_view(), name="page")]

urlpatterns = [
    path("auth/", include("authkit.urls")),
    path("admin/", admin.site.urls),
    path("api/", include((api, "api"))),
    path("outer/", include(([path("inner/", include((inner, "inner")))], "outer"))),
    path("plain/", plain, name="plain"),
    path("again/<int:number>/", lambda request, number: plain(request), name="shared"),
    path("shared/", other, name="shared"),
    path("nameless/", nameless),
    path("odd/", other, name="not a key!"),
]
