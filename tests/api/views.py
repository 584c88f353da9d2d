"""Views of a project that uses authkit: plain ones, and ones of Django REST framework."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import alogin, get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit import audit


def _told(user: Any, auth: Any) -> dict[str, Any]:
    return {
        "user": None if user is None or user.pk is None else str(user.pk),
        "kind": None if auth is None else auth.kind,
    }


class Closed(APIView):
    """For signed-in callers; asks the database nothing by itself."""

    permission_classes: Any = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response(_told(request.user, request.auth))

    post = put = patch = delete = get


class Open(Closed):
    """For everybody."""

    permission_classes = (AllowAny,)


class Touching(Closed):
    """Reads more of the caller than the primary key."""

    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response({**_told(user, request.auth), "name": user.get_username()})


class Failing(Open):
    def get(self, request: Request) -> Response:
        raise RuntimeError("a mistake of the project")


def open_to(kinds: list[type[BaseAuthentication]]) -> Any:
    """An open view with just these authentication classes."""
    return Open.as_view(authentication_classes=kinds)


def plain(request: Any) -> HttpResponse:
    return JsonResponse(_told(request.user, request.auth))


def touching(request: HttpRequest) -> HttpResponse:
    return JsonResponse({**_told(request.user, None), "name": request.user.get_username()})


async def of_async(request: Any) -> HttpResponse:
    return JsonResponse(_told(request.user, request.auth))


async def touching_async(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return JsonResponse({**_told(user, None), "name": user.get_username()})


@login_not_required
def without_login(request: HttpRequest) -> HttpResponse:
    """Open to all under LoginRequiredMiddleware, and no place to sign in at."""
    return plain(request)


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a mistake of the project")


def signing_in(request: HttpRequest) -> HttpResponse:
    """How other packages do it: `login()` of whoever they found."""
    person = get_user_model()._default_manager.get(pk=request.GET["pk"])
    login(request, person, backend="authkit.backends.AuthkitBackend")
    return JsonResponse(_told(request.user, None))


async def signing_in_async(request: HttpRequest) -> HttpResponse:
    person = await get_user_model()._default_manager.aget(pk=request.GET["pk"])
    await alogin(request, person, backend="authkit.backends.AuthkitBackend")
    return JsonResponse(_told(person, None))


def changing_password(request: HttpRequest) -> HttpResponse:
    request.user.set_password(request.GET["password"])
    request.user.save()
    return JsonResponse({})


def rolled_back(request: HttpRequest) -> HttpResponse:
    """Whatever was written in this view does not stay."""
    with transaction.atomic():
        audit.record("test.tried", actor_name="somebody")
        transaction.set_rollback(True)
    return HttpResponse(status=204)
