"""The page and the list of people in a real browser, under a policy that forbids script in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from authkit import sessions
from authkit.models import UserSession
from tests.admin.people_pages import URLS, people_url
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.urls(URLS)]

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"


@pytest.fixture
def uma() -> Any:
    uma = make_person("uma")
    sessions.start(uma, "jwt", now=timezone.now())
    return uma


@pytest.fixture
def there(page: Page, live_server: Any, superuser: Any, settings: Any, uma: Any) -> Iterator[Page]:
    """On the list. Nothing on these pages may break, and nothing may be blocked."""
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(live_server.url + people_url())
    page.locator("#id_username").fill(superuser.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.locator("#result_list")).to_be_visible()
    yield page
    assert problems == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_the_page_is_worked_by_keyboard_and_fits_a_phone(there: Page, uma: Any):
    there.set_viewport_size({"width": 390, "height": 800})
    there.get_by_role("link", name=str(uma), exact=True).first.click()
    expect(there.get_by_role("region", name="Sessions")).to_be_visible()
    assert fits(there)
    there.get_by_role("link", name="Sessions", exact=True).last.focus()
    button = there.get_by_role("button", name="Sign out everywhere")
    button.focus()
    there.keyboard.press("Enter")
    expect(there.get_by_text("Personal access tokens go on.")).to_be_visible()
    assert fits(there)
    there.get_by_role("button", name="Sign out everywhere").press("Enter")
    expect(there.get_by_text("1 session was ended.")).to_be_visible()
    assert not UserSession.objects.filter(user=uma, revoked_at=None).exists()


def test_many_are_deactivated_from_the_list(there: Page, uma: Any):
    there.get_by_role("row").filter(has_text=str(uma)).get_by_role("checkbox").check()
    there.locator("select[name=action]").select_option("deactivate_people")
    there.get_by_role("button", name="Run").or_(there.get_by_role("button", name="Go")).click()
    expect(there.get_by_role("listitem").filter(has_text=str(uma))).to_be_visible()
    there.get_by_role("button", name="Deactivate and end everything").click()
    expect(there.get_by_text("Deactivate and end everything: 1 person.")).to_be_visible()
    uma.refresh_from_db()
    assert not uma.is_active
