"""What is written out is what was found; it is harmless to read, and told."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone

from authkit import audit, tokens
from authkit.kernel.client import Client as Origin
from authkit.models import AuditEvent
from tests.admin.pages import make_staff, signed_in, url
from tests.events import forget_events
from tests.people import make_person

pytestmark = pytest.mark.django_db

NASTY = '=HYPERLINK("http://evil.example","x")\r\nforged,line\x1b[31m\u202e'


def export(client: Any, form: str, query: str = "") -> Any:
    return client.post(url(AuditEvent, "export", form) + query)


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


@pytest.fixture
def admin(superuser):
    client = signed_in(superuser)
    forget_events()
    return client


def test_csv_holds_every_event_found_each_on_one_line(admin):
    for number in range(3):
        audit.record("a.one", actor_name=f"n{number}", data={"n": number})
    audit.record("b.two")
    rows = list(csv.DictReader(io.StringIO(text_of(export(admin, "csv", "?kind=a.one")))))
    assert [row["actor_name"] for row in rows] == ["n2", "n1", "n0"]
    assert json.loads(rows[0]["data"]) == {"n": 2}


def test_json_lines_hold_every_event_found_each_on_one_line(admin):
    audit.record("a.one", client=Origin(ip="192.0.2.1"), data={"name": NASTY})
    audit.record("a.one")
    text = text_of(export(admin, "jsonl", "?address=192.0.2.1"))
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["data"] == {"name": NASTY}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "＝1", NASTY])  # noqa: RUF001
def test_no_cell_is_a_formula_breaks_its_line_or_hides(admin, cell):
    AuditEvent.objects.create(
        at=timezone.now(), kind="a.one", actor_name=cell, subject=cell, user_agent=cell, data=cell
    )
    text = text_of(export(admin, "csv"))
    assert text.replace("\r\n", "").isprintable()
    assert text.count("\n") == 2
    row = next(csv.DictReader(io.StringIO(text)))
    for name in ("actor_name", "subject", "user_agent"):
        assert row[name].startswith("'"), name


def test_an_export_is_an_event_and_not_in_itself(admin, superuser):
    audit.record("a.one")
    text = text_of(export(admin, "jsonl", "?kind=a.one&address="))
    assert "audit.exported" not in text
    event = AuditEvent.objects.get(kind="audit.exported")
    assert (event.actor_id, event.data) == (
        superuser.pk,
        {"format": "jsonl", "asked": {"kind": "a.one"}},
    )


def test_an_export_of_more_than_one_step_is_whole(admin):
    now = timezone.now()
    AuditEvent.objects.bulk_create(AuditEvent(at=now, kind="a.one") for _ in range(4_500))
    lines = text_of(export(admin, "jsonl")).splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 4_500


def test_only_who_may_view_events_writes_them_out(superuser):
    audit.record("a.one")
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    by_token = Client(headers={"Authorization": f"Bearer {token.text}"})
    clerk = signed_in(make_staff("clerk", "view_usersession"))
    person = signed_in(make_person("nobody"))
    assert export(by_token, "csv").status_code == 403
    assert export(clerk, "csv").status_code == 403
    assert export(person, "csv").status_code == 302
    assert export(Client(), "csv").status_code == 302
    assert not AuditEvent.objects.filter(kind="audit.exported").exists()
    assert text_of(export(signed_in(make_staff("auditor", "view_auditevent")), "csv"))


def test_an_export_takes_a_form_of_this_site_and_a_known_format(admin, superuser):
    assert admin.get(url(AuditEvent, "export", "csv")).status_code == 405
    assert export(admin, "xls").status_code == 404
    assert export(admin, "csv", "?actor__exact=x").status_code == 400
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(superuser)
    assert export(careful, "csv").status_code == 403
    assert not AuditEvent.objects.filter(kind="audit.exported").exists()


def test_an_export_is_kept_by_no_cache_and_opened_by_no_browser(admin):
    response = export(admin, "csv")
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert response["X-Content-Type-Options"] == "nosniff"
    text_of(response)


@pytest.mark.django_db(transaction=True)
@pytest.mark.default_user_only
def test_an_event_loop_is_not_held_up(superuser):
    audit.record("a.one")

    async def ask() -> str:
        client = AsyncClient()
        await client.aforce_login(superuser)
        response: Any = await client.post(url(AuditEvent, "export", "jsonl") + "?kind=a.one")
        return "".join([piece.decode() async for piece in response.streaming_content])

    assert json.loads(async_to_sync(ask)())["kind"] == "a.one"
