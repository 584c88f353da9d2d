"""Passwords are changed by who knows them, and reset by who reads the mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import override_settings

from authkit.models import AuditEvent, UserSession
from tests.accounts import mailbox
from tests.api.callers import KINDS, SIGN_INS, browser, sign_in, stranger, with_cookie
from tests.api.test_addresses import refused, stored
from tests.api.test_register import GOOD
from tests.api.world import Clock
from tests.people import PASSWORD, make_person, make_superuser

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db(transaction=True)


def ask(address: str) -> Any:
    return stranger().post("/auth/password/reset/", {"email": address})


def confirm(key: str, password: str = GOOD, caller: Any = None) -> Any:
    body = {"key": key, "new_password": password}
    return (caller or stranger()).post("/auth/password/reset/confirm/", body)


def change(caller: Any, old: str = PASSWORD, new: str = GOOD) -> Any:
    return caller.post("/auth/password/change/", {"old_password": old, "new_password": new})


def close(caller: Any, password: str = PASSWORD) -> Any:
    return caller.call("DELETE", "/auth/me/", {"password": password})


@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_changed_password_ends_every_session_but_this_one(kind: str, person: AbstractUser):
    others = [sign_in(other, person) for other in KINDS]
    caller = sign_in(kind, person)
    old_cookie = caller.cookie
    assert change(caller).status_code == 204
    assert caller.get("/auth/me/").status_code == 200
    assert [other.get("/auth/me/").status_code for other in others] == [401] * 4
    assert stored(person).check_password(GOOD)
    if kind == "session":
        assert caller.cookie != old_cookie
        assert with_cookie(old_cookie).get("/auth/me/").status_code == 401
    if kind == "jwt":
        assert stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh}).status_code == 200
    assert "was changed" in mailbox.last_to(person.email).subject
    assert AuditEvent.objects.filter(kind="password.changed").count() == 1


def test_a_wrong_old_password_or_a_bad_new_one_changes_nothing(person: AbstractUser):
    caller = sign_in("token", person)
    wrong = change(caller, old="wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_credentials")
    for bad in ("short", "x" * 129, "password1", "iloveyou!", ""):
        answer = change(caller, new=bad)
        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "new_password"}
    assert stored(person).check_password(PASSWORD)
    assert caller.get("/auth/me/").status_code == 200


def test_a_reset_is_answered_alike_for_everybody(person: AbstractUser):
    make_person("inactive", is_active=False)
    make_person("social", password=None)
    names = (person.email, person.email.upper(), "inactive@example.com", "social@example.com")
    answers = [ask(address) for address in (*names, "nobody@example.com", "no address", "\u00e9@x")]
    assert {answer.status_code for answer in answers} == {204}
    assert len({answer.content for answer in answers}) == 1
    assert [message.to for message in mail.outbox] == [[person.email], [person.email]]


def test_a_reset_ends_every_session_signs_nobody_in_and_works_once(person: AbstractUser):
    callers = [sign_in(kind, person) for kind in KINDS]
    ask(person.email)
    key = mailbox.key_to(person.email)
    answer = confirm(key)
    assert answer.status_code == 204
    assert settings.SESSION_COOKIE_NAME not in answer.cookies
    assert [caller.get("/auth/me/").status_code for caller in callers] == [401] * 4
    assert not UserSession.objects.filter(revoked_at=None).exists()
    assert refused(confirm(key, "another one altogether"))
    sign_in("jwt", person, GOOD)


def test_who_resets_in_the_browser_in_which_they_are_signed_in_is_signed_out(person: AbstractUser):
    caller = sign_in("session", person)
    ask(person.email)
    assert confirm(mailbox.key_to(person.email), caller=caller).status_code == 204
    assert caller.get("/auth/me/").status_code == 401


def test_a_bad_password_does_not_use_the_key_up(person: AbstractUser):
    ask(person.email)
    key = mailbox.key_to(person.email)
    answer = confirm(key, "12345678")
    assert answer.status_code == 400
    assert "new_password" in answer.json()
    assert confirm(key).status_code == 204


def test_a_reset_key_dies_with_time_password_and_address(person: AbstractUser, clock: Clock):
    ask(person.email)
    first = mailbox.key_to(person.email)
    clock.advance(hours=1)
    assert refused(confirm(first))
    ask(person.email)
    second = mailbox.key_to(person.email)
    change(sign_in("token", person))
    assert refused(confirm(second))
    ask(person.email)
    third, person_now = mailbox.key_to(person.email), stored(person)
    person_now.email = "elsewhere@example.com"
    person_now.save()
    assert refused(confirm(third))


def test_a_reset_goes_to_the_address_of_the_account_and_not_to_what_was_typed():
    make_person("mike", email="Mike@Example.org")
    for typed in ("MIKE@EXAMPLE.ORG", "\uff4dike@example.org", "mi\u212ae@example.org"):
        ask(typed)
    ask("m\u0131ke@example.org")
    assert {tuple(message.to) for message in mail.outbox} == {
        (get_user_model()._default_manager.get().email,)
    }
    assert len(mail.outbox) == 3


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "testserver:80@evil"])
def test_a_forged_host_is_refused_or_left_out(host: str, person: AbstractUser):
    for hosts in (["testserver"], ["*"]):
        with override_settings(ALLOWED_HOSTS=hosts):
            stranger().post(
                "/auth/password/reset/", {"email": person.email}, headers={"Host": host}
            )
    assert "evil" not in "".join(m.message().as_string() for m in mail.outbox)


@pytest.mark.parametrize("kind", SIGN_INS)
def test_giving_the_password_again_makes_the_sign_in_a_recent_one(
    kind: str, person: AbstractUser, clock: Clock
):
    caller = sign_in(kind, person)
    clock.advance(minutes=16)
    if kind == "jwt":
        body = {"refresh": caller.refresh}
        caller.answer |= stranger().post("/auth/jwt/refresh/", body).json()
        caller.authorization = f"Bearer {caller.access}"
    new = {"name": "a script"}
    refusal = caller.post("/auth/tokens/", new)
    assert (refusal.status_code, refusal.json()["code"]) == (403, "recent_sign_in_required")
    wrong = caller.post("/auth/reauthenticate/", {"password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_credentials")
    answer = caller.post("/auth/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == (200 if kind == "jwt" else 204)
    if kind == "jwt":
        old_refresh = caller.refresh
        caller.authorization = f"Bearer {answer.json()['access']}"
        assert answer.json()["refresh"] != old_refresh
    assert caller.post("/auth/tokens/", new).status_code == 201
    assert AuditEvent.objects.filter(kind="login.renewed").count() == 1


def test_a_token_can_be_made_with_the_password_in_the_body(person: AbstractUser, clock: Clock):
    caller = sign_in("token", person)
    clock.advance(minutes=16)
    body = {"name": "a script", "password": "wrong"}
    assert caller.post("/auth/tokens/", body).status_code == 400
    assert caller.post("/auth/tokens/", {**body, "password": PASSWORD}).status_code == 201


@pytest.mark.parametrize("kind", SIGN_INS)
def test_an_account_can_be_closed_by_its_owner(kind: str, person: AbstractUser):
    caller, other = sign_in(kind, person), sign_in("token", person)
    assert close(caller).status_code == 204
    assert not stored(person).is_active
    for one in (caller, other):
        assert one.get("/auth/me/").status_code == 401
    assert (
        browser()
        .post("/auth/token/", {"username": person.get_username(), "password": PASSWORD})
        .status_code
        == 401
    )
    assert "closed" in mailbox.last_to(person.email).subject


def test_what_a_closed_account_had_does_not_come_back_with_it(person: AbstractUser):
    caller, script = sign_in("token", person), sign_in("personal", person)
    stranger().post("/auth/password/reset/", {"email": person.email})
    key = mailbox.key_to(person.email)
    assert close(caller).status_code == 204
    opened = stored(person)
    opened.is_active = True
    opened.save()
    for one in (caller, script):
        assert one.get("/auth/me/").status_code == 401
    again = stranger().post("/auth/password/reset/confirm/", {"key": key, "new_password": GOOD})
    assert again.json()["code"] == "key_not_valid"


def test_closing_takes_the_password_of_everybody_who_has_one(person: AbstractUser):
    caller = sign_in("token", person)
    answer = caller.delete("/auth/me/")
    assert (answer.status_code, answer.json()["code"]) == (403, "recent_sign_in_required")
    assert close(caller, "wrong").status_code == 400
    assert stored(person).is_active
    person.set_unusable_password()
    person.save()
    with override_settings(AUTHENTICATION_BACKENDS=["tests.api.lenient.Backend"]):
        assert sign_in("token", person).delete("/auth/me/").status_code == 204


def test_the_last_superuser_stays():
    root, other = make_superuser(), make_superuser("second")
    assert close(sign_in("token", other)).status_code == 204
    answer = close(sign_in("token", root))
    assert (answer.status_code, answer.json()["code"]) == (403, "last_superuser")
    assert stored(root).is_active
