"""A step of the project's pauses a sign-in or a link; it goes on with the same people, or not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.utils import timezone

from authkit.models import AuditEvent, PausedSignIn, SocialAccount, UserSession
from authkit.social.pipeline import PIPELINE
from tests.api.callers import browser
from tests.people import PASSWORD, make_person
from tests.social.steps import asking_after
from tests.social.test_email import resume
from tests.social.test_linking import signed_in
from tests.social.visitor import Visitor, sent_on_to

pytestmark = pytest.mark.django_db

PLACES = ["admit", "find_person", "meet_namesake", "enrol", "give_roles"]


@pytest.fixture(params=PLACES)
def place(request: Any, settings: Any) -> Any:
    settings.SOCIAL_AUTH_PIPELINE = asking_after(request.param)
    return request.param


@pytest.fixture
def asking(settings: Any) -> None:
    settings.SOCIAL_AUTH_PIPELINE = asking_after("find_person")


def _paused(visitor: Visitor, liar: Any, **body: Any) -> Any:
    paused = visitor.sign_in(liar, **body)
    assert (paused.status_code, paused.json()["code"]) == (202, "social_terms_needed")
    return paused


def test_a_link_that_waited_is_a_link_to_who_began_it(place, offer, liar, person):
    offer(sign_up="anyone")
    visitor = signed_in(person)
    answer = resume(visitor, _paused(visitor, liar, link=True))
    assert answer.status_code == 200, answer.content
    assert answer.json()["account"]["provider"] == "house"
    assert "token" not in answer.json()
    assert SocialAccount.objects.get().user_id == person.pk
    assert get_user_model().objects.count() == 1


def test_nobody_else_goes_on_with_a_link(asking, offer, liar, person):
    offer(sign_up="anyone")
    visitor = signed_in(person)
    paused = _paused(visitor, liar, link=True)
    for other in (signed_in(make_person("bob")), Visitor()):
        answer = resume(other, paused)
        assert (answer.status_code, answer.json()["code"]) == (403, "social_wrong_person")
    assert not SocialAccount.objects.exists()
    assert get_user_model().objects.count() == 2
    assert AuditEvent.objects.filter(kind="social.link_failed").count() == 2
    assert resume(visitor, paused).status_code == 200


def test_who_is_signed_out_in_the_meantime_links_nothing(asking, offer, liar, person):
    offer(sign_up="anyone")
    for kind in ("token", "session", "jwt"):
        visitor = signed_in(person, kind)
        paused = _paused(visitor, liar, link=True)
        UserSession.objects.update(revoked_at=timezone.now())
        assert resume(visitor, paused).status_code in {401, 403}
        assert not SocialAccount.objects.exists()


def test_a_link_is_not_gone_on_with_by_another_sign_in_of_the_same_person(
    asking, offer, liar, person
):
    offer(sign_up="anyone")
    paused = _paused(signed_in(person), liar, link=True)
    again = signed_in(person)
    answer = resume(again, paused)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_wrong_person")
    assert not SocialAccount.objects.exists()


def test_a_sign_in_that_waited_finds_the_same_person(place, offer, liar):
    offer(sign_up="anyone")
    visitor = Visitor()
    first = resume(visitor, _paused(visitor, liar))
    assert first.status_code == 200, first.content
    assert first.json()["is_new"] is True
    SocialAccount.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    again = resume(visitor, _paused(visitor, liar))
    assert again.status_code == 200, again.content
    assert again.json()["user"]["id"] == first.json()["user"]["id"]
    assert again.json()["is_new"] is False
    assert get_user_model().objects.count() == 1
    assert SocialAccount.objects.get().last_used_at > timezone.now() - timedelta(hours=1)
    assert not PausedSignIn.objects.exists()


def test_who_is_known_goes_on_where_nobody_signs_up(asking, offer, liar):
    row = offer(sign_up="anyone")
    visitor = Visitor()
    resume(visitor, _paused(visitor, liar))
    row.sign_up = "nobody"
    row.save()
    assert resume(visitor, _paused(visitor, liar)).status_code == 200


def test_a_proof_is_not_forgotten_by_a_later_pause(settings, offer, liar):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("meet_namesake")
    offer()
    namesake = make_person("vera", email="vera@example.org")
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    assert paused.json()["code"] == "social_link_needed"
    paused = resume(visitor, paused, password=PASSWORD)
    assert paused.json()["code"] == "social_terms_needed"
    answer = resume(visitor, paused)
    assert answer.status_code == 200, answer.content
    assert SocialAccount.objects.get().user_id == namesake.pk


def test_a_proof_is_worth_nothing_when_the_password_has_changed(settings, offer, liar):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("meet_namesake")
    offer()
    namesake: Any = make_person("vera", email="vera@example.org")
    visitor = Visitor()
    paused = resume(visitor, visitor.sign_in(liar), password=PASSWORD)
    namesake.set_password("another password of hers")
    namesake.save()
    answer = resume(visitor, paused)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_state_not_valid")
    assert not SocialAccount.objects.exists()


def test_an_account_that_is_unlinked_in_the_meantime_is_not_linked_again(asking, offer, liar):
    offer(sign_up="anyone")
    visitor = Visitor()
    resume(visitor, _paused(visitor, liar))
    paused = _paused(visitor, liar)
    SocialAccount.objects.all().delete()
    answer = resume(visitor, paused)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_state_not_valid")
    assert not SocialAccount.objects.exists()


def test_who_is_deactivated_in_the_meantime_does_not_get_in(asking, offer, liar):
    offer(sign_up="anyone")
    visitor = Visitor()
    resume(visitor, _paused(visitor, liar))
    paused = _paused(visitor, liar)
    get_user_model().objects.update(is_active=False)
    assert resume(visitor, paused).status_code == 401


def test_a_provider_that_changes_in_the_meantime_ends_the_waiting(asking, offer, liar):
    row = offer(sign_up="anyone")
    visitor = Visitor()
    paused = _paused(visitor, liar)
    row.is_enabled = False
    row.save()
    assert resume(visitor, paused).status_code == 404
    row.is_enabled, row.issuer = True, f"{liar.url}/other"
    row.save()
    assert resume(visitor, paused).status_code == 403
    assert not SocialAccount.objects.exists()


def test_a_browser_goes_on_with_a_link(asking, offer, liar, person):
    offer()
    visitor = signed_in(person, "session")
    client = visitor.client
    token = client.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token}
    begun = client.post(
        "/auth/social/house/login/", {**form, "link": "true", "next": "/auth/social/"}
    )
    back = liar.authorize(sent_on_to(begun))
    answer = client.get("/auth/social/house/callback/", back)
    assert (answer.status_code, answer["Location"]) == (302, "/auth/social/house/continue/")
    thief = browser()
    thief.client.cookies["authkit_pause"] = client.cookies["authkit_pause"].value
    thief_form = {"csrfmiddlewaretoken": thief.client.cookies["csrftoken"].value}
    refused = thief.client.post(answer["Location"], thief_form)
    assert refused.status_code == 403
    assert b"You are not signed in as the person who began this" in refused.content
    assert not SocialAccount.objects.exists()
    assert b"Do you agree?" in client.get(answer["Location"]).content
    answer = client.post(answer["Location"], form)
    assert (answer.status_code, answer["Location"]) == (302, "/auth/social/")
    assert SocialAccount.objects.get().user_id == person.pk


def test_a_step_of_the_projects_gets_the_answer_that_it_asks_for(settings, offer, liar):
    settings.SOCIAL_AUTH_PIPELINE = [*PIPELINE[:4], "tests.social.steps.ask_for_number"]
    settings.SOCIAL_AUTH_PIPELINE += PIPELINE[4:]
    offer()
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    assert paused.json()["asks"] == "Customer's number"
    paused = resume(visitor, paused, answer="4712")
    assert paused.json()["code"] == "social_number_needed"
    assert resume(visitor, paused, answer="x" * 1001).status_code == 400
    assert resume(visitor, paused, answer="4711").status_code == 200
    visitor.client = browser().client
    path = visitor.walk(liar)["Location"]
    assert 'for="answer">Customer&#x27;s number</label>' in visitor.client.get(path).text
    form = {"csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value, "answer": "4711"}
    assert visitor.client.post(path, form)["Location"] != path
    assert visitor.cookie


@pytest.mark.django_db(transaction=True)  # a mail goes when it is committed
def test_the_code_of_one_step_proves_nothing_to_the_next(settings, offer, liar):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("ask_for_email", "ask_for_code")
    offer(sign_up="anyone", needs_email=True)
    liar.person["email"] = None
    visitor = Visitor()
    paused = resume(visitor, visitor.sign_in(liar), email="vera@example.net")
    (code,) = re.findall(r"\b[A-Z0-9]{8}\b", str(mail.outbox[0].body))
    paused = resume(visitor, paused, code=code)
    assert (paused.status_code, paused.json()["code"]) == (202, "social_phone_code_needed")
    assert not SocialAccount.objects.exists()
    assert resume(visitor, paused, code="PH0NE").json()["user"]["email"] == "vera@example.net"


def test_a_code_of_the_projects_is_not_taken_for_that_of_an_address(settings, offer, liar):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("find_person", "ask_for_code")
    offer(sign_up="anyone", needs_email=True)
    liar.person["email"] = None
    visitor = Visitor()
    paused = resume(visitor, visitor.sign_in(liar), code="PH0NE")
    assert (paused.status_code, paused.json()["code"]) == (202, "social_email_needed")


def test_a_pause_that_cannot_be_read_any_more_is_over(asking, offer, liar):
    """SECRET_KEY has been changed in the meantime."""
    offer(sign_up="anyone")
    visitor = Visitor()
    paused, page = visitor.sign_in(liar), visitor.walk(liar)["Location"]
    PausedSignIn.objects.update(sealed="sealed under another key")
    assert resume(visitor, paused).status_code == 403
    assert visitor.client.get(page).status_code == 403
