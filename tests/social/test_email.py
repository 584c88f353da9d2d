"""An address finds nobody, and opens nothing without proof."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail

from authkit.accounts import addresses, hashing, names
from authkit.models import PausedSignIn, SocialAccount, UserSession
from tests.accounts import mailbox
from tests.api.callers import browser
from tests.people import PASSWORD, make_person
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db


def resume(visitor: Visitor, paused: Any, deliver: str = "token", **answers: Any) -> Any:
    body = {"pause": paused.json()["pause"], "deliver": deliver, **answers}
    return visitor.post("/auth/social/house/resume/", body)


@pytest.fixture
def namesake() -> Any:
    return make_person("vera", email="vera@example.org")


def test_an_address_that_is_known_is_offered_for_linking_and_asks_for_proof(offer, liar, namesake):
    offer()
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    assert (paused.status_code, paused.json()["code"]) == (202, "social_link_needed")
    wrong = resume(visitor, paused, password="wrong")
    assert wrong.status_code == 401
    assert not SocialAccount.objects.exists()
    answer = resume(visitor, paused, password=PASSWORD)
    assert answer.status_code == 200, answer.content
    assert SocialAccount.objects.get().user_id == namesake.pk
    again = Visitor().sign_in(liar)
    assert again.json()["user"]["id"] == answer.json()["user"]["id"]
    assert not PausedSignIn.objects.exists()


def test_proof_of_another_account_is_none(offer, liar, namesake):
    offer()
    other = make_person("mallory")
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    answer = resume(visitor, paused, username=other.get_username(), password=PASSWORD)
    assert answer.status_code == 401
    assert not SocialAccount.objects.exists()
    assert not UserSession.objects.exists()


def test_an_account_that_somebody_registered_beforehand_is_no_trap(offer, liar, namesake):
    offer()
    visitor = Visitor()
    answer = resume(visitor, visitor.sign_in(liar), new_account=True)
    if get_user_model().USERNAME_FIELD == "email":
        assert (answer.status_code, answer.json()["code"]) == (409, "social_email_in_use")
        return
    assert answer.status_code == 200, answer.content
    person = SocialAccount.objects.get().user
    assert person.pk != namesake.pk
    assert answer.json()["user"]["email"] == "vera@example.org"
    assert addresses.is_verified(person)
    assert not addresses.is_verified(namesake)


def test_an_address_that_somebody_has_proved_stays_theirs(offer, liar, namesake):
    offer()
    assert names.take(namesake, namesake.email)
    visitor = Visitor()
    answer = resume(visitor, visitor.sign_in(liar), new_account=True)
    if get_user_model().USERNAME_FIELD == "email":
        assert (answer.status_code, answer.json()["code"]) == (409, "social_email_in_use")
        return
    assert answer.json()["user"]["email"] == ""
    assert addresses.is_verified(namesake)


def test_an_address_that_the_provider_vouches_for_is_proved_here_as_well(offer, liar):
    offer()
    Visitor().sign_in(liar)
    assert addresses.is_verified(SocialAccount.objects.get().user)


def test_guesses_are_counted(offer, liar, namesake):
    offer()
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    for _ in range(5):
        assert resume(visitor, paused, password="wrong").status_code == 401
    assert resume(visitor, paused, password=PASSWORD).status_code == 429  # as at every door
    assert resume(visitor, paused, password=PASSWORD).status_code == 403  # six answers a pause
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("pause", ["", "x", "x" * 43])
def test_a_pause_that_nobody_made_is_refused(offer, pause):
    offer()
    answer = Visitor().post("/auth/social/house/resume/", {"pause": pause, "password": PASSWORD})
    assert answer.status_code in {400, 403}


def test_a_pause_of_one_provider_is_not_another_ones(offer, liar, namesake):
    offer()
    offer(slug="other")
    visitor = Visitor()
    body = {"pause": visitor.sign_in(liar).json()["pause"], "password": PASSWORD}
    assert visitor.post("/auth/social/other/resume/", body).status_code == 403


@pytest.mark.django_db(transaction=True)  # a mail goes when it is committed
def test_a_missing_address_is_asked_for_and_proved_by_mail(offer, liar):
    offer(needs_email=True, sign_up="anyone")
    liar.person["email"] = None
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    assert paused.json()["code"] == "social_email_needed"
    paused = resume(visitor, paused, email="no address")
    assert paused.json()["code"] == "social_email_needed"
    paused = resume(visitor, paused, email="vera@example.net")
    assert paused.json()["code"] == "social_email_code_needed"
    (letter,) = mail.outbox
    assert letter.to == ["vera@example.net"]
    found = re.search(r"\b[A-Z0-9]{8}\b", str(letter.body))
    assert found
    paused = resume(visitor, paused, code="AAAAAAAA")
    assert paused.json()["code"] == "social_email_code_needed"
    answer = resume(visitor, paused, code=found[0].lower())
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["email"] == "vera@example.net"


def test_a_mail_server_that_is_down_is_no_traceback(
    offer, liar, django_capture_on_commit_callbacks
):
    """It is asked when everything is done; what is told of a failure is in test_register."""
    offer(needs_email=True, sign_up="anyone")
    liar.person["email"] = None
    visitor = Visitor()
    visitor.client.raise_request_exception = False
    broken = mailbox.backend("tests.accounts.broken_mail.EmailBackend")
    with broken, django_capture_on_commit_callbacks() as afterwards:
        paused = resume(visitor, visitor.sign_in(liar), email="vera@example.net")
    assert (paused.status_code, paused.json()["code"]) == (202, "social_email_code_needed")
    assert afterwards


@pytest.mark.django_db(transaction=True)  # a mail goes when it is committed
def test_the_mail_with_a_code_is_like_every_other(offer, liar):
    """In text and HTML, from templates, and in the words of its reader."""
    offer(needs_email=True, sign_up="anyone")
    liar.person["email"] = None
    visitor = Visitor()
    resume(visitor, visitor.sign_in(liar), email="vera@example.net")
    letter: Any = mail.outbox[0]
    ((html, kind),) = letter.alternatives
    assert kind == "text/html"
    (code,) = re.findall(r"\b[A-Z0-9]{8}\b", str(letter.body))
    assert code in html
    assert "testserver" in str(letter.body)
    assert code not in letter.subject


def test_codes_cannot_be_guessed_for_ever(offer, liar):
    offer(needs_email=True, sign_up="anyone")
    liar.person["email"] = None
    visitor = Visitor()
    paused = resume(visitor, visitor.sign_in(liar), email="vera@example.net")
    statuses = []
    for _ in range(10):
        answer = resume(visitor, paused, code="AAAAAAAA")
        statuses.append(answer.status_code)
        paused = answer if answer.status_code == 202 else paused
    assert statuses.count(202) <= 6
    assert statuses[-1] == 403


@pytest.mark.django_db(transaction=True)  # a mail goes when it is committed
def test_an_address_that_is_asked_for_and_known_here_needs_proof_as_well(offer, liar, namesake):
    offer(needs_email=True, sign_up="anyone")
    liar.person["email"] = None
    visitor = Visitor()
    paused = resume(visitor, visitor.sign_in(liar), email=namesake.email)
    code = re.search(r"\b[A-Z0-9]{8}\b", str(mail.outbox[0].body))
    assert code
    paused = resume(visitor, paused, code=code[0])
    assert paused.json()["code"] == "social_link_needed"
    assert resume(visitor, paused, password=PASSWORD).status_code == 200
    assert SocialAccount.objects.get().user_id == namesake.pk


def test_an_unverified_address_signs_nobody_up_where_a_verified_one_is_wanted(offer, liar):
    offer(sign_up="verified")
    liar.person["email_verified"] = False
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "social_sign_up_closed")


@pytest.mark.parametrize("value", ["true", 1, "1", None, [True]])
def test_verified_means_true_and_nothing_like_it(offer, liar, value):
    offer(sign_up="verified")
    liar.person["email_verified"] = value
    assert Visitor().sign_in(liar).status_code in {202, 403}


def test_nobody_signs_up_where_that_is_closed(offer, liar):
    offer(sign_up="nobody")
    answer = Visitor().sign_in(liar)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_sign_up_closed")
    assert not get_user_model().objects.exists()


def test_only_addresses_of_the_domain_get_in(offer, liar):
    offer(email_domains=["Example.org"])
    assert Visitor().sign_in(liar).status_code == 200
    for address in ("a@example.com", "a@sub.example.org", "a@example.org.evil.example"):
        liar.person["email"] = address
        answer = Visitor().sign_in(liar)
        assert (answer.status_code, answer.json()["code"]) == (403, "social_not_admitted")
    liar.person |= {"email": "b@example.org", "email_verified": False}
    assert Visitor().sign_in(liar).status_code == 403


def test_only_members_of_the_organisation_get_in(offer, liar):
    offer(organisations=["staff"])
    assert Visitor().sign_in(liar).json()["code"] == "social_not_admitted"
    liar.person["groups"] = ["guests", "staff"]
    assert Visitor().sign_in(liar).status_code == 200


def test_a_browser_is_asked_on_a_page(offer, liar, namesake):
    offer()
    visitor = Visitor()
    visitor.client = browser().client
    answer = visitor.walk(liar, next="/there/")
    assert (answer.status_code, answer["Location"]) == (302, "/auth/social/house/continue/")
    page = visitor.client.get(answer["Location"])
    assert b'name="password"' in page.content
    token = visitor.client.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token, "password": "wrong"}
    page = visitor.client.post(answer["Location"], form)
    assert (page.status_code, b"No active account" in page.content) == (200, True)
    answer = visitor.client.post(answer["Location"], {**form, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/there/")
    assert SocialAccount.objects.get().user_id == namesake.pk


def test_a_busy_moment_is_503_and_costs_no_answer(offer, liar, namesake, settings, monkeypatch):
    """As at every form; six answers are all that a pause takes."""
    settings.AUTHKIT = {**settings.AUTHKIT, "PASSWORD_HASHING_SLOTS": 1, "REFUSAL_TIME": 0}
    monkeypatch.setattr(hashing, "PATIENCE", 0.01)
    offer()
    visitor = Visitor()
    visitor.client = browser().client
    path = visitor.walk(liar)["Location"]
    form = {
        "csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value,
        "password": PASSWORD,
    }
    slots = hashing._slots(1)
    assert slots.acquire(timeout=1)
    try:
        answers = [visitor.client.post(path, form) for _ in range(7)]
    finally:
        slots.release()
    assert {(each.status_code, each["Retry-After"]) for each in answers} == {(503, "5")}
    assert "text/html" in answers[0]["Content-Type"]
    assert visitor.client.post(path, form).status_code == 302
    assert SocialAccount.objects.get().user_id == namesake.pk
