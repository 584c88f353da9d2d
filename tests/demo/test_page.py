"""The page at "/", in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from demo_project.showcase.people import PASSWORD
from tests.demo.client import Client
from tests.demo.server import Server

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests

KINDS = ("session", "token", "jwt")
NAMES = {"session": "Cookie", "token": "Token", "jwt": "JWT"}
ARTICLES = {"session": "a cookie", "token": "a token", "jwt": "a JWT"}


@pytest.fixture
def home(page: Page, server: Server) -> Iterator[Page]:
    """The page. Nothing on it may break, and nothing may be blocked by its own policy."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(server.url)
    yield page
    expected = re.compile(r"responded with a status of 40[0-9]|^Clear-Site-Data")
    assert [problem for problem in problems if not expected.search(problem)] == []


def _sign_in(page: Page, kind: str, person: str = "alice") -> None:
    page.get_by_role("link", name=person, exact=True).click()
    page.get_by_role("button", name=f"Sign in with {ARTICLES[kind]}").click()
    expect(_card(page, kind).get_by_text(f"Signed in as {person}")).to_be_visible()
    expect(_verdict(page, kind)).to_contain_text("alive 200")


def _card(page: Page, kind: str) -> Locator:
    return page.locator(f'.way[data-kind="{kind}"]')


def _verdict(page: Page, kind: str) -> Locator:
    return page.locator("[data-verdicts] li").filter(has_text=NAMES[kind])


def _device(page: Page, kind: str) -> Locator:
    return page.locator("[data-devices] li").filter(has_text=NAMES[kind])


def _sign_out_everywhere(page: Page) -> None:
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("may not ask any more")).to_be_visible()


def test_a_cookie_is_shown_masked_and_with_its_csrf_token(home: Page):
    _sign_in(home, "session")
    card = _card(home, "session")
    expect(card).to_contain_text(re.compile(r"Cookie: sessionid=\w{4}•+"))
    expect(card).to_contain_text(re.compile(r"X-CSRFToken: \w{4}•+"))
    [cookie] = [one for one in home.context.cookies() if one["name"] == "sessionid"]
    assert cookie["httpOnly"]
    assert cookie["value"] not in home.content()
    _sign_out_everywhere(home)


def test_a_token_is_shown_in_its_four_parts(home: Page):
    _sign_in(home, "token")
    parts = _card(home, "token").locator("[data-parts] span").all_text_contents()
    assert [len(part) for part in parts] == [3, 16, 40, 7]
    assert parts[0] == "ak_"
    _sign_out_everywhere(home)


def test_a_jwt_is_shown_decoded_and_counts_down(home: Page):
    _sign_in(home, "jwt")
    card = _card(home, "jwt")
    expect(card.locator("[data-header]")).to_contain_text('"typ": "at+jwt"')
    expect(card.locator("[data-payload]")).to_contain_text('"sid"')
    expect(card.locator("[data-signature]")).to_contain_text("32 bytes")
    expect(card.locator("[data-countdown]")).to_have_text(re.compile(r"^[45]:\d\d$"))
    shown = card.locator("[data-countdown]").inner_text()
    expect(card.locator("[data-countdown]")).not_to_have_text(shown)
    _sign_out_everywhere(home)


def test_refreshing_goes_one_generation_on(home: Page):
    _sign_in(home, "jwt")
    card = _card(home, "jwt")
    first = int(card.locator("[data-generation]").inner_text())
    token = card.locator("[data-parts]").inner_text()
    card.get_by_role("button", name="Refresh").click()
    expect(card.locator("[data-generation]")).to_have_text(str(first + 1))
    expect(card.locator("[data-parts]")).not_to_have_text(token)
    expect(_verdict(home, "jwt")).to_contain_text("alive 200")
    _sign_out_everywhere(home)


@pytest.mark.parametrize("ended", KINDS)
def test_signing_one_device_out_kills_its_credential_and_no_other(
    ended: str, home: Page, server: Server
):
    Client(server.url).sign_in("bob", "token").call("DELETE", "/auth/sessions/")
    for kind in KINDS:
        _sign_in(home, kind, "bob")
    asking = next(kind for kind in KINDS if kind != ended)
    home.get_by_role("group", name="Ask with").get_by_label(NAMES[asking]).check()
    expect(_device(home, asking).get_by_text("this one")).to_be_visible()
    _device(home, ended).get_by_role("button").click()
    expect(_verdict(home, ended)).to_contain_text("dead 401")
    expect(_device(home, ended)).to_have_count(0)
    for kind in set(KINDS) - {ended}:
        expect(_verdict(home, kind)).to_contain_text("alive 200")
    if ended != "session":
        expect(_verdict(home, ended)).to_contain_text("session_ended")
    _sign_out_everywhere(home)


def test_signing_out_everywhere_kills_all_three(home: Page):
    for kind in KINDS:
        _sign_in(home, kind, "uma")
    _sign_out_everywhere(home)
    for kind in KINDS:
        expect(_verdict(home, kind)).to_contain_text("dead 401")
    home.get_by_role("button", name="Refresh").click()
    expect(_card(home, "jwt").get_by_role("alert")).to_contain_text("has ended")


def test_three_people_at_once_do_not_get_in_each_others_way(home: Page):
    people = dict(zip(KINDS, ("ada", "ed", "uma"), strict=True))
    for kind, person in people.items():
        _sign_in(home, kind, person)
    for kind, person in people.items():
        expect(_verdict(home, kind)).to_contain_text(person)
        home.get_by_role("group", name="Send along").get_by_label(NAMES[kind]).check()
        home.get_by_label("Request").select_option(label="Who am I?")
        home.get_by_role("button", name="Send").click()
        expect(home.locator("[data-received]")).to_contain_text(f'"username": "{person}"')
    for kind in KINDS:
        _card(home, kind).get_by_role("button", name="Log out").click()
        expect(_verdict(home, kind)).to_contain_text("dead 401")


def test_a_call_shows_what_was_sent_and_what_came_back(home: Page):
    _sign_in(home, "token")
    home.get_by_label("Request").select_option(label="Write an article (authors)")
    home.get_by_role("button", name="Send").click()
    expect(home.locator("[data-status]")).to_have_text(re.compile("^201"))
    sent, received = home.locator("[data-sent]"), home.locator("[data-received]")
    expect(sent).to_contain_text("POST /api/articles/")
    expect(sent).to_contain_text("Authorization: Bearer ak_")
    expect(received).to_contain_text('"published": false')
    home.get_by_label("Request").select_option(label="Read the sales (demo.view_report)")
    home.get_by_role("button", name="Send").click()
    expect(home.locator("[data-status]")).to_have_text(re.compile("^403"))
    _sign_out_everywhere(home)


def test_a_wrong_password_is_told_and_nothing_is_shown(home: Page):
    home.get_by_role("link", name="uma", exact=True).click()
    home.get_by_label("Password").fill("wrong")
    home.get_by_role("button", name="Sign in with a JWT").click()
    expect(_card(home, "jwt").get_by_role("alert")).to_contain_text("No active account")
    expect(_card(home, "jwt").locator("[data-facts]")).to_be_hidden()


def test_tokens_are_kept_in_no_storage_and_only_the_cookie_outlives_a_reload(home: Page):
    for kind in KINDS:
        _sign_in(home, kind)
    assert home.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert home.evaluate("document.cookie").startswith("csrftoken=")
    home.reload()
    expect(_verdict(home, "session")).to_contain_text("alive 200")
    expect(home.locator("[data-verdicts] li")).to_have_count(1)
    _sign_out_everywhere(home)


def test_it_works_without_a_mouse(home: Page):
    home.keyboard.press("Tab")
    expect(home.get_by_role("link", name="Skip to the content")).to_be_focused()
    home.keyboard.press("Enter")
    home.get_by_role("link", name="uma", exact=True).focus()
    home.keyboard.press("Enter")
    home.get_by_role("button", name="Sign in with a token").focus()
    home.keyboard.press("Space")
    expect(home.get_by_role("status")).to_have_text("uma is signed in with a token.")
    expect(home.get_by_role("button", name="Sign in with a token")).to_be_focused()
    _sign_out_everywhere(home)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_sticks_out_of_the_window(width: int, home: Page):
    home.set_viewport_size({"width": width, "height": 800})
    for kind in KINDS:
        _sign_in(home, kind)
    home.get_by_role("button", name="Send").click()
    expect(home.locator("[data-status]")).to_have_text(re.compile("^200"))
    assert home.evaluate("document.documentElement.scrollWidth") == width
    _sign_out_everywhere(home)


def test_without_javascript_a_cookie_can_still_be_had(browser: Browser, server: Server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("noscript")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a token")).to_be_hidden()
    page.get_by_role("link", name="alice", exact=True).click()
    page.get_by_role("button", name="Sign in with a cookie").click()
    expect(page.get_by_text("Signed in as alice")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#session-facts .state")).to_have_count(0)
    page.goto(f"{server.url}/login/")
    page.get_by_label("Username").fill("alice@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as alice")).to_be_visible()
    context.close()


def test_the_page_shows_what_the_signed_in_person_may_do_and_why_not_the_rest(home: Page):
    def line(access: str) -> Locator:
        return home.locator("[data-may] tr").filter(has=home.get_by_text(access, exact=True))

    expect(line("api.profile:GET")).to_contain_text("Sign in")
    _sign_in(home, "session", "uma")
    expect(line("api.profile:GET")).to_contain_text("yes")
    expect(line("api.user:list")).to_contain_text(re.compile(r"no.*Administrator"))
    _sign_out_everywhere(home)
