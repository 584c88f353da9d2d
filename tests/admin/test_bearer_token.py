"""Administrators make, see and revoke bearer tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.timezone import get_default_timezone

from authkit import tokens
from authkit.models import AuditEvent, BearerToken, UserSession
from authkit.testing import client_for
from tests.admin.pages import act, make_staff, press, signed_in, url
from tests.people import make_person

pytestmark = pytest.mark.django_db


def ask_for_token(client: Client, person: Any, **more: str) -> Any:
    form = {
        "user": person.get_username(),
        "name": "backup",
        "scopes": "",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    return client.post(url(BearerToken, "add"), {**form, **more})


def bearer(text: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {text}"})


def test_a_new_token_is_shown_once_and_works(person, superuser):
    client = signed_in(superuser)
    response = ask_for_token(client, person)
    text = response.context["text"]
    assert response.status_code == 200
    assert response.text.count(text) == 1
    assert bearer(text).get("/auth/me/").json()["id"] in {person.pk, str(person.pk)}
    token = BearerToken.objects.get()
    for page in ("change", "history"):
        assert text not in client.get(url(BearerToken, page, token.pk)).text
    assert text not in client.get(url(BearerToken, "changelist")).text


def test_the_page_that_shows_a_token_is_kept_by_no_cache_or_cookie_or_session(person, superuser):
    client = signed_in(superuser)
    response = ask_for_token(client, person)
    assert "no-store" in response.headers["Cache-Control"]
    text = response.context["text"]
    assert text not in str(response.cookies)
    assert text not in str(dict(client.session.items()))
    assert list(response.context["messages"]) == []


def test_a_token_reaches_as_far_and_lasts_as_long_as_was_asked(person, superuser):
    scopes = "authkit.me:read\r\n\r\n  authkit.*:create,update \r\n"
    end = {"expires_at_0": "2099-01-02", "expires_at_1": "03:04:05"}
    assert ask_for_token(signed_in(superuser), person, scopes=scopes, **end).status_code == 200
    token = BearerToken.objects.get()
    assert token.scopes == ["authkit.me:read", "authkit.*:create,update"]
    assert token.expires_at == datetime(2099, 1, 2, 3, 4, 5, tzinfo=get_default_timezone())


def test_a_token_without_scopes_and_end_reaches_everywhere_for_ever(person, superuser):
    ask_for_token(signed_in(superuser), person)
    token = BearerToken.objects.get()
    assert (token.scopes, token.expires_at, token.session) == (None, None, None)


def test_who_made_it_for_whom_is_audited_and_logged(person, superuser):
    ask_for_token(signed_in(superuser), person)
    event = AuditEvent.objects.get(kind="token.created")
    assert (event.actor, event.subject) == (superuser, str(person.pk))
    assert event.data["token"] == BearerToken.objects.get().pk
    assert LogEntry.objects.get().object_id == BearerToken.objects.get().pk


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"user": "nobody"}, "Nobody has this user name"),
        ({"user": ""}, "This field is required"),
        ({"user": "x\x00"}, "Null characters are not allowed"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scopes": "api.article"}, "Line 1, character 12"),
        ({"scopes": "api.a:read\n<b>:read"}, "Line 2, character 1"),
        ({"scopes": "a:read\n" * 101}, "too many"),
        ({"expires_at_0": "2001-01-01", "expires_at_1": "00:00:00"}, "in the past"),
        ({"expires_at_0": "x", "expires_at_1": "y"}, "Enter a valid date"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_and_nothing_is_made(person, superuser, wrong, words):
    response = ask_for_token(signed_in(superuser), person, **wrong)
    assert response.status_code == 200
    assert words in response.text
    assert "<b>" not in response.text
    assert not BearerToken.objects.exists()


def test_a_deactivated_person_gets_no_token(superuser):
    gone = make_person("gone", is_active=False)
    assert "deactivated" in ask_for_token(signed_in(superuser), gone).text
    assert not BearerToken.objects.exists()


@override_settings(AUTHKIT={"PERSONAL_TOKEN_LIMIT": 1})
def test_the_limit_of_tokens_holds(person, superuser):
    client = signed_in(superuser)
    ask_for_token(client, person)
    assert "may have no more" in ask_for_token(client, person).text
    assert BearerToken.objects.count() == 1


def test_an_account_that_changes_in_between_is_told_and_nothing_is_made(
    person, superuser, monkeypatch
):
    def too_late(*_: object, **__: object) -> None:
        raise tokens.TooManyTokens

    monkeypatch.setattr(tokens, "issue_personal", too_late)
    client = signed_in(superuser)
    response = ask_for_token(client, person)
    assert response.headers["Location"] == url(BearerToken, "add")
    assert "too many access tokens" in client.get(url(BearerToken, "add")).text
    assert not LogEntry.objects.exists()


def test_the_form_suggests_an_end_and_takes_a_person_from_the_url(superuser):
    page = signed_in(superuser).get(url(BearerToken, "add"), {"user": "ada"})
    form = page.context["adminform"].form
    assert form["user"].value() == "ada"
    left = form["expires_at"].value() - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)


@pytest.mark.parametrize("door", ["button", "action"])
def test_a_revoked_token_is_dead(person, superuser, door):
    client = signed_in(superuser)
    text = ask_for_token(client, person).context["text"]
    token = BearerToken.objects.get()
    if door == "button":
        press(client, token, "revoke_tokens")
    else:
        act(client, BearerToken, "revoke_tokens", [token])
    assert bearer(text).get("/auth/me/").status_code == 401
    event = AuditEvent.objects.get(kind="token.revoked")
    assert (event.actor, event.subject) == (superuser, str(person.pk))


def test_revoking_the_token_of_a_sign_in_ends_its_session(person, superuser):
    client = client_for(person, "token")
    press(signed_in(superuser), BearerToken.objects.get(), "revoke_tokens")
    assert client.get("/auth/me/").status_code == 401
    assert UserSession.objects.get(user=person).revoked_reason == "token_revoked"


def test_the_list_tells_personal_tokens_from_those_of_sign_ins(person, superuser):
    client_for(person, "token")
    tokens.issue_personal(person, name="backup", now=timezone.now())
    client = signed_in(superuser)
    for kind, name in (("personal", "backup"), ("session", "")):
        page = client.get(url(BearerToken, "changelist"), {"kind": kind})
        assert [row.name for row in page.context["cl"].result_list] == [name]


def test_a_token_whose_session_has_ended_is_not_shown_as_live(person, superuser):
    client_for(person, "token")
    client = signed_in(superuser)
    press(client, UserSession.objects.get(user=person), "end_sessions")
    page = client.get(url(BearerToken, "change", BearerToken.objects.get().pk)).text
    assert "ended by an administrator" in page


def test_a_help_desk_makes_tokens_for_ordinary_people_and_itself(person):
    desk = make_staff()
    for somebody in (person, desk):
        assert ask_for_token(signed_in(desk), somebody).status_code == 200
    assert BearerToken.objects.count() == 2


def test_without_the_add_permission_there_is_no_form(person):
    viewer = signed_in(make_staff("viewer", "view_bearertoken"))
    assert ask_for_token(viewer, person).status_code == 403
    assert viewer.get(url(BearerToken, "add")).status_code == 403


def test_with_the_add_permission_alone_a_token_can_be_made(person):
    maker = make_staff("maker", "add_bearertoken")
    response = ask_for_token(signed_in(maker), person)
    assert response.status_code == 200
    assert f'href="{url(BearerToken, "changelist")}"' not in response.text
