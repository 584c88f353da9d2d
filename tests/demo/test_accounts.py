"""Accounts in the demo, in a real browser without JavaScript: pages, mails, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from demo_project.showcase.people import PASSWORD
from tests.demo.server import Server

pytestmark = pytest.mark.browser

GOOD, BETTER = "seven rainy tuesdays", "eight sunny wednesdays"


@pytest.fixture(params=["light", "dark"])
def plain(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(
        java_script_enabled=False, base_url=server.url, color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def _follow_mail(page: Page, address: str, subject: str) -> None:
    for _ in range(40):  # a thread of the server writes it
        page.goto("/mails/")
        mail = page.get_by_role("article").filter(has_text=address).filter(has_text=subject)
        if mail.count():
            break
        page.wait_for_timeout(100)
    mail.first.locator("a[href^=http]").click()


def test_a_whole_life_of_an_account_without_javascript(plain: Page):
    name = f"grace{uuid4().hex[:8]}"
    address = f"{name}@example.com"
    plain.goto("/account/")
    _sign_up(plain, name, address)
    _sign_in(plain, address, GOOD)
    _look_around(plain)
    _forget(plain, address)
    _sign_in(plain, name, GOOD)
    plain.goto("/account/close/")
    plain.get_by_label("Your password").fill(GOOD)
    plain.get_by_role("button", name="Close my account").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Sign in")


def _sign_in(plain: Page, name: str, password: str) -> None:
    plain.get_by_label("User name or e-mail address").fill(name)
    plain.get_by_label("Password").fill(password)
    plain.get_by_role("button", name="Sign in").click()


def _sign_up(plain: Page, name: str, address: str) -> None:
    expect(plain.get_by_role("heading", level=1)).to_have_text("Sign in")
    plain.get_by_role("link", name="Make an account").click()
    plain.get_by_label("User name").fill(name.title())
    plain.get_by_label("E-mail address").fill(address.upper())
    plain.get_by_label("Password").fill("password1")
    plain.get_by_role("button", name="Make my account").click()
    expect(plain.get_by_text("This password is too common.")).to_be_visible()
    expect(plain.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    plain.get_by_label("Password").fill(GOOD)
    plain.get_by_role("button", name="Make my account").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    _follow_mail(plain, address, "Confirm your address")
    plain.get_by_role("button", name="Confirm").click()
    expect(plain.get_by_role("status")).to_contain_text("The address is confirmed")
    plain.get_by_role("link", name="Your account").click()


def _look_around(plain: Page) -> None:
    plain.goto("/account/")
    expect(plain.get_by_text("confirmed", exact=True)).to_be_visible()
    plain.get_by_role("link", name="Password").click()
    plain.get_by_label("Your password").fill(GOOD)
    plain.get_by_label("New password").fill(BETTER)
    plain.get_by_role("button", name="Change my password").click()
    expect(plain.get_by_role("status")).to_contain_text("Your password is changed.")
    plain.get_by_role("link", name="Access tokens").click()
    plain.get_by_label("Name").fill("a script")
    plain.get_by_role("button", name="Make a token").click()
    expect(plain.get_by_label("Your new token")).to_have_value(re.compile(r"^ak_\w{63}$"))
    plain.get_by_role("button", name="Revoke").click()
    expect(plain.get_by_text("You have none.")).to_be_visible()
    plain.get_by_role("link", name="Devices").click()
    expect(plain.get_by_text("this device")).to_be_visible()
    plain.get_by_role("button", name="Sign out").first.click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Sign in")


def _forget(plain: Page, address: str) -> None:
    plain.get_by_role("link", name="Forgotten your password?").click()
    plain.get_by_label("E-mail address").fill(address)
    plain.get_by_role("button", name="Send me a link").click()
    _follow_mail(plain, address, "A new password")
    plain.get_by_label("New password").fill(GOOD)
    plain.get_by_role("button", name="Set it").click()
    expect(plain.get_by_role("status")).to_contain_text("Your new password is set.")
    plain.get_by_role("link", name="Sign in").click()


def test_every_control_has_a_name_and_every_text_stands_out(page: Page, server: Server):
    page.goto(f"{server.url}/account/sign-in/")
    page.get_by_label("User name or e-mail address").fill("uma")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in (
            "sign-in/",
            "sign-up/",
            "forgot/",
            "sent/",
            "reset/x/",
            "verify/x/",
            "",
            "password/",
            "email/",
            "devices/",
            "tokens/",
            "close/",
        ):
            page.goto(f"{server.url}/account/{path}")
            assert page.locator("h1").count() == 1
            assert page.evaluate(_NAMELESS) == [], (scheme, path)
            assert page.evaluate(_FAINT) == [], (scheme, path)


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_sticks_out_of_the_window(width: int, page: Page, server: Server):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{server.url}/account/sign-in/")
    page.get_by_label("User name or e-mail address").fill("uma")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for path in ("", "password/", "email/", "devices/", "tokens/", "close/"):
        page.goto(f"{server.url}/account/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_pages_can_be_walked_through_by_keyboard(page: Page, server: Server):
    page.goto(f"{server.url}/account/sign-in/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_visible()
    page.get_by_label("User name or e-mail address").focus()
    page.keyboard.type("uma")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("sign-in"))


#: Controls that nothing names.
_NAMELESS = """() => [...document.querySelectorAll(
  'input:not([type=hidden]), select, textarea, button, a')].filter(
  one => !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label'))
).map(one => one.outerHTML)"""

#: Texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3).
_FAINT = r"""() => {
  const rgb = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
    v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  ).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = one => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(
    one => [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  ).filter(one => {
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(ground(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map(one => one.outerHTML.slice(0, 200));
}"""
