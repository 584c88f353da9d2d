"""authkit, and what the races need beside it: people to do things to, and a look inside."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit import sessions
from authkit.access import can
from authkit.accounts import link_keys
from authkit.models import (
    Assignment,
    AuditEvent,
    Change,
    Role,
    Rule,
    SocialProvider,
    Throttle,
    UserSession,
)
from tests import urls
from tests.opened import opened
from tests.people import PASSWORD, make_person

NEW_PASSWORD = "another horse, another battery"


def name_the_worker(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Say in every answer which process gave it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Worker"] = str(os.getpid())
        return response

    return answer


class Who(APIView):
    """Answers from the credential alone: the user is not loaded."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        grant: Any = request.auth
        return Response({"user": grant.user_id})


class OwnPassword(APIView):
    """The caller's own, changed as a project should: in a transaction."""

    permission_classes = (IsAuthenticated,)

    @transaction.atomic
    def post(self, request: Request) -> Response:
        request.user.set_password(NEW_PASSWORD)
        request.user.save()
        return Response({})


class Governed(APIView):
    """For whom the rules say."""

    def get(self, request: Request) -> Response:
        return Response({})


@csrf_exempt
def access(request: HttpRequest, username: str, what: str) -> JsonResponse:
    """Give a person a role of their own, take it away, or change their mind half-way."""
    person: Any = get_user_model()._default_manager.get_by_natural_key(username)
    with transaction.atomic():
        match what:
            case "give":
                role = Role.objects.create(slug=f"of-{username}", name=username)
                Rule.objects.create(role=role, endpoints="governed", actions="read")
                Assignment.objects.create(role=role, user=person)
            case "deny":
                role = Role.objects.get(slug=f"of-{username}")
                Rule.objects.create(role=role, effect="deny", endpoints="governed", actions="GET")
            case "undo":
                Rule.objects.filter(role__slug=f"of-{username}", effect="deny").delete()
            case "take":
                Assignment.objects.filter(user=person).delete()
            case "nearly":
                Assignment.objects.filter(user=person).delete()
                Rule.objects.filter(role__slug=f"of-{username}").delete()
                assert not can(person, "governed:GET")
                transaction.set_rollback(True)
    return JsonResponse({})


@csrf_exempt
def people(request: HttpRequest) -> JsonResponse:
    person = make_person(f"person-{uuid4().hex[:12]}")
    if "old_hash" in request.GET:
        old = make_password(PASSWORD, hasher="argon2")  # anything but the preferred one
        get_user_model().objects.filter(pk=person.pk).update(password=old)
    made = {"id": str(person.pk), "username": person.get_username()}
    if "key" in request.GET:
        person.refresh_from_db()
        key = link_keys.issue(request.GET["key"], person, person.email, now=timezone.now())
        made["key"] = key.text
    return JsonResponse(made)


def accounts(request: HttpRequest) -> JsonResponse:
    """How many accounts have this text in their address or name, in any case."""
    text = request.GET["text"]
    found = get_user_model().objects.filter(Q(email__icontains=text) | Q(username__icontains=text))
    return JsonResponse({"count": found.count()})


@csrf_exempt
def change(request: HttpRequest, pk: str, what: str) -> JsonResponse:
    """What an administrator may do to a person, with or without a transaction around it."""
    person = get_user_model().objects.get(pk=pk)
    try:
        with transaction.atomic() if "atomic" in request.GET else nullcontext():
            _change(person, what)
    except IntegrityError:  # somebody signed in while the account was being deleted
        return JsonResponse({}, status=409)
    return JsonResponse({})


def _change(person: Any, what: str) -> None:
    match what:
        case "password":
            person.set_password(NEW_PASSWORD)
            person.save()
        case "deactivate":
            person.is_active = False
            person.save()
        case "delete":
            person.delete()
        case "sign_out":
            sessions.end_all_of(person.pk, reason="by an administrator", now=timezone.now())


def state(request: HttpRequest, session_id: UUID) -> JsonResponse:
    """What the database says of a session."""
    session = UserSession.objects.get(pk=session_id)
    events = AuditEvent.objects.filter(session_id=session_id).values_list("kind", flat=True)
    return JsonResponse(
        {
            "generation": session.generation,
            "is_revoked": session.revoked_at is not None,
            "reason": session.revoked_reason,
            "changes": Change.objects.filter(subject=str(session_id)).count(),
            "events": Counter(events),
        }
    )


def failed(request: HttpRequest, username: str) -> JsonResponse:
    """How many passwords were judged wrong, and how many are being judged."""
    rows = Throttle.objects.filter(user__username=username)
    events = AuditEvent.objects.filter(kind="login.failed")
    judged = [event for event in events if event.actor_name.strip().lower() == username]
    return JsonResponse({"failed": len(judged), "pending": sum(row.pending for row in rows)})


def counted(request: HttpRequest, address: str) -> JsonResponse:
    """What the rows have counted of an address."""
    rows = Throttle.objects.filter(address=address)
    return JsonResponse({"counted": list(rows.values_list("failed", flat=True))})


@csrf_exempt
def providers(request: HttpRequest) -> JsonResponse:
    """A provider as an administrator would set it up, or change it."""
    given = json.loads(request.body)
    SocialProvider.objects.update_or_create(slug=given.pop("slug"), defaults=given)
    return JsonResponse({})


urlpatterns = opened(
    [
        *urls.urlpatterns,
        path("account/", include("authkit.urls_pages")),
        path("who/", Who.as_view()),
        path("access/<username>/<what>/", access),
        path("own-password/", OwnPassword.as_view()),
        path("people/", people),
        path("failed/<username>/", failed),
        path("counted/<address>/", counted),
        path("accounts/", accounts),
        path("providers/", providers),
        path("people/<pk>/<what>/", change),
        path("state/<uuid:session_id>/", state),
    ]
)
urlpatterns.append(path("governed/", Governed.as_view(), name="governed"))
