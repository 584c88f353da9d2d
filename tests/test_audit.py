"""Audit events: each once, also of what was rolled back, on one line, and without a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from hypothesis import given, strategies
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit import audit
from authkit.kernel.client import Client as Origin
from authkit.models import AuditEvent
from tests.opened import opened
from tests.people import PASSWORD

pytestmark = pytest.mark.urls(__name__)


class Failure(Exception):
    """What a view of these tests fails with."""


def _plain(request: HttpRequest) -> HttpResponse:
    audit.record("test.plain")
    return HttpResponse()


def _failing(request: HttpRequest) -> HttpResponse:
    audit.record("test.failing")
    raise Failure


@transaction.atomic
def _atomic(request: HttpRequest) -> HttpResponse:
    audit.record("test.atomic")
    return HttpResponse()


@transaction.atomic
def _atomic_failing(request: HttpRequest) -> HttpResponse:
    audit.record("test.atomic_failing")
    raise Failure


def _partly_undone(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        audit.record("test.before")
        with transaction.atomic():
            audit.record("test.undone")
            transaction.set_rollback(True)
        audit.record("test.after")
    return HttpResponse()


def _broken(request: HttpRequest) -> HttpResponse:
    """Goes on in a transaction that can only be rolled back."""
    with transaction.atomic():
        transaction.set_rollback(True)
        audit.record("test.broken")
    return HttpResponse()


def _with_a_failing_hook(request: HttpRequest) -> HttpResponse:
    def fail() -> None:
        raise Failure

    with transaction.atomic():
        transaction.on_commit(fail)
        audit.record("test.committed")
    return HttpResponse()


def _stopped(request: HttpRequest) -> HttpResponse:
    """As gunicorn stops a worker that takes too long."""
    with transaction.atomic():
        audit.record("test.stopped")
        raise SystemExit(1)


async def _async(request: HttpRequest) -> HttpResponse:
    await sync_to_async(_atomic)(request)
    return HttpResponse()


async def _async_failing(request: HttpRequest) -> HttpResponse:
    await sync_to_async(_atomic_failing)(request)
    return HttpResponse()


class _Refusing(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        audit.record("test.refused")
        raise PermissionDenied


urlpatterns = opened(
    [
        path("plain/", _plain),
        path("failing/", _failing),
        path("atomic/", _atomic),
        path("atomic-failing/", _atomic_failing),
        path("partly-undone/", _partly_undone),
        path("broken/", _broken),
        path("failing-hook/", _with_a_failing_hook),
        path("stopped/", _stopped),
        path("async/", _async),
        path("async-failing/", _async_failing),
        path("refusing/", _Refusing.as_view()),
        path("auth/", include("authkit.urls")),
    ]
)


def _written() -> list[tuple[str, bool]]:
    """All events, as (kind, whether it went down with its transaction)."""
    events = AuditEvent.objects.order_by("at", "id")
    return [(event.kind, event.data.get("rolled_back", False)) for event in events]


@pytest.fixture
def get(transactional_db: None) -> Callable[[str], int]:
    client = Client(raise_request_exception=False)
    return lambda where: client.get(where).status_code


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        yield


@pytest.mark.default_user_only
class TestRolledBack:
    """An event of a view that is rolled back is there afterwards, and says so."""

    def test_in_an_atomic_view_that_raises(self, get):
        assert get("/atomic-failing/") == 500
        assert _written() == [("test.atomic_failing", True)]

    def test_in_a_request_that_is_atomic(self, get, atomic_requests):
        assert get("/failing/") == 500
        assert _written() == [("test.failing", True)]

    def test_by_a_refusal_of_rest_framework(self, get, atomic_requests):
        assert get("/refusing/") == 403
        assert _written() == [("test.refused", True)]

    def test_in_a_savepoint(self, get):
        assert get("/partly-undone/") == 200
        expected = [("test.before", False), ("test.undone", True), ("test.after", False)]
        assert _written() == expected

    def test_in_a_transaction_that_was_broken_before(self, get):
        assert get("/broken/") == 200
        assert _written() == [("test.broken", True)]

    def test_in_an_async_view(self, transactional_db):
        client = AsyncClient(raise_request_exception=False)
        assert async_to_sync(client.get)("/async-failing/").status_code == 500
        assert _written() == [("test.atomic_failing", True)]

    def test_in_a_worker_that_is_stopped(self, get):
        with pytest.raises(SystemExit):
            get("/stopped/")
        assert _written() == [("test.stopped", True)]

    def test_but_not_outside_of_a_request(self, transactional_db):
        with transaction.atomic():
            audit.record("test.outside")
            transaction.set_rollback(True)
        assert _written() == []


@pytest.mark.default_user_only
class TestCommitted:
    """An event of a view that is committed is there once."""

    @pytest.mark.parametrize(
        ("where", "kind"), [("/plain/", "test.plain"), ("/atomic/", "test.atomic")]
    )
    def test_in_a_view(self, get, where, kind):
        assert get(where) == 200
        assert _written() == [(kind, False)]

    def test_in_a_request_that_is_atomic(self, get, atomic_requests):
        assert get("/plain/") == 200
        assert get("/atomic/") == 200
        assert _written() == [("test.plain", False), ("test.atomic", False)]

    def test_in_an_async_view(self, transactional_db):
        assert async_to_sync(AsyncClient().get)("/async/").status_code == 200
        assert _written() == [("test.atomic", False)]

    def test_when_the_view_fails_without_a_transaction(self, get):
        assert get("/failing/") == 500
        assert _written() == [("test.failing", False)]

    def test_when_something_fails_after_the_commit(self, get):
        assert get("/failing-hook/") == 500
        assert _written() == [("test.committed", False)]


# What is in it

texts = strategies.text(
    strategies.characters(codec="utf-8")
    | strategies.sampled_from("\r\n\t\0\x1b\x7f\x85\u2028\u2029\u202e\u2066\ud800"),
    max_size=40,
)


@pytest.mark.django_db
@given(name=texts, detail=texts.filter(lambda text: text not in {"name", "more", "count"}))
def test_no_text_in_an_event_can_forge_a_line_or_hide(name, detail):
    before = AuditEvent.objects.count()
    audit.record(
        "test.forged",
        actor_name=name,
        subject=name,
        client=Origin(ip="192.0.2.1", user_agent=detail),
        data={"name": detail, "more": [{"inside": detail}], detail: 1, "count": 2},
    )
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.latest("id")
    assert (event.actor_name + event.subject + event.user_agent).isprintable()
    assert json.dumps(event.data).isprintable()
    assert event.data["name"] == event.data["more"][0]["inside"]
    assert event.data["count"] == 2


def test_what_harms_nobody_is_written_as_it_is(db):
    audit.record("test.name", actor_name="Łucja Ω 李", data={"name": "Zoë", "none": None})
    event = AuditEvent.objects.latest("id")
    assert event.actor_name == "Łucja Ω 李"
    assert event.data == {"name": "Zoë", "none": None}


def test_a_very_long_name_is_cut_and_not_refused(db):
    audit.record("test.long", actor_name="\n" * 1_000, subject="x" * 1_000)
    event = AuditEvent.objects.latest("id")
    assert event.actor_name == "\\n" * 127
    assert event.subject == "x" * 254


def test_no_secret_is_in_any_event(person):
    client = Client(enforce_csrf_checks=False)
    secrets = {PASSWORD, wrong := f"wrong {uuid4()}"}

    def call(method: str, where: str, body: Any = None, bearer: str | None = None) -> Any:
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        request = getattr(client, method)
        answer = request(f"/auth/{where}", body, content_type="application/json", headers=headers)
        given = answer.json() if answer.content else {}
        secrets.update(given[name] for name in ("access", "refresh", "token") if name in given)
        return given

    who = {"username": person.get_username(), "password": PASSWORD}
    for door in ("jwt/", "token/", "session/"):
        call("post", door, {**who, "password": wrong})
    token = call("post", "token/", who)["token"]
    first = call("post", "jwt/", who)
    second = call("post", "jwt/refresh/", {"refresh": first["refresh"]})
    call("post", "jwt/refresh/", {"refresh": second["refresh"]})
    call("post", "jwt/refresh/", {"refresh": first["refresh"]})  # a replay
    call("post", "tokens/", {"name": "a name"}, token)
    call("post", "session/", who)
    secrets |= {morsel.value for morsel in client.cookies.values()}
    call("delete", "session/")
    person.set_password(new := "a new password, long enough")
    person.save()
    secrets |= {new, person.password}
    call("delete", "token/", None, token)
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert kinds >= {"login.succeeded", "login.failed", "token.reused", "token.created"}
    assert kinds >= {"session.ended", "account.password_changed"}
    everything = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert not [secret for secret in secrets if secret and secret in everything]
