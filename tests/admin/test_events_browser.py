"""The list of events and the dashboard in a real browser, under a policy without inline code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from authkit import audit, tokens
from authkit.models import AuditEvent
from tests import axe
from tests.admin.pages import url
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"
BOARD = "admin:authkit_dashboard_changelist"


@pytest.fixture
def there(page: Page, live_server: Any, superuser: Any, settings: Any) -> Iterator[Page]:
    """On the list, with something in it. Nothing may break, and nothing may be blocked."""
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    now = timezone.now()
    tokens.issue_personal(superuser, name="report", expires_at=now + timedelta(days=1), now=now)
    audit.record("login.failed", actor_name="mallory")
    audit.record(
        "access.rule_changed", actor=superuser, data={"before": {"a": 1}, "after": {"a": 2}}
    )
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(live_server.url + url(AuditEvent, "changelist"))
    page.locator("#id_username").fill(superuser.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.locator("#result_list")).to_be_visible()
    yield page
    # axe-core looks for style sheets where there are none, and says so.
    assert [text for text in problems if "preload" not in text and "inline style" not in text] == []


def test_events_are_found_and_written_out_by_keyboard(there: Page, superuser: Any):
    there.set_viewport_size({"width": 390, "height": 800})
    there.get_by_label("or user name, or e-mail address").focus()
    there.keyboard.type("mallory")
    there.keyboard.press("Enter")
    expect(there.locator("#result_list tbody tr")).to_have_count(1)
    there.get_by_role("link", name="All events").press("Enter")
    there.get_by_label("Event:", exact=True).select_option("access.rule_changed")
    there.get_by_role("button", name="Find").press("Enter")
    expect(there.locator("#result_list tbody tr")).to_have_count(1)
    with there.expect_download() as download:
        there.get_by_role("button", name="Export as JSON lines").press("Enter")
    assert json.loads(Path(download.value.path()).read_text())["kind"] == "access.rule_changed"
    there.locator("#result_list tbody a").press("Enter")
    expect(there.get_by_role("columnheader", name="Before")).to_be_visible()


def test_a_person_is_picked_from_the_sites_own_search(there: Page, superuser: Any):
    there.get_by_role("combobox", name="Person").press("Enter")
    expect(there.get_by_role("searchbox").last).to_be_focused()  # what is typed before is lost
    there.keyboard.type("root")
    there.get_by_role("option", name=str(superuser)).click()
    there.get_by_role("button", name="Find").click()
    expect(there.locator("#result_list").get_by_text("mallory")).to_have_count(0)
    expect(there.locator("#result_list").get_by_text("access.rule_changed")).to_have_count(1)


@pytest.mark.slow
def test_axe_finds_nothing_serious(there: Page, live_server: Any, pytestconfig: pytest.Config):
    source = axe.script(pytestconfig)
    event = AuditEvent.objects.get(kind="access.rule_changed")
    places = [
        reverse(BOARD),
        reverse("admin:app_list", args=["authkit"]),
        url(AuditEvent, "changelist"),
        url(AuditEvent, "change", event.pk),
    ]
    for place in places:
        there.goto(live_server.url + place)
        there.locator("details:not(#nav-sidebar details)").evaluate_all(
            "all => all.forEach(each => { each.open = true })"
        )
        problems = axe.problems_of(there, source)
        assert problems == [], "\n".join(problems)
