"""The way there and back in a real browser, under a policy that forbids script in pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import axe
from tests.impersonation.world import page_of
from tests.people import PASSWORD, make_person, make_superuser

pytestmark = [
    *(pytest.mark.browser, pytest.mark.django_db(transaction=True)),
    pytest.mark.urls("tests.impersonation.urls"),
]

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"
BANNER = "Signed in as somebody else"


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    return axe.script(request.config)


def show(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look."""
    folder = os.environ.get("AUTHKIT_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_there_and_back_by_keyboard_on_a_phone(
    browser: Browser, live_server: Any, settings: Any, ada: Any, bob: Any, source: str, scheme: Any
):
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    settings.LOGIN_REDIRECT_URL = "/account/"
    size: Any = {"width": 390, "height": 800}
    context = browser.new_context(color_scheme=scheme, viewport=size)
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda told: blocked.append(told.text) if told.type == "error" else None)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(live_server.url + page_of(ada).replace(f"{ada.pk}/impersonate/", f"{bob.pk}/change/"))
    page.locator("#id_username").fill(ada.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.get_by_role("link", name="Sign in as this person").press("Enter")
    page.get_by_label("Why").fill("ticket 7")
    assert fits(page)
    show(page, f"asked-{scheme}")
    assert axe.problems_of(page, source) == []
    page.get_by_label("Why").press("Enter")
    banner = page.get_by_role("region", name=BANNER)
    for path in ("/account/", "/account/devices/", "/shop/page/"):
        page.goto(live_server.url + path)
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        expect(banner).to_be_in_viewport()
        assert fits(page)
        show(page, f"banner{path.replace('/', '-')}{scheme}")
        if scheme == "dark":  # it is asked in both
            continue
        assert axe.problems_of(page, source) == []
    page.get_by_role("button", name="Back to my own account").press("Enter")
    expect(page).to_have_url(live_server.url + page_of(bob).replace("impersonate/", "change/"))
    expect(banner).to_have_count(0)
    assert blocked == []
    context.close()


def test_the_banner_stands_in_the_admin_site(
    page: Page, live_server: Any, settings: Any, source: str
):
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    settings.LOGIN_REDIRECT_URL = "/own/"
    root, sam = make_superuser(), make_person("sam", is_staff=True)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(live_server.url + page_of(sam))
    page.locator("#id_username").fill(root.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.locator("input[type=submit].default").click()
    expect(page.get_by_role("region", name=BANNER)).to_be_in_viewport()
    show(page, "banner-admin")
    assert axe.problems_of(page, source) == []
    with page.expect_response("**/auth/impersonation/") as refused:
        page.evaluate(
            "fetch('/auth/impersonation/', {method: 'POST', body: new FormData("
            "document.querySelector('.authkit-impersonation form'))})"
        )
    assert refused.value.status == 403
