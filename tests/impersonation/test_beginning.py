"""Who may begin to act as somebody else: never upwards, never unasked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import global_settings
from django.test import Client, override_settings
from django.utils import timezone

from authkit.models import AuditEvent, UserSession
from authkit.testing import client_for
from tests.access.writing import give as assign
from tests.access.writing import role
from tests.impersonation.world import ON, Browser, csrf_token_in, give, make_support, page_of
from tests.people import PASSWORD, make_person, make_superuser
from tests.saving.breaking import refusing

pytestmark = [pytest.mark.urls("tests.impersonation.urls"), pytest.mark.django_db]


def began() -> bool:
    return UserSession.objects.filter(impersonator_session_id__isnull=False).exists()


def assert_closed(browser: Browser, person: Any, status: int = 403) -> None:
    assert browser.get(page_of(person)).status_code == status
    assert browser.impersonate(person).status_code == status
    assert not began()
    assert not AuditEvent.objects.filter(kind="impersonation.began").exists()


def test_an_administrator_becomes_a_person(ada, bob, browser_of_ada):
    assert browser_of_ada.who() == str(ada.pk)
    assert "Sign in as" in browser_of_ada.get(page_of(bob)).text
    assert browser_of_ada.impersonate(bob).status_code == 302
    assert browser_of_ada.who() == str(bob.pk)


def test_it_leads_to_a_page_that_is_there(bob, browser_of_ada, settings):
    settings.LOGIN_REDIRECT_URL = global_settings.LOGIN_REDIRECT_URL  # where Django has no page
    assert browser_of_ada.impersonate(bob)["Location"] == "/account/"


def test_it_leads_where_a_project_says(bob, browser_of_ada, settings):
    settings.LOGIN_REDIRECT_URL = "/own/"
    assert browser_of_ada.impersonate(bob)["Location"] == "/own/"


@override_settings(AUTHKIT={"REFUSAL_TIME": 0})
def test_it_is_off_unless_switched_on(bob, browser_of_ada):
    assert_closed(browser_of_ada, bob)
    superuser = Browser(make_superuser())
    assert_closed(superuser, bob)


def test_it_takes_a_permission_of_its_own(bob):
    people = bob._meta
    staff = make_person("sam", is_staff=True)
    give(staff, f"{people.app_label}.view_{people.model_name}")
    give(staff, f"{people.app_label}.change_{people.model_name}")
    assert_closed(Browser(staff), bob)


def test_it_takes_the_permission_to_look_at_people(ada, bob):
    staff = make_person("sam", is_staff=True)
    give(staff, "authkit.impersonate_user")
    assert_closed(Browser(staff), bob)


HIGHER = ["superuser", "staff with more", "permission", "role", "a role that begins later"]


@pytest.mark.parametrize("kind", HIGHER)
def test_nobody_acts_as_somebody_who_holds_more(browser_of_ada, kind):
    person = make_superuser("root") if kind == "superuser" else make_person("carl")
    if kind == "staff with more":
        person = make_support("sue", "auth.delete_group")
    elif kind == "permission":
        give(person, "auth.delete_group")
    elif kind == "role":
        assign(person, role("clerk", "allow pay.slip:read"))
    elif kind == "a role that begins later":
        assign(
            person,
            role("clerk", "allow pay.slip:read"),
            starts_at=timezone.now() + timedelta(days=1),
        )
    assert_closed(browser_of_ada, person)


def test_nobody_acts_as_themselves(ada, browser_of_ada):
    assert_closed(browser_of_ada, ada)


def test_nobody_acts_as_who_is_deactivated(browser_of_ada):
    assert_closed(browser_of_ada, make_person("carl", is_active=False))


def test_nobody_acts_as_somebody_through_somebody_else(bob, as_bob):
    """Not even where the second one could."""
    sue = make_support("sue")
    boss = Browser(make_superuser("boss"))
    assert boss.impersonate(sue).status_code == 302
    assert boss.get(page_of(bob)).status_code == 403
    assert boss.impersonate(bob).status_code == 403
    assert boss.who() == str(sue.pk)


@pytest.mark.parametrize("kind", ["token", "jwt"])
def test_it_takes_a_session_cookie(bob, kind):
    client = client_for(make_superuser(), kind)
    assert client.post(page_of(bob), {"why": ""}).status_code == 403
    assert not began()


def test_a_personal_token_does_not_begin_it(bob):
    owner = client_for(make_superuser(), "token")
    body = {"name": "script", "password": PASSWORD}
    token = owner.post("/auth/tokens/", body, content_type="application/json").json()["token"]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    assert client.post(page_of(bob), {"why": ""}).status_code == 403
    assert not began()


@override_settings(AUTHKIT={**ON, "RECENT_SIGN_IN": 1})
def test_it_takes_the_password_when_the_last_is_too_long_ago(ada, bob, browser_of_ada):
    UserSession.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))
    assert 'type="password"' in browser_of_ada.get(page_of(bob)).text
    assert browser_of_ada.impersonate(bob).status_code == 400
    assert browser_of_ada.impersonate(bob, password="a wrong guess").status_code == 400
    assert not began()
    assert AuditEvent.objects.filter(kind="login.failed").exists()
    assert browser_of_ada.impersonate(bob, password=PASSWORD).status_code == 302
    assert browser_of_ada.who() == str(bob.pk)


def test_another_site_cannot_begin_it(ada, bob):
    browser = Browser(ada, csrf=True)
    assert browser.impersonate(bob).status_code == 403
    assert not began()
    token = csrf_token_in(browser.get(page_of(bob)).text)
    assert browser.impersonate(bob, csrfmiddlewaretoken=token).status_code == 302


def test_looking_at_the_page_begins_nothing(bob, browser_of_ada):
    browser_of_ada.get(page_of(bob))
    assert not began()


def test_the_persons_page_shows_the_way_only_where_it_is_open(bob, browser_of_ada):
    people = bob._meta
    page = page_of(bob).replace("impersonate/", "change/")
    assert page_of(bob) in browser_of_ada.get(page).text
    root = make_superuser()
    other = page_of(root)
    assert other not in browser_of_ada.get(other.replace("impersonate/", "change/")).text
    sam = make_person("sam", is_staff=True)
    give(sam, f"{people.app_label}.view_{people.model_name}")
    assert page_of(bob) not in Browser(sam).get(page).text


def test_somebody_who_is_nobody_is_not_found(browser_of_ada, bob):
    page = page_of(bob).replace(str(bob.pk), "none-such")
    assert browser_of_ada.get(page).status_code == 404


def test_the_person_has_proved_nothing_and_signed_in_nowhere(bob, as_bob):
    bob.refresh_from_db()
    assert bob.last_login is None
    assert not AuditEvent.objects.filter(kind="login.succeeded", actor=bob).exists()


@pytest.mark.django_db(transaction=True)
def test_a_session_that_cannot_be_saved_changes_nothing(ada, bob, browser_of_ada):
    with refusing("UPDATE"):
        response = browser_of_ada.impersonate(bob)
    assert response.status_code == 503
    assert browser_of_ada.who() == str(ada.pk)
    assert UserSession.objects.filter(user_id=bob.pk).count() == 0
