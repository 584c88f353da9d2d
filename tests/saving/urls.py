"""A project whose views write into the session, and whose database may break on the way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth import alogin, get_user_model, login, logout
from django.contrib.auth.views import LoginView, LogoutView
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit.exceptions import StoreUnavailable
from tests.opened import opened
from tests.saving.breaking import refusing
from tests.urls import urlpatterns as of_every_test

BACKEND = "authkit.backends.AuthkitBackend"

#: What happens to the database when a view is done, and its session not yet saved.
at_the_end: list[Callable[[], object]] = []


#: What is being sent.
opened_files: list[Any] = []


def _write(request: HttpRequest) -> int:
    visits = int(request.session.get("visits", 0)) + 1
    request.session["visits"] = visits
    for happen in at_the_end:
        happen()
    return visits


def visit(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"visits": _write(request)})


async def visit_async(request: HttpRequest) -> HttpResponse:
    visits = int(await request.session.aget("visits", 0)) + 1
    await request.session.aset("visits", visits)
    return JsonResponse({"visits": visits})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    visits = _write(request)
    return StreamingHttpResponse(iter([b"visits: ", str(visits).encode()]))


def download(request: HttpRequest) -> FileResponse:
    opened_files.append(tempfile.NamedTemporaryFile())  # noqa: SIM115 - the answer closes it
    _write(request)
    return FileResponse(opened_files[-1])


def fail(request: HttpRequest) -> HttpResponse:
    _write(request)
    return HttpResponse("this page is broken", status=500)


def message(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Saved.")
    return HttpResponse("saved")


def enter(request: HttpRequest) -> HttpResponse:
    """How other packages sign people in, with something to say besides."""
    person: Any = get_user_model()._default_manager.get(pk=request.GET["pk"])
    login(request, person, backend=BACKEND)
    if "note" in request.GET:
        _write(request)
    return HttpResponse("in")


async def enter_async(request: HttpRequest) -> HttpResponse:
    person: Any = await get_user_model()._default_manager.aget(pk=request.GET["pk"])
    await alogin(request, person, backend=BACKEND)
    return HttpResponse("in")


def enter_all_the_same(request: HttpRequest) -> HttpResponse:
    """Signs somebody in, and answers as if nothing were the matter."""
    with suppress(StoreUnavailable), refusing("UPDATE"):
        enter(request)
    return HttpResponse("welcome")


class Enter(APIView):
    """The same, by Django REST framework."""

    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def get(self, request: Request) -> Response:
        enter(request._request)
        return Response("in")


def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("out")


def read(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"visits": request.session.get("visits", 0)})


def untouched(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


class LaterMiddleware:
    """Stands between Django's session and authkit, and writes into the session as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "later" in request.GET:
            request.session["later"] = request.GET["later"]
        return response


urlpatterns = opened(
    [
        *of_every_test,
        path("visit/", visit),
        path("visit/async/", visit_async),
        path("stream/", stream),
        path("download/", download),
        path("fail/", fail),
        path("message/", message),
        path("enter/", enter),
        path("enter/async/", enter_async),
        path("enter/all-the-same/", enter_all_the_same),
        path("enter/api/", Enter.as_view()),
        path("leave/", leave),
        path("read/", read),
        path("untouched/", untouched),
        path("login/", LoginView.as_view(template_name="admin/login.html"), name="login"),
        path("logout/", LogoutView.as_view()),
    ]
)
