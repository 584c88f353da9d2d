"""Other ways to sign in, on the pages."""

from __future__ import annotations

import pytest
from django.test import Client

from authkit.models import SocialAccount
from tests.people import make_person
from tests.social.test_linking import signed_in
from tests.social.visitor import Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pages.urls")]


def test_the_sign_in_page_offers_what_is_switched_on(offer):
    offer(name="<House>")
    offer(slug="gone", name="Gone", is_enabled=False)
    page = Client().get("/account/sign-in/", {"next": "/members/"}).text
    assert "/auth/social/house/login/?next=%2Fmembers%2F" in page
    assert "&lt;House&gt;" in page
    assert "Gone" not in page
    evil = Client().get("/account/sign-in/", {"next": "//evil.example/"}).text
    assert "evil" not in evil


def test_ones_page_lists_and_unlinks_but_not_the_last_way_in(offer, liar):
    offer()
    visitor = Visitor()
    visitor.walk(liar)
    account = SocialAccount.objects.get()
    page = visitor.client.get("/account/")
    assert f'value="{account.pk}"' in page.text
    assert f'<strong id="account-{account.pk}">The house</strong>' in page.text
    token = visitor.client.cookies["csrftoken"].value
    unlink = "/account/unlink/"
    assert visitor.client.post(unlink, {"account": account.pk}).status_code == 403
    headers = {"X-CSRFToken": token}
    answer = visitor.client.post(unlink, {"account": account.pk}, headers=headers)
    assert answer.status_code == 409
    assert visitor.client.post(unlink, {"account": "x"}, headers=headers).status_code == 404
    account_two = offer(slug="second")
    assert f"/auth/social/{account_two.slug}/login/" in visitor.client.get("/account/").text
    assert SocialAccount.objects.count() == 1


def test_who_has_a_password_unlinks(offer, liar, person):
    offer()
    visitor = signed_in(person, "session")
    assert visitor.sign_in(liar, link=True).status_code == 200
    stranger = signed_in(make_person("stranger"), "session")
    for caller, status, left in ((stranger, 404, 1), (visitor, 302, 0)):
        headers = {"X-CSRFToken": caller.client.cookies["csrftoken"].value}
        account = SocialAccount.objects.get()
        unlink = {"account": account.pk}
        answer = caller.client.post("/account/unlink/", unlink, headers=headers)
        assert answer.status_code == status
        assert SocialAccount.objects.count() == left
