"""Views of a project, of every kind, that an administrator sees as somebody else."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.gzip import gzip_page
from rest_framework.authentication import SessionAuthentication as DjangosSessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit import audit
from authkit.authentication import SessionAuthentication
from authkit.decorators import public
from tests.admin import urls_of_people

PAGE = (
    '<!doctype html><html lang="en"><head><title>Hi</title></head><body><h1>{}</h1></body></html>'
)


def whoami(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": str(request.user.pk), "method": request.method})


def page(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(PAGE.format(request.user.pk))
    response.headers["Cache-Control"] = "public, max-age=600"
    return response


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.format((await request.auser()).pk))


def untouched(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!DOCTYPE html><title>Without a body tag</title><p>Hello")


def fragment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<li>one more</li>")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse([b"<html><body>", b"</body></html>"])


def placed(request: HttpRequest) -> HttpResponse:
    text = "{% load authkit %}<body><header>{% impersonation_banner %}</header></body>"
    return HttpResponse(engines["django"].from_string(text).render({}, request))


packed = gzip_page(lambda request: HttpResponse(PAGE.format("hello " * 200)))


def note(request: HttpRequest) -> HttpResponse:
    """Tell the audit of something of the project's own; keep something in the session."""
    user: Any = request.user
    audit.record("shop.ordered", actor=user, subject="42")
    request.session["basket"] = "42"
    return HttpResponse("noted")


def basket(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.session.get("basket", "empty"))


def new_password(request: HttpRequest) -> HttpResponse:
    """What a project writes that knows nothing of authkit's own pages."""
    user: Any = request.user
    user.set_password("taken over with a long password")
    user.save()
    return HttpResponse("changed")


class ByOurs(APIView):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        grant: Any = request.auth
        return Response({"user": str(request.user.pk), "by": grant.impersonator_id})

    post = get


class ByDjangos(APIView):
    authentication_classes = (DjangosSessionAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user.pk)})

    post = get


class ByNobody(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(PAGE.format("stranger"))

    def post(self, request: Request) -> Response:
        return Response({})


VIEWS: dict[str, Any] = {
    "whoami": whoami,
    "page": page,
    "async_page": async_page,
    "untouched": untouched,
    "fragment": fragment,
    "streamed": streamed,
    "placed": placed,
    "packed": packed,
    "note": note,
    "basket": basket,
    "new_password": new_password,
    "ours": ByOurs.as_view(),
    "djangos": ByDjangos.as_view(),
    "nobody": ByNobody.as_view(),
}

urlpatterns = [
    *urls_of_people.urlpatterns,
    path("account/", include("authkit.urls_pages")),
    *(path(f"shop/{name}/", public(view), name=f"shop_{name}") for name, view in VIEWS.items()),
]
