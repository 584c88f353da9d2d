"""Pages about access on a phone: nothing scrolls sideways, and no sign is an empty box."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from playwright.sync_api import Page, expect

from authkit.decorators import locked, public
from authkit.models import Role
from tests.access.urls import urlpatterns
from tests.admin.access_world import (
    EXPLAIN,
    edit,
    matrix_url,
    register_conditions,
    review_all,
    role,
)
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"
LONG = "a-role-with-a-very-long-name-that-does-not-fit-on-any-phone-at-all"


def opened(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


class WithLocks:
    """A URLconf in which code fixes something."""

    urlpatterns = [
        *urlpatterns,
        path("open/", locked(public(opened)), name="open"),
    ]


@pytest.fixture
def narrow(page: Page, live_server: Any, superuser: Any, settings: Any, monkeypatch: Any) -> Page:
    """Signed in, 390 px wide, under a policy that forbids all script in the page."""
    settings.ROOT_URLCONF = WithLocks
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    register_conditions(monkeypatch)
    author = role("author", "allow api.person:create", "allow api.person:update when themselves")
    outer = role(LONG, "allow api.*:*", "deny api.person:destroy", includes=[author])
    outer.assignments.create(user=superuser)
    role("anyone", "allow api.person:list when themselves")
    review_all()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_server.url + matrix_url())
    page.locator("#id_username").fill(superuser.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.get_by_role("grid")).to_be_visible()
    return page


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 390, page.url


def test_nothing_scrolls_sideways_on_a_phone(narrow, live_server, superuser):
    assert_fits(narrow)
    for access in ("api.person:update", "api.person:destroy"):
        address = reverse(EXPLAIN, query={"user": superuser.pk, "access": access})
        narrow.goto(live_server.url + address)
        expect(narrow.locator(".ak-explained .ak-rules")).to_be_visible()
        assert_fits(narrow)
    narrow.goto(live_server.url + reverse(EXPLAIN))
    assert_fits(narrow)
    narrow.goto(live_server.url + matrix_url(endpoint="api.person"))
    assert_fits(narrow)
    narrow.evaluate(
        """([url, edit]) => {
            const form = document.createElement("form");
            form.method = "post";
            form.action = url;
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            for (const [name, value] of [["edit", edit], ["csrfmiddlewaretoken", token]]) {
                form.append(Object.assign(document.createElement("input"), {name, value}));
            }
            document.body.append(form);
            form.submit();
        }""",
        [matrix_url(), edit(LONG, "api.person:read", "allow when themselves")],
    )
    expect(narrow.locator(".ak-preview table")).to_be_visible()
    assert_fits(narrow)


def test_a_lock_is_drawn_and_not_written(narrow):
    tag = narrow.locator(".ak-tag-fixed").first
    drawn = tag.evaluate(
        """tag => {
            const style = getComputedStyle(tag, "::before");
            return [style.content, style.maskImage, style.width];
        }"""
    )
    assert drawn[0] == '""'
    assert "lock.svg" in drawn[1]
    assert float(drawn[2].removesuffix("px")) > 5
    assert tag.inner_text().strip()
    answer = narrow.request.get(drawn[1].removeprefix('url("').removesuffix('")'))
    assert answer.ok
    assert "svg" in answer.headers["content-type"]


@pytest.mark.parametrize("width", [390, 800, 1100, 1280])
def test_the_page_of_a_role_fits_its_window(narrow, live_server, width):
    narrow.set_viewport_size({"width": width, "height": 900})
    role_with_rules = Role.objects.get(slug=LONG)
    narrow.goto(live_server.url + reverse("admin:authkit_role_change", args=[role_with_rules.pk]))
    expect(narrow.locator("#assignments-group .select2-container").first).to_be_visible()
    assert narrow.evaluate("document.documentElement.scrollWidth") == width
