"""What people see of social login, in a real browser and as axe-core judges it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from authkit.models import ClaimRole, SocialAccount
from tests import axe
from tests.people import make_person
from tests.social.steps import asking_after
from tests.social.test_linking import signed_in
from tests.social.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.pages.urls"),
]


@pytest.fixture(scope="session")
def source(request: pytest.FixtureRequest) -> str:
    return axe.script(request.config)


@pytest.fixture
def look(page: Page, live_server: Any, source: str) -> Any:
    """``look(path)``: everything that is wrong there; ``client=`` for whom."""
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))

    def at(path: str, client: Client | None = None, words: str = "", status: int = 200) -> None:
        page.context.clear_cookies()
        for name, morsel in (client or Client()).cookies.items():
            if morsel.value:
                page.context.add_cookies(
                    [{"name": name, "value": morsel.value, "url": live_server.url}]
                )
        answer = page.goto(live_server.url + path)
        assert answer is not None
        assert answer.status == status, path
        assert words in page.inner_text("body"), path
        problems = axe.problems_of(page, source)
        assert problems == [], "\n".join(problems)

    return at


def test_the_pages_of_who_signs_in(look, offer, liar, settings):
    offer(name="The house")
    look("/account/sign-in/", words="Sign in with The house")
    look("/account/sign-up/", words="Sign in with The house")
    look("/auth/social/nobody/login/", words="You are not signed in", status=404)
    make_person("vera", email="vera@example.org")
    visitor = Visitor()
    assert visitor.walk(liar).status_code == 302
    look("/auth/social/house/continue/", visitor.client, "One more thing")
    settings.SOCIAL_AUTH_PIPELINE = asking_after("admit")
    visitor.walk(liar)
    look("/auth/social/house/continue/", visitor.client, "Do you agree?")


def test_the_page_of_who_was_led_here_by_another_site(page, live_server, source, offer, liar):
    offer(name="The house")
    page.goto(f"{liar.url}/elsewhere")  # 127.0.0.1, and the site is localhost
    url = f"{live_server.url}/auth/social/house/login/?next=/account/"
    page.evaluate("url => { location.href = url }", url)
    expect(page.get_by_text("Another site has led you here.")).to_be_visible()
    problems = axe.problems_of(page, source)
    assert problems == [], "\n".join(problems)
    page.get_by_role("link", name="Sign in with The house").click()
    page.wait_for_url(f"{liar.url}/authorize**")


def test_the_page_of_who_has_linked_accounts(look, offer, liar, person):
    offer(name="The house")
    offer(slug="second", name="The second")
    visitor = signed_in(person, "session")
    assert visitor.sign_in(liar, link=True).status_code == 200
    look("/account/", visitor.client, "Link The second")


def test_the_pages_of_the_administrator(look, offer, liar, superuser):
    row = offer(name="The house", redirect_uris=["https://app.example/back"])
    ClaimRole.objects.create(provider=row, claim="groups", value="e", role="editor", mode="sync")
    Visitor().sign_in(liar)
    visitor = signed_in(superuser, "session")
    account = SocialAccount.objects.get()
    for name, args in (
        ("socialprovider_changelist", []),
        ("socialprovider_add", []),
        ("socialprovider_change", [row.pk]),
        ("socialaccount_changelist", []),
        ("socialaccount_change", [account.pk]),
    ):
        look(reverse(f"admin:authkit_{name}", args=args), visitor.client)


def test_the_redirect_uri_is_copied(page, live_server, look, offer, superuser):
    row = offer()
    visitor = signed_in(superuser, "session")
    look(reverse("admin:authkit_socialprovider_change", args=[row.pk]), visitor.client)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="✓ Copy")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{live_server.url}/auth/social/house/callback/"
