"""The dashboard: what is worth a look, for whom, and where it leads."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone

from authkit import audit, tokens
from authkit.admin.audit_event import AuditEventAdmin
from authkit.admin.dashboard import Dashboard, DashboardAdmin
from authkit.models import AuditEvent, Endpoint, Throttle
from tests.access.urls import plain
from tests.access.urls import urlpatterns as usual
from tests.access.writing import give, role
from tests.admin.access_world import register_conditions, review_all
from tests.admin.pages import make_staff, signed_in
from tests.events import forget_events
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

other = admin.AdminSite("other")
other.register(AuditEvent, AuditEventAdmin)
other.register([Dashboard], DashboardAdmin)

urlpatterns = [
    *usual,
    path("forgotten/", plain, name="forgotten"),
    path("other/", other.urls),
]

BOARD = "admin:authkit_dashboard_changelist"
NAMES = ["sign-ins", "lockouts", "tokens", "assignments", "endpoints"]


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    register_conditions(monkeypatch)
    role("editor", "allow api.*:read", "allow plain:*")
    review_all()


def blocks(client: Any) -> dict[str, Any]:
    page = client.get(reverse(BOARD))
    assert page.status_code == 200
    return {block.name: block for block in page.context["blocks"]}


def lock_out(digest: str, until: datetime, **more: Any) -> Throttle:
    now = timezone.now()
    return Throttle.objects.create(
        digest=digest, since=now, locked_at=now, ends_at=until, failed=5, **more
    )


def fill(number: int) -> None:
    """Something for each block, so often."""
    now = timezone.now()
    soon = now + timedelta(days=3)
    for n in range(number):
        person = make_person(f"p{number}-{n}")
        audit.record("login.succeeded", actor=person)
        audit.record("login.failed", actor_name="mallory")
        lock_out(f"{number}-{n}", soon, scope="person", user=person)
        tokens.issue_personal(person, name=f"report {n}", expires_at=soon, now=now)
        give(person, role("editor"), ends_at=soon)


def test_it_tells_what_there_is_and_where_that_leads(superuser):
    client = signed_in(superuser)
    forget_events()
    fill(2)
    found = blocks(client)
    assert list(found) == NAMES
    assert found["sign-ins"].says == "Sign-ins: 2, refused: 2."
    assert found["lockouts"].says == "2 lock-outs now."
    assert found["tokens"].says == "2 personal access tokens expire within 14 days."
    assert found["assignments"].says == "2 assignments end within 14 days."
    assert "forgotten" in [item.text for item in found["endpoints"].items]


def test_every_link_leads_to_a_page_that_shows_it(superuser):
    fill(1)
    Endpoint.objects.filter(key="plain").update(state="new")
    Endpoint.objects.create(key="gone", state="missing", found_at=timezone.now())
    client = signed_in(superuser)
    for block in blocks(client).values():
        lines = block.chart.lines[:1] if block.chart else []
        for place in [*block.items, *block.links, *lines]:
            assert client.get(place.url).status_code == 200, place
    names = {"tokens": "report 0", "assignments": "p1-0", "lockouts": "p1-0"}
    for name, text in names.items():
        (link,) = blocks(client)[name].links
        assert text in client.get(link.url).text, name
    texts = [item.text for item in blocks(client)["endpoints"].items]
    assert "New, to be looked at: 1" in texts
    assert "Missing, with rules that reach nothing: 1" in texts


def test_what_is_over_or_far_off_is_not_told(superuser):
    now, person = timezone.now(), make_person("ada")
    for name, days in (("over", -1), ("far", 60), ("revoked", 3)):
        at = now + timedelta(days=days)
        token = tokens.issue_personal(person, name=name, expires_at=at, now=now)
        if name == "revoked":
            tokens.revoke(token.id, now=now)
        lock_out(name, now - timedelta(days=1), scope="person", user=person)
    give(person, role("editor"), ends_at=now - timedelta(days=1))
    found = blocks(signed_in(superuser))
    assert found["lockouts"].says == "Nobody is locked out."
    assert found["tokens"].says == "No personal access token expires within 14 days."
    assert found["assignments"].says == "No assignment ends within 14 days."
    assert not [item for name in NAMES[:4] for item in found[name].items]


@pytest.mark.parametrize(
    ("codename", "name"),
    [
        ("view_auditevent", "sign-ins"),
        ("view_throttle", "lockouts"),
        ("view_bearertoken", "tokens"),
        ("view_assignment", "assignments"),
        ("view_endpoint", "endpoints"),
    ],
)
def test_each_block_is_for_whoever_may_see_what_it_is_about(codename, name):
    fill(1)
    client = signed_in(make_staff("clerk", codename))
    assert list(blocks(client)) == [name]
    index = client.get(reverse("admin:app_list", args=["authkit"])).text
    assert re.findall(r'id="ak-(\w[\w-]*)-head"', index) == [name]


def test_who_may_see_none_of_it_sees_no_dashboard(superuser):
    clerk = signed_in(make_staff("clerk", "view_role"))
    assert clerk.get(reverse(BOARD)).status_code == 403
    index = clerk.get(reverse("admin:app_list", args=["authkit"]))
    assert "ak-board" not in index.text
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    script = Client(headers={"Authorization": f"Bearer {token.text}"})
    assert script.get(reverse(BOARD)).status_code == 403
    assert Client().get(reverse(BOARD)).status_code == 302


def test_whoever_may_not_see_rules_is_not_led_to_the_matrix():
    client = signed_in(make_staff("clerk", "view_endpoint"))
    for item in blocks(client)["endpoints"].items:
        assert client.get(item.url).status_code == 200
        assert "matrix" not in item.url


def test_it_costs_few_queries_however_much_there_is(superuser, settings):
    settings.AUTHKIT = {**settings.AUTHKIT, "MAX_STALENESS": 0}  # each request looks
    client = signed_in(superuser)

    def cost(where: str) -> int:
        client.get(where)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(where).status_code == 200
        return len(queries)

    places = [reverse(BOARD), reverse("admin:app_list", args=["authkit"])]
    fill(1)
    few = [cost(where) for where in places]
    fill(8)
    assert [cost(where) for where in places] == few
    assert max(few) <= 13


def test_looking_changes_nothing(superuser):
    client = signed_in(superuser)
    fill(1)
    before = AuditEvent.objects.count()
    with CaptureQueriesContext(connection) as queries:
        blocks(client)
    sql = [query["sql"].lstrip("(") for query in queries]
    assert not [text for text in sql if re.match("INSERT|UPDATE|DELETE", text)]
    assert AuditEvent.objects.count() == before


def test_names_are_shown_as_they_are_and_do_no_harm(superuser):
    now = timezone.now()
    name = "<b>\u202egro\x1b[31m"
    tokens.issue_personal(superuser, name=name, expires_at=now + timedelta(days=1), now=now)
    page = signed_in(superuser).get(reverse(BOARD)).text
    assert "&lt;b&gt;\\u202egro\\x1b[31m" in page
    assert "\u202e" not in page
    assert "<b>\\u" not in page


def test_a_page_of_a_project_that_shows_less_is_followed(superuser, monkeypatch):
    fill(2)
    page: Any = admin.site.get_model_admin(Throttle)
    monkeypatch.setattr(type(page), "get_queryset", lambda self, request: Throttle.objects.none())
    assert blocks(signed_in(superuser))["lockouts"].says == "Nobody is locked out."


def test_it_stands_on_any_admin_site(superuser):
    client = signed_in(superuser)
    for where in ("/other/", "/other/authkit/", "/other/authkit/dashboard/"):
        assert client.get(where).status_code == 200
    page = client.get("/other/authkit/").text
    assert re.findall(r'id="ak-(\w[\w-]*)-head"', page) == ["sign-ins"]
    assert "/other/authkit/auditevent/?kind=login.failed" in page
    assert "/admin/authkit" not in page
