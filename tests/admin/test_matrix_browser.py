"""The matrix in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.admin.access_world import URLS, matrix_url, register_conditions, review_all, role, rules
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    settings.MIDDLEWARE = [
        "demo_project.middleware.ContentSecurityPolicyMiddleware",
        *settings.MIDDLEWARE,
    ]
    register_conditions(monkeypatch)
    author = role("author", "allow api.person:create", "allow api.person:update when themselves")
    role("editor", "allow api.person:*", "deny api.person:destroy", includes=[author])
    role("auditor", "allow api.*:read")
    role("anyone", "allow plain:read")
    review_all()


@pytest.fixture
def matrix(page: Page, live_server: Any, superuser: Any) -> Iterator[Page]:
    """The page. Nothing on it may break, and nothing may be blocked by a strict policy."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(live_server.url + matrix_url())
    page.get_by_label("Username").or_(page.get_by_label("Email")).first.fill(
        superuser.get_username()
    )
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("grid")).to_be_visible()
    yield page
    assert problems == []


def test_shots(matrix: Page):
    matrix.set_viewport_size({"width": 1200, "height": 900})
    matrix.locator(".ak-legend summary").click()
    matrix.locator('[data-key="api.person"] .ak-open').click()
    expect(matrix.locator(".ak-below").first).to_be_visible()
    matrix.screenshot(path="/tmp/shots/light.png")
    matrix.locator('tr[data-words="read"] td button').nth(4).click()
    matrix.screenshot(path="/tmp/shots/menu.png")
    matrix.keyboard.press("ArrowDown")
    matrix.keyboard.press("Enter")
    matrix.emulate_media(color_scheme="dark")
    matrix.screenshot(path="/tmp/shots/dark.png")
    matrix.get_by_role("button", name="Preview").click()
    matrix.screenshot(path="/tmp/shots/preview.png")
    print(rules())
