"""The way through a provider that tells the truth."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from authkit.models import AuditEvent, SocialAccount, SpentState, Throttle, UserSession
from tests.api.callers import browser
from tests.saving.breaking import refusing
from tests.social.visitor import Visitor, query_of


def test_a_new_person_gets_an_account_and_a_token(offer, liar):
    offer()
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["user"]["email"] == "vera@example.org"
    assert body["is_new"] is True
    person = get_user_model().objects.get()
    assert not person.has_usable_password()
    assert (person.is_staff, person.is_superuser) == (False, False)
    account = SocialAccount.objects.get()
    assert (account.issuer, account.subject) == (liar.issuer, "subject-1")
    caller = Visitor(f"Bearer {body['token']}")
    assert caller.get("/auth/me/").json()["id"] == body["user"]["id"]


@pytest.mark.parametrize("deliver", ["session", "token", "jwt"])
def test_each_carrier_is_delivered(offer, liar, deliver):
    offer()
    visitor = Visitor()
    visitor.client = browser().client
    answer = visitor.sign_in(liar, deliver=deliver)
    assert answer.status_code == 200, answer.content
    assert UserSession.objects.get().kind == deliver
    carrier = {"session": None, "token": "token", "jwt": "access"}[deliver]
    if carrier:
        visitor = Visitor(f"Bearer {answer.json()[carrier]}")
    assert visitor.get("/auth/me/").status_code == 200


def test_a_browser_without_javascript_is_led_back_to_where_it_wanted(offer, liar):
    offer()
    visitor = Visitor()
    answer = visitor.walk(liar, next="/somewhere/?a=b")
    assert (answer.status_code, answer["Location"]) == (302, "/somewhere/?a=b")
    assert visitor.get("/auth/session/").json()["user"]["email"] == "vera@example.org"


def test_the_same_identity_is_the_same_person_again(offer, liar):
    offer()
    first = Visitor().sign_in(liar).json()
    second = Visitor().sign_in(liar).json()
    assert first["user"]["id"] == second["user"]["id"]
    assert second["is_new"] is False
    assert get_user_model().objects.count() == SocialAccount.objects.count() == 1


def test_pkce_state_and_nonce_are_always_there(offer):
    offer()
    begun = Visitor().begin()
    query = query_of(begun["authorization_url"])
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 32
    assert len(query["nonce"]) >= 32
    assert query["redirect_uri"] == "http://testserver/auth/social/house/callback/"


def test_beginning_stores_nothing_but_the_count_of_its_address(offer):
    offer()
    for _ in range(5):
        Visitor().begin()
    assert not SpentState.objects.exists()
    assert Throttle.objects.get().scope == "social"


def test_beginning_is_throttled(offer, settings):
    offer()
    settings.AUTHKIT = {**settings.AUTHKIT, "LIMITS": {"social": (2, 900)}}
    visitor = Visitor()
    visitor.begin()
    visitor.begin()
    answer = visitor.post("/auth/social/house/begin/", {})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    page = visitor.client.get("/auth/social/house/login/")
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0


def test_a_client_without_cookies_brings_what_it_was_given(offer, liar):
    offer()
    begun = Visitor().begin()
    given = liar.authorize(begun["authorization_url"])
    assert Visitor().complete(given).status_code == 403
    answer = Visitor().complete({**given, "transaction": begun["transaction"]})
    assert answer.status_code == 200, answer.content


def test_a_sign_in_by_cookie_needs_a_csrf_token(offer, liar):
    offer()
    answer = Visitor().sign_in(liar, deliver="session")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not SocialAccount.objects.exists()


def test_a_sign_in_is_audited_with_its_provider(offer, liar):
    offer()
    Visitor().sign_in(liar)
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert {"social.signed_up", "social.linked", "login.succeeded"} <= kinds


def test_the_offers_name_what_is_switched_on(offer, liar):
    offer(position=2)
    offer(slug="another", name="Another")
    offer(slug="off", is_enabled=False)
    offers = Visitor().get("/auth/social/").json()["providers"]
    assert [each["slug"] for each in offers] == ["another", "house"]
    assert offers[1]["login_url"] == "/auth/social/house/login/"


def test_a_deactivated_person_does_not_get_in(offer, liar):
    offer()
    Visitor().sign_in(liar)
    get_user_model().objects.update(is_active=False)
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 401
    assert AuditEvent.objects.filter(kind="login.failed").count() == 1


def test_a_public_client_without_a_secret_signs_in(offer, liar):
    offer(secret="")
    assert Visitor().sign_in(liar).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_session_that_the_database_does_not_take_is_503_and_lets_nobody_in(offer, liar):
    offer()
    visitor = Visitor()
    visitor.client = browser().client
    with refusing("UPDATE"):
        answers = [visitor.sign_in(liar, deliver="session"), visitor.walk(liar)]
    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "5")] * 2
    assert visitor.cookie is None
    assert not UserSession.objects.exists()
    assert visitor.walk(liar).status_code == 302
