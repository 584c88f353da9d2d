"""Sign in with Demo ID: django-oauth-toolkit as a provider in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from demo_project.demo_id.known import PASSWORD
from demo_project.showcase import people
from tests.demo.server import Server

pytestmark = pytest.mark.browser

expect.set_options(timeout=30_000)


@pytest.fixture
def dance(browser: Browser, server: Server) -> Iterator[Page]:
    """The page that shows the dance, in a browser without cookies."""
    context = browser.new_context()
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{server.url}/dance/")
    yield page
    context.close()
    assert problems == []


def _at_demo_id(page: Page, server: Server, username: str = "vera") -> None:
    expect(page.get_by_role("heading", name="Sign in to Demo ID")).to_be_visible()
    assert not page.url.startswith(server.url)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="The magazine asks for you")).to_be_visible()


def _begin(page: Page) -> None:
    page.get_by_role("button", name="Sign in with Demo ID").click()
    page.get_by_role("link", name="Go on to Demo ID").click()


def test_every_arrow_is_shown(dance: Page, server: Server):
    _begin(dance)
    _at_demo_id(dance, server)
    dance.get_by_role("button", name="Agree").click()
    expect(dance.get_by_text(re.compile("Welcome"))).to_be_visible()
    arrows = dance.locator("#arrows")
    for text in (
        "S256",
        "Back to the magazine, with a code.",
        "/o/.well-known/openid-configuration",
        "POST /o/token/",
        "/o/.well-known/jwks.json",
        "GET /o/userinfo/",
        "vera@example.org",
    ):
        expect(arrows.get_by_text(text).first).to_be_visible()
    assert "code=" not in dance.url
    assert dance.request.get(f"{server.url}/auth/session/").json()["user"]["username"] == "vera"


def test_arrows_are_shown_while_the_answer_is_still_on_its_way(dance: Page, server: Server):
    seen: list[int] = []

    def hold_back(route: Route) -> None:
        answer = route.fetch()
        for text in ("POST /o/token/", "GET /o/userinfo/"):
            expect(dance.locator("#arrows").get_by_text(text)).to_be_visible()
        seen.append(dance.get_by_text(re.compile("Welcome")).count())
        route.fulfill(response=answer)

    dance.route("**/complete/", hold_back)
    _begin(dance)
    _at_demo_id(dance, server)
    dance.get_by_role("button", name="Agree").click()
    expect(dance.get_by_text(re.compile("Welcome"))).to_be_visible()
    assert seen == [0]
    expect(dance.locator("#arrows").get_by_text("GET /o/userinfo/")).to_have_count(1)


def test_arrows_are_told_to_who_knows_the_ride(dance: Page, server: Server):
    answer = dance.request.get(f"{server.url}/dance/arrows/{uuid4()}/")
    assert (answer.status, answer.json()) == (200, {"arrows": []})
    assert dance.request.get(f"{server.url}/dance/arrows/all/").status == 404


def test_saying_no_is_shown(dance: Page, server: Server):
    _begin(dance)
    _at_demo_id(dance, server, "walter")
    dance.get_by_role("button", name="No, thank you").click()
    expect(dance.get_by_text("You cancelled the sign-in at the provider.")).to_be_visible()
    assert dance.request.get(f"{server.url}/auth/session/").json()["user"] is None


def test_without_javascript_it_works_by_redirects(browser: Browser, server: Server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/login/")
    page.get_by_role("link", name="sign in with Demo ID").click()
    _at_demo_id(page, server, "walter")
    page.get_by_role("button", name="Agree").click()
    expect(page).to_have_url(f"{server.url}/")
    expect(page.get_by_text("Signed in as walter")).to_be_visible()
    context.close()


def test_who_is_signed_in_links_demo_id_on_their_page(browser: Browser, server: Server):
    """Under a policy of form-action 'self', which forbids a form's redirect to elsewhere."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/account/sign-in/?next=/account/")
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Link Demo ID").click()
    _at_demo_id(page, server, "wanda")
    page.get_by_role("button", name="Agree").click()
    expect(page).to_have_url(f"{server.url}/account/")
    expect(page.get_by_text("wanda@example.org")).to_be_visible()
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("The account is unlinked.")).to_be_visible()
    context.close()
