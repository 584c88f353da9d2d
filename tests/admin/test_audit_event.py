"""The audit trail is read, and found in, and nothing else."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authkit import audit, sessions
from authkit.admin.audit.changes import details_of
from authkit.kernel.client import Client
from authkit.models import AuditEvent, SignInName
from tests.admin.pages import signed_in, url
from tests.events import date_events, forget_events

pytestmark = pytest.mark.django_db


def kinds_shown(client, **query: str) -> list[str]:
    page = client.get(url(AuditEvent, "changelist"), query)
    return [event.kind for event in page.context["cl"].result_list]


@pytest.fixture
def admin(superuser):
    client = signed_in(superuser)
    forget_events()
    return client


def test_the_newest_event_comes_first(admin):
    for kind in ("a.first", "b.second"):
        audit.record(kind)
    assert kinds_shown(admin) == ["b.second", "a.first"]


def test_events_are_found_by_kind_name_and_address(admin, person):
    audit.record("login.failed", actor_name="mallory", client=Client(ip="192.0.2.7"))
    audit.record("token.created", actor=person, client=Client(ip="2001:db8::7"))
    assert kinds_shown(admin, kind="login.failed") == ["login.failed"]
    assert kinds_shown(admin, q="mallory") == ["login.failed"]
    assert kinds_shown(admin, q=person.get_username()) == ["token.created"]
    assert kinds_shown(admin, q="192.0.2.7") == ["login.failed"]
    assert kinds_shown(admin, q="2001:db8::7") == ["token.created"]


def test_events_are_found_by_time(admin):
    audit.record("a.now")
    audit.record("b.once")
    date_events(timezone.now() - timedelta(days=900), kind="b.once")
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert kinds_shown(admin, at__gte=today.isoformat()) == ["a.now"]


def test_the_form_offers_each_kind_that_there_is_in_groups(admin):
    for kind in ("b.two", "login.failed", "login.succeeded", "b.two"):
        audit.record(kind)
    page = admin.get(url(AuditEvent, "changelist"))
    every, mine, sign_ins = page.context["cl"].form.fields["kind"].widget.choices
    assert every == ("", "all")
    assert mine == ("b", [("b.*", "b: all"), ("b.two", "b.two")])
    assert sign_ins[0] == "Signing in"
    assert [value for value, _ in sign_ins[1]] == ["login.*", "login.failed", "login.succeeded"]


def test_no_page_counts_a_whole_table_or_skips_over_rows(admin):
    for _ in range(60):
        audit.record("a.one")
    since = f"{connection.ops.quote_name('at')} >="
    for query in ({}, {"kind": "a.*"}, {"kind": "a.one"}, {"address": "192.0.2.1"}):
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(url(AuditEvent, "changelist"), query).status_code == 200
        sql = [query["sql"] for query in queries if "authkit_auditevent" in query["sql"]]
        assert not any("DISTINCT" in text or "OFFSET" in text for text in sql)
        counts = [text for text in sql if "COUNT(" in text]
        assert all(text.count("COUNT(") == text.count(since) for text in counts)


def test_whom_an_event_is_about_is_named_as_today(admin, person):
    sessions.start(person, "jwt", now=timezone.now())
    sessions.end_all_of(person.pk, reason="signed_out", now=timezone.now())
    event = AuditEvent.objects.get(kind="session.ended")
    name = f"{person} ({person.pk})"
    assert name in admin.get(url(AuditEvent, "changelist")).text
    assert name in admin.get(url(AuditEvent, "change", event.pk)).text


def test_an_event_outlives_its_people(admin, person):
    audit.record("token.created", actor=person, subject=person.pk)
    pk = person.pk
    get_user_model().objects.filter(pk=pk).delete()
    event = AuditEvent.objects.get(kind="token.created")
    page = admin.get(url(AuditEvent, "change", event.pk)).text
    assert event.actor_name in page
    assert str(pk) in page


def test_an_event_whose_person_vanished_past_the_model_still_opens(admin, person):
    audit.record("token.created", actor=person)
    SignInName.objects.all().delete()
    people = get_user_model()._meta.db_table
    with connection.cursor() as cursor:
        key = get_user_model()._meta.pk.get_db_prep_value(person.pk, connection)
        cursor.execute(f"DELETE FROM {people} WHERE id = %s", [key])
    event = AuditEvent.objects.get(kind="token.created")
    assert admin.get(url(AuditEvent, "change", event.pk)).status_code == 200
    assert admin.get(url(AuditEvent, "changelist")).status_code == 200


def test_details_are_laid_out_and_harmless(admin):
    audit.record("a.kind", data={"z": 1, "name": "<script>\u202egnp.exe", "list": [1, "ä"]})
    page = admin.get(url(AuditEvent, "change", AuditEvent.objects.get(kind="a.kind").pk)).text
    assert "&quot;name&quot;: &quot;&lt;script&gt;\\u202egnp.exe&quot;" in page
    assert "ä" in page
    assert page.index("&quot;list&quot;") < page.index("&quot;name&quot;")


@pytest.mark.parametrize("subject", ["", "x", "role:editor", "9" * 60, "-1"])
def test_a_subject_that_is_nobody_is_shown_as_it_is(admin, subject):
    audit.record("session.ended", subject=subject)
    assert subject in admin.get(url(AuditEvent, "changelist")).text


def test_an_event_leads_to_others_of_its_people_place_and_session(admin, person, superuser):
    here = Client(ip="192.0.2.7")
    session = sessions.start(person, "jwt", now=timezone.now(), client=here)
    sessions.end(
        [session.pk], reason="signed_out", now=timezone.now(), actor=superuser, client=here
    )
    audit.record("login.failed", actor_name="mallory", client=here)
    for kind, found in (("session.ended", 4), ("login.failed", 2), ("login.succeeded", 3)):
        page = admin.get(url(AuditEvent, "change", AuditEvent.objects.get(kind=kind).pk))
        links = page.context["authkit_links"]
        assert len(links) == found, kind
        for link in links:
            assert link.url in page.text.replace("&amp;", "&")
            assert kind in kinds_shown_at(admin, link.url), (kind, link)


def kinds_shown_at(client, where: str) -> list[str]:
    return [event.kind for event in client.get(where).context["cl"].result_list]


def test_before_and_after_stand_side_by_side(admin):
    before, after = {"rule": "allow a.b", "on": True}, {"rule": "allow a.*", "on": True}
    audit.record("a.changed", data={"before": before, "after": after, "why": "\u202ex"})
    page = admin.get(url(AuditEvent, "change", AuditEvent.objects.get(kind="a.changed").pk)).text
    row = page[page.index(">rule") :]
    assert row.index("(changed)") < row.index("allow a.b") < row.index("allow a.*")
    assert page.count("(changed)") == 1
    assert "\\u202ex" in page


@pytest.mark.parametrize(
    ("data", "tables"),
    [
        ({"before": None, "after": {"a": 1}}, [[("a", "", "1", True)]]),
        ({"before": {"a": [1, 2]}}, [[("a", "1\n2", "", True)]]),
        ({"before": "new", "after": "active"}, [[("", "new", "active", True)]]),
        (
            {"before": [{"a": 1}, {"a": 2}], "after": [{"a": 1}]},
            [[("a", "1", "1", False)], [("a", "2", "", True)]],
        ),
        ({"before": [], "after": []}, []),
        ({"added": ["x"]}, []),
        ([1], []),
        ("text", []),
    ],
)
def test_whatever_is_stored_is_laid_out(admin, data, tables):
    found = [[astuple(row) for row in table] for table in details_of(data).tables]
    assert found == tables
    AuditEvent.objects.create(at=timezone.now(), kind="a.b", data=data)
    event = AuditEvent.objects.get(kind="a.b")
    assert admin.get(url(AuditEvent, "change", event.pk)).status_code == 200
