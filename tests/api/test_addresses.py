"""Addresses are confirmed by a key that was mailed to them, and changed by another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import override_settings

from authkit.accounts import addresses
from authkit.accounts.identify import person_named
from authkit.models import AuditEvent, LinkKey
from tests.accounts import mailbox
from tests.api.callers import KINDS, SIGN_INS, browser, sign_in, stranger
from tests.api.test_register import GOOD, HAS_USERNAMES, register
from tests.api.world import Clock
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db(transaction=True)


def verify(key: str) -> Any:
    return stranger().post("/auth/email/verify/", {"key": key})


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.json()["code"]) == (400, "key_not_valid")


def stored(person: Any) -> Any:
    return get_user_model()._default_manager.get(pk=person.pk)


def test_whoever_registers_confirms_the_address_with_a_key_that_works_once():
    register()
    key = mailbox.key_to("carol@example.com")
    carol: Any = person_named("carol@example.com")
    assert not addresses.is_verified(carol)
    assert verify(key).status_code == 204
    assert addresses.is_verified(carol)
    assert refused(verify(key))
    assert AuditEvent.objects.filter(kind="email.verified").count() == 1


def test_the_key_is_stored_as_a_digest_only():
    register()
    key = mailbox.key_to("carol@example.com")
    assert len(key) == 43
    assert key not in str(list(LinkKey.objects.values())) + str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("odd", ["", "x", "x" * 43, "x" * 200, "é" * 43, "\0", " "])
def test_what_is_no_key_is_refused(odd: str):
    register()
    assert verify(odd).status_code == 400


def test_a_key_is_short_lived(clock: Clock):
    register()
    key = mailbox.key_to("carol@example.com")
    clock.advance(days=1)
    assert refused(verify(key))


def test_a_key_dies_with_the_password_the_address_and_the_account():
    for change in ("password", "address", "account"):
        mail.outbox.clear()
        name = f"who-{change}"
        register(name, f"{name}@example.com")
        person: Any = person_named(f"{name}@example.com")
        if change == "password":
            person.set_password("something else entirely")
        elif change == "address":
            person.email = f"other-{name}@example.com"
        else:
            person.is_active = False
        person.save()
        assert refused(verify(mailbox.key_to(f"{name}@example.com"))), change


def test_a_key_is_good_for_its_purpose_only(person: AbstractUser):
    stranger().post("/auth/password/reset/", {"email": person.email})
    reset_key = mailbox.key_to(person.email)
    assert refused(verify(reset_key))
    mail.outbox.clear()
    stranger().post("/auth/email/verify/resend/", {"email": person.email})
    body = {"key": mailbox.key_to(person.email), "new_password": GOOD}
    assert refused(stranger().post("/auth/password/reset/confirm/", body))


def test_resending_tells_nothing(person: AbstractUser):
    answers = [
        stranger().post("/auth/email/verify/resend/", {"email": address})
        for address in (person.email, person.email.upper(), "nobody@example.com", "no address")
    ]
    assert {answer.status_code for answer in answers} == {204}
    assert len(mailbox.to(person.email)) == 2
    assert len(mail.outbox) == 2
    assert verify(mailbox.key_to(person.email)).status_code == 204
    stranger().post("/auth/email/verify/resend/", {"email": person.email})
    assert len(mail.outbox) == 2


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "EMAIL_VERIFICATION": "required"})
def test_where_it_is_required_nobody_signs_in_before():
    register()
    name = "carol" if HAS_USERNAMES else "carol@example.com"
    for kind in SIGN_INS:
        answer = browser().post(f"/auth/{kind}/", {"username": name, "password": GOOD})
        wrong = browser().post(f"/auth/{kind}/", {"username": name, "password": "wrong"})
        assert answer.status_code == 401
        assert answer.content == wrong.content
    verify(mailbox.key_to("carol@example.com"))
    for kind in SIGN_INS:
        body = {"username": name, "password": GOOD}
        assert browser().post(f"/auth/{kind}/", body).status_code == 200
    root = make_person("made-by-an-administrator")
    sign_in("token", root)


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "EMAIL_VERIFICATION": "off"})
def test_where_it_is_off_nobody_is_asked():
    register()
    assert mail.outbox == []


def change(caller: Any, address: str, password: str | None = PASSWORD) -> Any:
    body = {"email": address, "password": password}
    return caller.post("/auth/email/change/", body if password else {"email": address})


@pytest.mark.parametrize("kind", SIGN_INS)
def test_an_address_changes_when_the_new_one_confirms_and_the_old_one_is_told(
    kind: str, person: AbstractUser
):
    caller, old = sign_in(kind, person), person.email
    assert change(caller, "New@Example.com").status_code == 204
    assert stored(person).email == old
    assert "about to change" in mailbox.last_to(old).subject
    key = mailbox.key_to("new@example.com")
    assert verify(key).status_code == 204
    assert stored(person).email == "new@example.com"
    assert "was changed" in mailbox.last_to(old).subject
    assert addresses.is_verified(stored(person))
    assert refused(verify(key))
    assert person_named("new@example.com") == person
    assert person_named(old) is None
    assert caller.get("/auth/me/").json()["email"] == "new@example.com"


def test_it_takes_the_password_or_a_recent_sign_in(person: AbstractUser, clock: Clock):
    caller = sign_in("token", person)
    wrong = change(caller, "new@example.com", "wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_credentials")
    assert change(caller, "new@example.com", None).status_code == 204
    clock.advance(minutes=16)
    late = change(caller, "new@example.com", None)
    assert (late.status_code, late.json()["code"]) == (403, "recent_sign_in_required")
    assert change(caller, "new@example.com").status_code == 204


def test_a_personal_access_token_changes_nothing(person: AbstractUser):
    caller = sign_in("personal", person)
    for path, body in {
        "email/change/": {"email": "new@example.com", "password": PASSWORD},
        "password/change/": {"old_password": PASSWORD, "new_password": GOOD},
        "reauthenticate/": {"password": PASSWORD},
    }.items():
        answer = caller.post(f"/auth/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), path
    assert caller.delete("/auth/me/").status_code == 403
    assert mail.outbox == []


def test_an_address_that_is_somebodys_is_told_so_and_the_caller_is_not(person: AbstractUser):
    make_person("bob", email="bob@example.com")
    caller = sign_in("token", person)
    known, unknown = change(caller, "BOB@example.com"), change(caller, "new@example.com")
    assert known.status_code == unknown.status_code == 204
    assert known.content == unknown.content
    assert "already have an account" in mailbox.last_to("bob@example.com").subject


def test_an_address_that_became_somebodys_in_the_meantime_is_not_taken(person: AbstractUser):
    change(sign_in("token", person), "new@example.com")
    make_person("bob", email="new@example.com")
    assert refused(verify(mailbox.key_to("new@example.com")))
    assert stored(person).email != "new@example.com"


def test_nobody_sends_mails_to_the_whole_world(person: AbstractUser):
    """Each of these would bring a mail to somebody else, and one to the old address."""
    caller = sign_in("token", person)
    answers = [change(caller, f"stranger{number}@example.com") for number in range(7)]
    assert [answer.status_code for answer in answers] == [204] * 5 + [429] * 2
    assert int(answers[-1]["Retry-After"]) > 0
    assert len(mail.outbox) == 10
    bob = make_person("bob")
    assert change(sign_in("token", bob), "bobs@example.com").status_code == 204


def test_the_newest_of_two_changes_counts(person: AbstractUser):
    caller = sign_in("token", person)
    change(caller, "first@example.com")
    change(caller, "second@example.com")
    assert refused(verify(mailbox.key_to("first@example.com")))
    assert verify(mailbox.key_to("second@example.com")).status_code == 204


@pytest.mark.parametrize(
    "odd", ["", "x", "a@b", "a@example.com\nBcc: x@example.com", "é@example.com"]
)
def test_what_is_no_address_is_refused(odd: str, person: AbstractUser):
    answer = change(sign_in("token", person), odd)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "email"}


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_and_dead_credentials_change_nothing(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    person.is_active = False
    person.save()
    assert change(caller, "new@example.com").status_code == 401
    assert change(stranger(), "new@example.com").status_code == 401


def test_the_lifetime_of_keys_is_a_setting(clock: Clock):
    lifetime = {"REFUSAL_TIME": 0, "EMAIL_KEY_LIFETIME": timedelta(minutes=5)}
    with override_settings(AUTHKIT=lifetime):
        register()
    clock.advance(minutes=6)
    assert refused(verify(mailbox.key_to("carol@example.com")))
