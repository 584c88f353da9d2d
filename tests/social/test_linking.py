"""To link an account, and to unlink it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from authkit.access import keyholders
from authkit.accounts import retired
from authkit.models import (
    Assignment,
    AuditEvent,
    ClaimRole,
    Role,
    Rule,
    SocialAccount,
    UserSession,
)
from authkit.social.pipeline import PIPELINE
from tests.api.callers import browser, sign_in
from tests.people import PASSWORD, make_person
from tests.social.visitor import Visitor, sent_on_to

pytestmark = pytest.mark.django_db


def signed_in(person: Any, kind: str = "token") -> Visitor:
    caller = sign_in(kind, person)
    visitor = Visitor(caller.authorization)
    visitor.client = caller.client
    return visitor


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_a_signed_in_person_links_an_account(offer, liar, person, kind):
    offer(sign_up="nobody")
    visitor = signed_in(person, kind)
    answer = visitor.sign_in(liar, link=True)
    assert answer.status_code == 200, answer.content
    assert answer.json()["account"]["provider"] == "house"
    assert SocialAccount.objects.get().user_id == person.pk
    listed = visitor.get("/auth/social/").json()["accounts"]
    assert [each["email"] for each in listed] == ["vera@example.org"]
    signed = Visitor().sign_in(liar)
    assert signed.json()["user"]["id"] == visitor.get("/auth/me/").json()["id"]


def test_a_browser_links_by_a_form_with_a_csrf_token(offer, liar, person):
    offer()
    visitor = signed_in(person, "session")
    path = "/auth/social/house/login/"
    assert visitor.client.post(path, {"link": "true"}).status_code == 403
    token = visitor.client.cookies["csrftoken"].value
    begun = visitor.client.post(path, {"link": "true", "csrfmiddlewaretoken": token})
    back = liar.authorize(sent_on_to(begun))
    answer = visitor.client.get("/auth/social/house/callback/", back)
    assert answer.status_code == 302
    assert SocialAccount.objects.get().user_id == person.pk


def test_to_begin_a_link_by_cookie_takes_a_csrf_token(offer, person):
    offer()
    visitor = signed_in(person, "session")
    answer = visitor.post("/auth/social/house/begin/", {"link": True}, csrf=False)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_a_stranger_cannot_begin_to_link(offer):
    offer()
    answer = Visitor().post("/auth/social/house/begin/", {"link": True})
    assert answer.status_code == 401


def test_a_personal_access_token_cannot_link(offer, person):
    offer()
    visitor = Visitor(sign_in("personal", person).authorization)
    answer = visitor.post("/auth/social/house/begin/", {"link": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_linking_takes_a_recent_sign_in(offer, person):
    offer()
    visitor = signed_in(person)
    UserSession.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))
    answer = visitor.post("/auth/social/house/begin/", {"link": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "recent_sign_in_required")


def test_a_link_that_one_person_began_is_not_another_persons(offer, liar, person):
    offer()
    visitor = signed_in(person)
    begun = visitor.begin(link=True)
    given = {**liar.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    for other in (signed_in(make_person("bob")), Visitor()):
        answer = other.complete(given)
        assert (answer.status_code, answer.json()["code"]) == (403, "social_wrong_person")
    assert not SocialAccount.objects.exists()


def test_an_account_of_somebody_else_cannot_be_linked(offer, liar, person):
    offer()
    Visitor().sign_in(liar)
    answer = signed_in(person).sign_in(liar, link=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "social_account_in_use")
    assert SocialAccount.objects.get().user_id != person.pk
    assert AuditEvent.objects.filter(kind="social.link_failed").exists()


def test_signing_in_links_nothing_to_who_is_signed_in(offer, liar, person):
    offer()
    signed_in(person).sign_in(liar)
    assert SocialAccount.objects.get().user_id != person.pk


def test_the_last_way_in_stays(offer, liar):
    offer()
    answer = Visitor().sign_in(liar).json()
    visitor = Visitor(f"Bearer {answer['token']}")
    path = f"/auth/social/accounts/{SocialAccount.objects.get().pk}/"
    refused = visitor.delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
    person: Any = get_user_model().objects.get()
    person.set_password(PASSWORD)
    person.save()
    visitor = signed_in(person)
    assert visitor.delete(path).status_code == 204
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(kind="social.unlinked").exists()


def test_a_password_that_was_ended_is_no_way_in(offer, liar):
    offer()
    Visitor().sign_in(liar)
    person: Any = get_user_model().objects.get()
    person.set_password(PASSWORD)
    person.password = retired.retire(person)
    person.save()
    visitor = Visitor(f"Bearer {Visitor().sign_in(liar).json()['token']}")
    refused = visitor.delete(f"/auth/social/accounts/{SocialAccount.objects.get().pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")


def test_a_provider_that_is_switched_off_is_no_way_in(offer, liar):
    row = offer()
    offer(slug="other")
    visitor = Visitor(f"Bearer {Visitor().sign_in(liar).json()['token']}")
    assert visitor.sign_in(liar, "other", link=True).status_code == 200
    first = SocialAccount.objects.get(provider="other")
    row.is_enabled = False
    row.save()
    assert visitor.delete(f"/auth/social/accounts/{first.pk}/").status_code == 409
    row.is_enabled = True
    row.save()
    assert visitor.delete(f"/auth/social/accounts/{first.pk}/").status_code == 204


def test_another_persons_account_is_not_found(offer, liar, person):
    offer()
    Visitor().sign_in(liar)
    account = SocialAccount.objects.get()
    assert signed_in(person).delete(f"/auth/social/accounts/{account.pk}/").status_code == 404


def test_the_same_subject_of_two_providers_is_two_people(offer, liar):
    offer(sign_up="anyone")
    offer(slug="other", sign_up="anyone")
    first = Visitor().sign_in(liar).json()
    liar.person["email"] = "else@example.org"
    second = Visitor().sign_in(liar, "other").json()
    assert first["user"]["id"] != second["user"]["id"]


def test_a_changed_issuer_inherits_nobody(offer, liar):
    row = offer()
    first = Visitor().sign_in(liar).json()
    row.issuer = liar.issuer = f"{liar.url}/"
    row.save()
    liar.person["email"] = "else@example.org"
    second = Visitor().sign_in(liar)
    assert second.status_code == 200, second.content
    assert second.json()["user"]["id"] != first["user"]["id"]


def test_subjects_are_told_apart_by_case(offer, liar):
    offer()
    Visitor().sign_in(liar)
    liar.subject = "SUBJECT-1"
    liar.person["email"] = "else@example.org"
    Visitor().sign_in(liar)
    assert get_user_model().objects.count() == 2


def test_unlinking_ends_the_sign_ins_that_may_have_come_by_the_account(offer, liar, person):
    offer()
    before = signed_in(person)
    UserSession.objects.update(created_at=timezone.now() - timedelta(hours=1))
    visitor = signed_in(person, "session")
    assert visitor.sign_in(liar, link=True).status_code == 200
    thief = Visitor()
    thief.authorization = f"Bearer {thief.sign_in(liar).json()['token']}"
    assert thief.get("/auth/me/").status_code == 200
    path = f"/auth/social/accounts/{SocialAccount.objects.get().pk}/"
    assert visitor.delete(path).status_code == 204
    assert thief.get("/auth/me/").status_code == 401
    assert visitor.get("/auth/me/").status_code == 200  # in which it was unlinked
    assert before.get("/auth/me/").status_code == 200  # begun before it was linked
    reasons = UserSession.objects.exclude(revoked_at=None).values_list("revoked_reason", flat=True)
    assert list(reasons) == ["unlinked"]


@pytest.mark.parametrize("deliver", ["token", "jwt", "session"])
def test_an_account_that_is_unlinked_while_it_signs_in_begins_nothing(
    offer, liar, settings, deliver
):
    offer()
    settings.SOCIAL_AUTH_PIPELINE = [*PIPELINE, "tests.social.steps.unlink_meanwhile"]
    visitor = Visitor()
    visitor.client = browser().client
    answer = visitor.sign_in(liar, deliver=deliver)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_state_not_valid")
    assert not UserSession.objects.exists()
    assert visitor.cookie is None


def test_an_account_that_is_unlinked_while_its_browser_returns_begins_nothing(
    offer, liar, settings
):
    offer()
    settings.SOCIAL_AUTH_PIPELINE = [*PIPELINE, "tests.social.steps.unlink_meanwhile"]
    visitor = Visitor()
    assert visitor.walk(liar).status_code == 403
    assert not UserSession.objects.exists()
    assert visitor.cookie is None


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_a_link_brings_roles_that_its_person_could_not_give(offer, liar, person, kind):
    row = offer()
    role = Role.objects.create(slug="editor", name="editor")
    Rule.objects.create(role=role, endpoints="api.*", actions="*")
    ClaimRole.objects.create(provider=row, claim="groups", value="e", role="editor", mode="sync")
    liar.person["groups"] = ["e"]
    visitor = signed_in(person, kind)
    answer = visitor.sign_in(liar, link=True)
    assert answer.status_code == 200, answer.content
    assert Assignment.objects.get().user_id == person.pk


def test_who_unlinks_does_not_keep_what_is_kept_in_step(offer, liar, person):
    row = offer()
    for slug, mode in (("editor", "sync"), ("author", "add")):
        role = Role.objects.create(slug=slug, name=slug)
        Rule.objects.create(role=role, endpoints="api.*", actions="*")
        ClaimRole.objects.create(provider=row, claim="groups", value=slug, role=slug, mode=mode)
    liar.person["groups"] = ["editor", "author"]
    visitor = signed_in(person)
    assert visitor.sign_in(liar, link=True).status_code == 200
    path = f"/auth/social/accounts/{SocialAccount.objects.get().pk}/"
    assert visitor.delete(path).status_code == 204
    assert list(Assignment.objects.values_list("role__slug", flat=True)) == ["author"]


def test_the_last_who_reaches_the_access_pages_does_not_unlink_that(offer, liar, person):
    row = offer()
    role = Role.objects.create(slug="keeper", name="keeper")
    for name in keyholders.PERMISSIONS:
        role.permissions.add(Permission.objects.get(codename=name.partition(".")[2]))
    ClaimRole.objects.create(provider=row, claim="groups", value="k", role="keeper", mode="sync")
    liar.person["groups"] = ["k"]
    person.is_staff = True
    person.save()
    visitor = signed_in(person)
    assert visitor.sign_in(liar, link=True).status_code == 200
    path = f"/auth/social/accounts/{SocialAccount.objects.get().pk}/"
    answer = visitor.delete(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "last_keyholder")
    assert SocialAccount.objects.exists()
    assert Assignment.objects.exists()
