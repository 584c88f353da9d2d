"""What comes back counts once, for who began it, with whom and for what they began it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from authkit.models import AuditEvent, SocialAccount, SocialProvider, SpentState, UserSession
from authkit.social import transactions
from tests.api.callers import browser, sign_in
from tests.social.visitor import Visitor, query_of

pytestmark = pytest.mark.django_db


def _refused(answer: Any, code: str = "social_state_not_valid", status: int = 403) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not UserSession.objects.filter(kind="token").exists()


def test_a_replay_is_refused(offer, liar):
    offer()
    visitor = Visitor()
    begun = visitor.begin()
    given = {**liar.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    assert visitor.complete(given).status_code == 200
    UserSession.objects.all().delete()
    _refused(visitor.complete(given))
    assert SpentState.objects.count() == 1


def test_another_browser_cannot_complete(offer, liar):
    offer()
    given = liar.authorize(Visitor().begin()["authorization_url"])
    _refused(Visitor().complete(given))
    other = Visitor()
    other.begin()
    _refused(other.complete(given))


@pytest.mark.parametrize("state", ["", "x", "x" * 128, "\u2028", "é"])
def test_a_changed_state_is_refused(offer, liar, state):
    offer()
    visitor = Visitor()
    begun = visitor.begin()
    given = {**liar.authorize(begun["authorization_url"]), "state": state}
    answer = visitor.complete({**given, "transaction": begun["transaction"]})
    assert answer.status_code in {400, 403}
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("state", [None, [], ["a"], {}, 5, True])
def test_a_state_that_is_no_text_is_refused(offer, liar, state):
    offer()
    visitor = Visitor()
    begun = visitor.begin()
    given = {**liar.authorize(begun["authorization_url"]), "state": state}
    assert visitor.complete(given).status_code in {400, 403}


def test_one_provider_does_not_complete_what_another_began(offer, liar):
    offer()
    offer(slug="other")
    visitor = Visitor()
    begun = visitor.begin("house")
    given = {**liar.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    _refused(visitor.complete(given, "other"))


def test_a_provider_that_is_pointed_elsewhere_completes_nothing_begun_before(offer, liar):
    row = offer()
    visitor = Visitor()
    given = liar.authorize(visitor.begin()["authorization_url"])
    row.issuer = f"{liar.url}/other"
    row.save()
    _refused(visitor.complete(given))


def test_a_provider_that_is_switched_off_completes_nothing(offer, liar):
    row = offer()
    visitor = Visitor()
    given = liar.authorize(visitor.begin()["authorization_url"])
    SocialProvider.objects.filter(pk=row.pk).update(is_enabled=False)
    _refused(visitor.complete(given), "provider_unknown", 404)
    answer = visitor.post("/auth/social/house/begin/", {})
    _refused(answer, "provider_unknown", 404)
    assert visitor.get("/auth/social/").json()["providers"] == []


def test_after_ten_minutes_it_is_too_late(offer, liar, monkeypatch):
    offer()
    visitor = Visitor()
    given = liar.authorize(visitor.begin()["authorization_url"])
    later = time.time() + 601
    monkeypatch.setattr("time.time", lambda: later)
    _refused(visitor.complete(given))


def test_a_changed_transaction_is_refused(offer, liar):
    offer()
    visitor = Visitor()
    begun = visitor.begin()
    given = liar.authorize(begun["authorization_url"])
    sealed = begun["transaction"]
    for changed in (sealed[:-4] + "AAA=", sealed[: len(sealed) // 2], "x", "é", "a" * 9000):
        assert visitor.complete({**given, "transaction": changed}).status_code in {400, 403}


@pytest.mark.parametrize("iss", ["https://evil.example", "", None])
def test_the_issuer_of_the_callback_is_compared_before_anything_is_sent(offer, liar, iss):
    offer()
    visitor = Visitor()
    given = {**liar.authorize(visitor.begin()["authorization_url"]), "iss": iss}
    liar.asked.clear()
    answer = visitor.complete({name: value for name, value in given.items() if value is not None})
    assert answer.status_code in {400, 502}
    assert "/token" not in liar.asked


def test_saying_no_at_the_provider_changes_nothing_and_is_audited(offer, liar):
    offer()
    visitor = Visitor()
    given = liar.authorize(visitor.begin()["authorization_url"])
    del given["code"]
    given |= {"error": "access_denied", "error_description": "<script>alert(1)</script>\nforged"}
    answer = visitor.complete(given)
    _refused(answer, "social_declined")
    assert "script" not in answer.content.decode()
    event = AuditEvent.objects.get(kind="login.failed")
    assert event.data["reason"] == "authorization_declined"
    assert "\n" not in event.data["said"]
    _refused(visitor.complete(given))


def test_the_refusal_is_a_page_for_a_browser(offer, liar):
    offer()
    visitor = Visitor()
    begun = visitor.client.get("/auth/social/house/login/")
    state = query_of(begun["Location"])["state"]
    query = {"state": state, "error": "access_denied", "error_description": "<script>x</script>"}
    answer = visitor.client.get("/auth/social/house/callback/", {**query, "iss": liar.issuer})
    assert answer.status_code == 403
    assert "text/html" in answer["Content-Type"]
    assert b"<script" not in answer.content
    assert b"You cancelled" in answer.content


def test_a_parameter_that_stands_twice_is_none(offer, liar):
    offer()
    visitor = Visitor()
    begun = visitor.client.get("/auth/social/house/login/")
    back = liar.authorize(begun["Location"])
    query = f"code={back['code']}&state={back['state']}&state={back['state']}&iss={back['iss']}"
    assert visitor.client.get(f"/auth/social/house/callback/?{query}").status_code == 403


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "/" + "x" * 2000,
    ],
)
def test_next_stays_on_this_site(offer, liar, target, settings):
    offer()
    settings.LOGIN_REDIRECT_URL = "/home/"
    answer = Visitor().walk(liar, next=target)
    assert (answer.status_code, answer["Location"]) == (302, "/home/")


@pytest.mark.parametrize(
    "uri",
    ["https://evil.example/", "http://testserver/auth/social/house/callback/?x", "javascript:x"],
)
def test_a_redirect_uri_has_to_be_registered_exactly(offer, uri):
    offer(redirect_uris=["https://app.example/back", "app.example:/back"])
    answer = Visitor().post("/auth/social/house/begin/", {"redirect_uri": uri})
    assert (answer.status_code, answer.json()["code"]) == (400, "redirect_uri_not_registered")


@pytest.mark.parametrize("uri", ["https://app.example/back", "app.example:/back"])
def test_an_app_completes_with_its_own_redirect_uri(offer, liar, uri):
    offer(redirect_uris=["https://app.example/back", "app.example:/back"])
    visitor = Visitor()
    begun = visitor.begin(redirect_uri=uri)
    assert query_of(begun["authorization_url"])["redirect_uri"] == uri
    assert visitor.complete(liar.authorize(begun["authorization_url"])).status_code == 200


def test_another_site_cannot_begin_unseen(offer):
    offer()
    visitor = Visitor()
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
    ):
        answer = visitor.client.get("/auth/social/house/login/", headers=headers)
        assert answer.status_code == 200
        assert not answer.cookies
    assert b"Sign in with The house" in answer.content


def test_ten_thousand_begun_sign_ins_leave_nothing(offer, django_assert_num_queries):
    offer()
    visitor = Visitor()
    for _ in range(100):  # each of them alike: see test_beginning_stores_nothing
        visitor.client.get("/auth/social/house/login/")
    kept = [name for name, value in visitor.client.cookies.items() if value.value]
    assert len([name for name in kept if "authkit_social" in name]) <= 4
    assert not SpentState.objects.exists()
    assert not UserSession.objects.exists()


def test_spent_states_go_when_they_are_over(offer, liar):
    offer()
    Visitor().sign_in(liar)
    SpentState.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Visitor().sign_in(liar)
    assert SpentState.objects.count() == 1
    assert SpentState.objects.get().expires_at > timezone.now() + transactions.LIFETIME


def test_cookies_are_for_this_host_and_no_script(offer):
    offer()
    answer = Visitor().client.get("/auth/social/house/login/", secure=True)
    (name,) = answer.cookies
    morsel = answer.cookies[name]
    assert name.startswith("__Host-")
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Lax")
    assert (morsel["path"], morsel["domain"]) == ("/", "")


def test_a_stale_cookie_does_not_stand_in_the_way(offer, liar, person):
    offer()
    caller = sign_in("session", person)
    UserSession.objects.update(revoked_at=timezone.now())
    visitor = Visitor()
    visitor.client = caller.client
    visitor.client.get("/auth/session/")
    assert visitor.sign_in(liar, deliver="session").status_code == 200


def test_signing_in_replaces_who_was_signed_in(offer, liar, person):
    offer()
    caller = sign_in("session", person)
    visitor = Visitor()
    visitor.client = caller.client
    before = caller.cookie
    assert visitor.sign_in(liar, deliver="session").status_code == 200
    assert visitor.cookie != before
    assert SocialAccount.objects.get().user_id != person.pk
    assert get_user_model().objects.count() == 2
    assert browser() is not None
