"""Events are found by whom, what, when and from where, page by page, and told day by day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from authkit import audit
from authkit.admin.audit import finding
from authkit.admin.audit.days import days_of
from authkit.admin.audit.finding import Narrowing, Person, Place
from authkit.kernel.client import Client
from authkit.models import AuditEvent
from tests.admin.pages import make_staff, signed_in, url
from tests.events import date_events, forget_events

pytestmark = pytest.mark.django_db

HERE, THERE = Client(ip="192.0.2.7"), Client(ip="2001:db8::7")


@pytest.fixture
def admin(superuser):
    client = signed_in(superuser)
    forget_events()
    return client


@pytest.fixture
def ada_and_bob(admin, make_person):
    """What Ada did, what Bob did to her, and who tried to be her; and what is none of hers."""
    ada, bob = make_person("ada"), make_person("bob")
    forget_events()
    audit.record("token.created", actor=ada, subject=ada.pk, client=HERE)
    audit.record("session.ended", actor=bob, subject=ada.pk, client=THERE)
    audit.record("login.failed", actor_name=ada.get_username(), client=THERE)
    audit.record("login.succeeded", actor=bob, client=THERE)
    audit.record("access.role_added", actor=bob, subject=str(ada.pk))  # a slug that looks alike
    return ada, bob


def shown(client: Any, **query: object) -> list[str]:
    page = client.get(url(AuditEvent, "changelist"), query)
    assert page.status_code == 200
    return [event.kind for event in page.context["cl"].result_list]


def test_a_person_is_found_as_actor_as_target_and_by_the_names_that_were_tried(admin, ada_and_bob):
    ada, _ = ada_and_bob
    hers = ["login.failed", "session.ended", "token.created"]
    assert shown(admin, person=ada.pk) == hers
    assert shown(admin, name=ada.get_username()) == hers
    assert shown(admin, name="ADA@example.com") == hers
    assert shown(admin, person=ada.pk, part="actor") == ["login.failed", "token.created"]
    assert shown(admin, person=ada.pk, part="subject") == ["session.ended", "token.created"]
    assert shown(admin, person=ada.pk, kind="session.*") == ["session.ended"]


def test_somebody_who_is_no_more_is_found_by_key_and_by_name(admin, ada_and_bob):
    ada, _ = ada_and_bob
    key, name = ada.pk, str(ada)
    get_user_model().objects.filter(pk=key).delete()
    assert "token.created" in shown(admin, person=key)
    assert "token.created" in shown(admin, name=name)


def test_a_name_that_nobody_has_is_found_as_it_was_typed(admin):
    audit.record("login.failed", actor_name="mallory")
    assert shown(admin, name="mallory") == ["login.failed"]
    assert shown(admin, name="nobody") == []


def test_events_are_found_by_kind_group_address_and_session(admin, ada_and_bob):
    assert shown(admin, kind="login.*") == ["login.succeeded", "login.failed"]
    assert shown(admin, kind="login.failed") == ["login.failed"]
    assert shown(admin, kind="nothing.*") == []
    assert shown(admin, address="192.0.2.7") == ["token.created"]
    assert shown(admin, address="2001:DB8:0::7", kind="session.*") == ["session.ended"]
    assert shown(admin, session="00000000-0000-0000-0000-000000000001") == []


def test_events_are_found_by_days_of_the_local_calendar(admin):
    for kind, hours in (("a.today", 0), ("b.yesterday", 24), ("c.long_ago", 24 * 40)):
        audit.record(kind)
        date_events(timezone.now() - timedelta(hours=hours), kind=kind)
    yesterday = (timezone.localtime() - timedelta(days=1)).date()
    assert shown(admin, period="1") == ["a.today"]
    assert shown(admin, period="30") == ["a.today", "b.yesterday"]
    assert shown(admin, since=yesterday, until=yesterday) == ["b.yesterday"]
    assert shown(admin, until=yesterday) == ["b.yesterday", "c.long_ago"]


@pytest.mark.parametrize(
    "query",
    [
        "person=x",
        "person=%00",
        "person=" + "9" * 60,
        "address=300.0.0.1",
        "address=%00",
        "name=%00",
        "name=" + "x" * 300,
        "kind=" + "x" * 90,
        "since=0001-01-01",
        "until=9999-12-31",
        "since=2026-02-30",
        "since=2026-02-02&until=2026-02-01",
        "period=9999999999",
        "part=x",
        "session=x",
    ],
)
def test_what_is_asked_wrongly_finds_nothing_and_is_never_written_out(admin, query):
    audit.record("a.one")
    page = admin.get(url(AuditEvent, "changelist") + f"?{query}")
    assert page.status_code == 200
    assert page.context["cl"].result_list == []
    assert "errorlist" in page.text or "errornote" in page.text
    assert admin.post(url(AuditEvent, "export", "csv") + f"?{query}").status_code == 400


@pytest.mark.parametrize(
    "place", ["x", "-", "1-", "1-x", "-1-1", "9" * 40 + "-1", "1-" + "9" * 40, "٣-٣", "%00"]
)
def test_a_place_that_is_none_is_the_first_page(admin, place):
    audit.record("a.one")
    assert shown(admin, below=place) == ["a.one"]
    assert shown(admin, above=place) == ["a.one"]


@pytest.mark.parametrize("query", [{}, {"kind": "a.*"}])
def test_pages_lead_to_each_event_once_and_back(admin, query):
    now = timezone.now()
    kinds = ("a.one", "a.two", "a.three")
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now - timedelta(seconds=n // 4), kind=kinds[n % 3]) for n in range(120)
    )
    there, pages = url(AuditEvent, "changelist"), []
    page = admin.get(there, query)
    while True:
        pages.append([event.pk for event in page.context["cl"].result_list])
        if not page.context["cl"].page.has_older:
            break
        page = admin.get(there + page.context["cl"].older_url())
    in_order = list(AuditEvent.objects.values_list("pk", flat=True))
    assert [pk for pks in pages for pk in pks] == in_order
    assert [len(pks) for pks in pages] == [50, 50, 20]
    back = admin.get(there + page.context["cl"].newer_url())
    assert [event.pk for event in back.context["cl"].result_list] == pages[1]


def test_many_events_are_counted_no_further_than_a_thousand(admin):
    now = timezone.now()
    AuditEvent.objects.bulk_create(AuditEvent(at=now, kind="a.one") for _ in range(1_100))
    assert "more than 1000 events" in admin.get(url(AuditEvent, "changelist")).text
    assert finding.number_of([AuditEvent.objects.all()], 2_000) == 1_100


@given(at=st.datetimes(timezones=st.just(timezone.get_fixed_timezone(0))), number=st.integers(1))
def test_a_place_is_read_as_it_was_written(at, number):
    place = Place(at, number % 2**63)
    if at.year >= 1970:
        assert Place.read(str(place)) == place


def test_what_is_found_by_branches_is_what_one_condition_would_find(ada_and_bob):
    ada, _ = ada_and_bob
    asked = Narrowing(person=Person(ada.pk, (ada.get_username(),)))
    found = list(finding.all_of(asked.branches_of(AuditEvent.objects.all()), step=1))
    assert [event.kind for event in found] == ["login.failed", "session.ended", "token.created"]


def test_staff_who_may_not_see_people_are_offered_none(make_person):
    make_person("zoe-the-hidden")
    page = signed_in(make_staff()).get(url(AuditEvent, "changelist"))
    assert "zoe-the-hidden" not in page.text
    assert 'type="hidden" name="person"' not in page.text
    assert "admin-autocomplete" not in page.text


def test_nobody_is_listed_for_choice(superuser, make_person):
    make_person("zoe-the-hidden")
    page = signed_in(superuser).get(url(AuditEvent, "changelist"))
    assert "admin-autocomplete" in page.text
    assert "zoe-the-hidden" not in page.context["cl"].form.as_p()


# Days


def test_days_are_counted_in_the_local_calendar_over_a_change_of_clocks(db):
    forget_events()
    with override_settings(TIME_ZONE="America/New_York"), timezone.override("America/New_York"):
        zone = timezone.get_current_timezone()
        midnight = datetime(2026, 3, 9, tzinfo=zone)  # the day before has 23 hours
        rows = [("login.succeeded", -1), ("login.succeeded", 0), ("login.failed", 0), ("a.b", 0)]
        for kind, seconds in rows:
            AuditEvent.objects.create(at=midnight + timedelta(seconds=seconds), kind=kind)
        days = days_of(midnight.date() - timedelta(days=1), midnight.date())
    assert [(day.sign_ins, day.refusals) for day in days.all] == [(1, 0), (1, 1)]


def test_days_of_a_person_are_theirs_alone(ada_and_bob):
    ada, bob = ada_and_bob
    today = timezone.localdate()
    for person, counts in ((ada, (0, 1)), (bob, (1, 0))):
        asked = Narrowing(person=Person(person.pk, (person.get_username(),)))
        days = days_of(today, today, narrowing=asked)
        assert (days.sign_ins, days.refusals) == counts


def test_many_days_cost_one_query(db):
    last = timezone.localdate()
    with CaptureQueriesContext(connection) as queries:
        assert len(days_of(last - timedelta(days=89), last).all) == 90
    assert len(queries) == 1


def test_the_chart_says_in_words_and_in_a_table_what_it_draws(admin):
    for kind in ("login.succeeded", "login.succeeded", "login.failed"):
        audit.record(kind)
    page = admin.get(url(AuditEvent, "changelist")).text
    assert page.count('<svg class="ak-bars') == 2
    assert page.count('role="img"') == 2
    assert "2 in all, at most 2 in a day" in page
    assert "<td>2</td><td>1</td>" in page
