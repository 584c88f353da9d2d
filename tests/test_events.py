"""A project's own events, and where all events are sent on to."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

import authkit
from authkit import audit, event_kinds, events, signals
from authkit.models import AuditEvent
from tests.admin.pages import signed_in, url
from tests.opened import opened
from tests.urls import urlpatterns as usual

pytestmark = pytest.mark.urls(__name__)


def _refund(request: HttpRequest) -> HttpResponse:
    events.record("shop.order_refunded", subject="order 5", before="paid", after="refunded")
    return HttpResponse()


@transaction.atomic
def _undone(request: HttpRequest) -> HttpResponse:
    events.record("shop.order_refunded")
    events.record("shop.order_tried", is_attempt=True)
    transaction.set_rollback(True)
    return HttpResponse()


urlpatterns = [*usual, *opened([path("refund/", _refund), path("undone/", _undone)])]


@pytest.fixture
def heard() -> Iterator[list[AuditEvent]]:
    found: list[AuditEvent] = []

    def hear(event: AuditEvent, **_: Any) -> None:
        found.append(event)

    signals.event_recorded.connect(hear)
    yield found
    signals.event_recorded.disconnect(hear)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is declared is forgotten afterwards."""
    for name in ("_LABELS", "_declared", "_about_people"):
        monkeypatch.setattr(event_kinds, name, getattr(event_kinds, name).copy())


def test_an_event_of_a_project_says_who_did_it_and_from_where(person):
    client = signed_in(person)
    client.get("/refund/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "curl/8"})
    event = AuditEvent.objects.get(kind="shop.order_refunded")
    assert (event.actor_id, event.actor_name) == (person.pk, str(person))
    assert (event.ip, event.user_agent, event.subject) == ("192.0.2.7", "curl/8", "order 5")
    assert event.data == {"before": "paid", "after": "refunded"}
    assert event.session_id is not None


def test_an_event_of_a_stranger_says_from_where(db):
    Client().get("/refund/", REMOTE_ADDR="192.0.2.7")
    event = AuditEvent.objects.get(kind="shop.order_refunded")
    assert (event.actor_id, event.ip) == (None, "192.0.2.7")


@pytest.mark.parametrize(
    "kind",
    ["login.succeeded", "access.role_added", "refunded", "Shop.x", "shop.", "a b.c", "x" * 70],
)
def test_no_project_writes_in_the_name_of_authkit_or_a_kind_that_is_none(db, kind):
    with pytest.raises(ValueError, match=r"event|own"):
        events.record(kind)
    assert not AuditEvent.objects.exists()


def test_what_a_project_declares_is_read_in_the_list(superuser, person, declared):
    kinds = {"order_refunded": "an order was refunded", "greeted": "was greeted"}
    events.declare("shop", "The shop", kinds, about_people=["greeted"])
    events.record("shop.order_refunded")
    events.record("shop.greeted", subject=person.pk)
    page = signed_in(superuser).get(url(AuditEvent, "changelist"), {"kind": "shop.*"}).text
    assert "an order was refunded (shop.order_refunded)" in page
    assert '<optgroup label="The shop">' in page
    assert f"{person} ({person.pk})" in page


def test_each_kind_that_authkit_writes_has_a_name_for_people():
    written: set[str] = set()
    for source in Path(authkit.__file__).parent.rglob("*.py"):
        called = (
            node for node in ast.walk(ast.parse(source.read_text())) if type(node) is ast.Call
        )
        for call in called:
            if ast.unparse(call.func).endswith("record"):
                given = [*call.args[:1], *(word.value for word in call.keywords)]
                texts = (each.value for each in given if isinstance(each, ast.Constant))
                written |= {str(text) for text in texts if "." in str(text)}
    assert {"password.new_required", "login.succeeded"} <= written
    assert {kind for kind in written if event_kinds.label_of(kind) == kind} == set()


@pytest.mark.parametrize("namespace", ["login", "access", "Shop", "", "a.b"])
def test_no_project_declares_a_namespace_of_authkit(declared, namespace):
    with pytest.raises(ValueError, match="namespace"):
        events.declare(namespace, "x", {"y": "z"})


# Sent on


def test_an_event_is_sent_on_when_it_is_certain(transactional_db, heard):
    with transaction.atomic():
        audit.record("a.one")
        assert heard == []
    assert [event.kind for event in heard] == ["a.one"]
    audit.record("b.two")
    assert [event.kind for event in heard] == ["a.one", "b.two"]
    with transaction.atomic():
        audit.record("c.three")
        transaction.set_rollback(True)
    assert len(heard) == 2


@pytest.mark.default_user_only
def test_an_attempt_that_was_rolled_back_is_sent_on_after_the_request(transactional_db, heard):
    assert Client().get("/undone/").status_code == 200
    sent = [(event.kind, event.data) for event in heard]
    assert sent == [("shop.order_tried", {"rolled_back": True})]
    assert AuditEvent.objects.get(kind="shop.order_tried").pk == heard[0].pk


@pytest.mark.default_user_only
def test_an_event_is_logged_on_one_line_of_ascii(transactional_db, caplog):
    caplog.set_level(logging.INFO, "authkit.audit")
    audit.record("a.one", actor_name="x\nforged", data={"name": "\u202e\r\n\x1b[31m"})
    (entry,) = [each for each in caplog.records if each.name == "authkit.audit"]
    text = entry.getMessage()
    assert text.isascii()
    assert text.isprintable()
    kind, _, facts = text.partition(" ")
    assert (kind, json.loads(facts)["actor_name"]) == ("a.one", "x\\nforged")
    assert entry.authkit_event["id"] == AuditEvent.objects.get(kind="a.one").pk


@pytest.mark.default_user_only
def test_what_fails_elsewhere_spoils_nothing_here(transactional_db, caplog):
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the disk is full")

    def fail(**_: Any) -> None:
        raise OSError("nobody listens")

    logger, handler = logging.getLogger("authkit.audit"), Broken()
    caplog.set_level(logging.INFO, "authkit.audit")
    logger.addHandler(handler)
    signals.event_recorded.connect(fail)
    try:
        with transaction.atomic():
            audit.record("a.one")
    finally:
        logger.removeHandler(handler)
        signals.event_recorded.disconnect(fail)
    assert AuditEvent.objects.filter(kind="a.one").exists()
