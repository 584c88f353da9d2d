"""The administrator's own session: put aside, out of reach, and given back once."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.utils import timezone

from authkit import sessions
from authkit.models import AuditEvent, UserSession
from authkit.testing import client_for
from tests.impersonation.world import ON, WAY_BACK, Browser, csrf_token_in, page_of
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.urls("tests.impersonation.urls"), pytest.mark.django_db]

ENGINES = [
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.backends.cached_db",
    "django.contrib.sessions.backends.cache",
    "django.contrib.sessions.backends.signed_cookies",
]


@pytest.mark.parametrize("engine", ENGINES)
def test_it_works_wherever_django_keeps_its_sessions(ada, bob, engine):
    with override_settings(SESSION_ENGINE=engine):
        browser = Browser(ada)
        browser.get("/shop/note/")
        before = browser.cookie
        assert browser.impersonate(bob).status_code == 302
        assert (browser.who(), browser.get("/shop/basket/").text) == (str(bob.pk), "empty")
        assert browser.go_back().status_code == 302
        assert (browser.who(), browser.get("/shop/basket/").text) == (str(ada.pk), "42")
        is_in_the_cookie = engine.endswith("signed_cookies")
        assert is_in_the_cookie or browser.cookie != before


def test_the_administrator_is_themselves_again(ada, bob, as_bob):
    answer = as_bob.go_back()
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        page_of(bob).replace("impersonate/", "change/"),
    )
    assert as_bob.who() == str(ada.pk)
    assert as_bob.client.get("/auth/session/").json()["impersonator"] is None
    own = UserSession.objects.get(user=ada)
    assert own.revoked_at is None


def test_the_key_is_new_each_time_and_the_old_ones_are_dead(ada, bob, browser_of_ada):
    before = browser_of_ada.cookie
    browser_of_ada.impersonate(bob)
    during = browser_of_ada.cookie
    assert browser_of_ada.with_cookie(before).who() in {401, "None"}
    browser_of_ada.go_back()
    after = browser_of_ada.cookie
    assert len({before, during, after}) == 3
    for old in (before, during):
        assert browser_of_ada.with_cookie(old).who() in {401, "None"}
        thief = browser_of_ada.with_cookie(old)
        thief.go_back()
        assert thief.who() in {401, "None"}
    assert browser_of_ada.who() == str(ada.pk)


def test_what_a_project_keeps_in_the_session_stays_with_its_person(ada, bob, browser_of_ada):
    browser_of_ada.get("/shop/note/")
    assert browser_of_ada.get("/shop/basket/").text == "42"
    browser_of_ada.impersonate(bob)
    assert browser_of_ada.get("/shop/basket/").text == "empty"
    browser_of_ada.go_back()
    assert browser_of_ada.get("/shop/basket/").text == "42"


def test_what_is_put_aside_can_be_read_by_nobody(ada, bob, browser_of_ada):
    browser_of_ada.get("/shop/note/")
    browser_of_ada.impersonate(bob)
    parked = UserSession.objects.get(user=bob).parked
    assert "basket" not in parked
    assert parked.startswith("gAAAA")  # Fernet
    browser_of_ada.go_back()
    assert UserSession.objects.get(user=bob).parked == ""


def test_another_site_cannot_lead_back(ada, bob):
    browser = Browser(ada, csrf=True)
    token = csrf_token_in(browser.get(page_of(bob)).text)
    assert browser.impersonate(bob, csrfmiddlewaretoken=token).status_code == 302
    assert browser.go_back().status_code == 403
    assert browser.who() == str(bob.pk)
    token = csrf_token_in(browser.get("/shop/page/").text)
    assert browser.post(WAY_BACK, {"csrfmiddlewaretoken": token}).status_code == 302
    assert browser.who() == str(ada.pk)


@pytest.mark.parametrize(
    "asked",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
def test_a_script_in_a_page_of_the_person_does_not_lead_back(bob, as_bob, asked):
    assert as_bob.go_back(**asked).status_code == 403
    assert as_bob.who() == str(bob.pk)
    window = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert as_bob.go_back(**window).status_code == 302


def test_looking_at_the_way_back_leads_nowhere(bob, as_bob):
    assert "Back to my own account" in as_bob.get(WAY_BACK).text
    assert as_bob.who() == str(bob.pk)


def test_whoever_is_themselves_stays_so(bob):
    browser = Browser(bob)
    assert "You are not signed in as somebody else" in browser.get(WAY_BACK).text
    assert browser.go_back().status_code == 302
    assert browser.who() == str(bob.pk)
    stranger = Browser()
    assert stranger.get(WAY_BACK).status_code == 200
    assert stranger.go_back().status_code == 302


def test_two_who_go_back_at_once_are_one(ada, as_bob):
    """The second finds nothing to take up."""
    twin = as_bob.with_cookie(as_bob.cookie)
    assert as_bob.go_back().status_code == 302
    twin.go_back()
    assert twin.who() in {401, "None"}
    assert as_bob.who() == str(ada.pk)


SIGN_OUTS = ["/admin/logout/", "/account/sign-out/", "api"]


@pytest.mark.parametrize("door", SIGN_OUTS)
def test_signing_out_signs_the_administrator_out_as_well(browser_of_ada, door):
    browser_of_ada.impersonate(make_person("sam", is_staff=True))
    cookie = browser_of_ada.cookie
    if door == "api":
        assert browser_of_ada.client.delete("/auth/session/").status_code == 204
    else:
        assert browser_of_ada.post(door).status_code in {200, 302}
    assert browser_of_ada.who() == "None"
    assert not UserSession.objects.filter(revoked_at=None).exists()
    thief = browser_of_ada.with_cookie(cookie)
    thief.go_back()
    assert thief.who() in {401, "None"}


def test_signing_in_as_somebody_else_ends_both(ada, bob, as_bob):
    carl = make_person("carl", is_staff=True)
    as_bob.sign_in(carl)
    assert as_bob.who() == str(carl.pk)
    live = UserSession.objects.filter(revoked_at=None)
    assert [session.user_id for session in live] == [carl.pk]


def test_the_end_of_the_administrators_sign_in_ends_it_at_once(ada, bob, as_bob):
    sessions.end_all_of(
        ada.pk,
        reason="signed_out_everywhere",
        now=timezone.now(),
    )
    assert not UserSession.objects.filter(revoked_at=None).exists()


def test_whoever_was_deactivated_meanwhile_goes_back_to_nobody(ada, bob, as_bob):
    """And the browser is rid of what led there."""
    type(ada)._default_manager.filter(pk=ada.pk).update(is_active=False)
    assert as_bob.who() == 401
    assert as_bob.go_back().status_code == 302
    assert as_bob.who() == "None"
    assert not UserSession.objects.filter(user=bob, revoked_at=None).exists()


def test_the_person_sees_it_among_their_devices_and_ends_it(bob, as_bob):
    theirs = client_for(bob, "token")
    devices = {row["id"]: row for row in theirs.get("/auth/sessions/").json()}
    marked = [key for key, row in devices.items() if row["is_impersonated"]]
    assert len(marked) == 1
    assert theirs.delete(f"/auth/sessions/{marked[0]}/").status_code == 204
    assert as_bob.who() == 401


def test_both_ends_are_written_down_with_both_names(ada, bob, as_bob):
    as_bob.get("/shop/note/")
    as_bob.go_back()
    as_bob.get("/shop/note/")
    began = AuditEvent.objects.get(kind="impersonation.began")
    assert (began.actor, began.subject, began.data["why"]) == (ada, str(bob.pk), "ticket 7")
    during, after = AuditEvent.objects.filter(kind="shop.ordered").order_by("id")
    assert (during.actor, during.impersonator, during.impersonator_name) == (bob, ada, str(ada))
    assert (after.actor, after.impersonator, after.impersonator_name) == (ada, None, "")
    ended = AuditEvent.objects.get(kind="impersonation.ended")
    assert (ended.actor, ended.impersonator, ended.subject) == (ada, ada, str(bob.pk))
    assert ended.data == {"reason": "impersonation_finished"}
    assert ended.session_id == began.session_id


def test_what_is_refused_meanwhile_is_written_down_with_both_names(ada, bob, as_bob):
    as_bob.client.post("/admin/login/", {"username": bob.get_username(), "password": "a guess"})
    failed = AuditEvent.objects.get(kind="login.failed")
    assert failed.impersonator == ada


@override_settings(AUTHKIT={**ON, "IMPERSONATION_WRITES": True})
def test_no_token_is_made_from_it(bob, as_bob):
    for path in ("/auth/tokens/", "/auth/token/", "/auth/jwt/"):
        body = {"name": "mine", "username": bob.get_username(), "password": PASSWORD}
        answer = as_bob.client.post(path, body, content_type="application/json")
        assert answer.status_code == 403
        assert answer.json()["code"] == "while_impersonating"
