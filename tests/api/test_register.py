"""``register/``: one answer whether or not the address is known, and one account of a name."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import connection
from django.test import override_settings

from authkit.accounts import addresses, invitations
from authkit.models import AuditEvent, Invitation, SignInName
from tests.accounts import mailbox
from tests.api.callers import sign_in, stranger
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = "seven rainy tuesdays"
HAS_USERNAMES = get_user_model().USERNAME_FIELD != "email"
usernames_only = pytest.mark.default_user_only


def people() -> Any:
    return get_user_model()._default_manager


def register(username: str = "carol", email: str = "carol@example.com", **more: Any) -> Any:
    body = {"username": username, "email": email, "password": GOOD, **more}
    return stranger().post("/auth/register/", body)


def test_an_account_is_made_and_can_be_used():
    answer = register()
    assert answer.status_code == 201, answer.content
    carol = people().get()
    assert carol.email == "carol@example.com"
    assert carol.check_password(GOOD)
    assert not getattr(carol, "is_staff", False)
    assert sign_in("jwt", carol, GOOD).get("/auth/me/").status_code == 200


def test_the_answer_is_the_same_for_a_known_address_and_its_owner_gets_a_mail():
    make_person("ada", email="ada@example.com")
    known, unknown = register("carol", "ada@example.com"), register("david", "david@example.com")
    assert known.status_code == unknown.status_code == 201
    assert {*known.json()} == {*unknown.json()}
    assert known.json()["detail"] == unknown.json()["detail"]
    assert {name: known[name] for name in known.headers if name != "Content-Length"} == {
        name: unknown[name] for name in unknown.headers if name != "Content-Length"
    }
    assert "already have an account" in mailbox.last_to("ada@example.com").subject
    assert "Confirm" in mailbox.last_to("david@example.com").subject
    assert people().filter(email__iexact="ada@example.com").count() == 1
    if HAS_USERNAMES:
        assert not people().filter(username="carol").exists()


@usernames_only
def test_a_user_name_asked_for_with_a_known_address_tells_nothing_afterwards():
    make_person("ada")
    register("probe1", "ada@example.com")
    register("probe2", "nobody@example.com")
    answers = [register("probe1", "x1@example.com"), register("probe2", "x2@example.com")]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


@usernames_only
@pytest.mark.parametrize(
    "name",
    ["alice", "ALICE", " Alice ", "\uff41\uff4c\uff49\uff43\uff45", "al\u0131ce", "\ufb01ne"],
)
def test_a_user_name_is_given_once_however_it_is_written(name: str):
    assert register("Alice", "alice@example.com").status_code == 201
    answer = register(name, "other@example.com")
    same = name.strip().lower() == "alice" or name == "\uff41\uff4c\uff49\uff43\uff45"
    # MariaDB's column takes the dotless i for an i, and is asked too
    same = same or (name == "al\u0131ce" and connection.vendor == "mysql")
    assert answer.status_code == (400 if same else 201)
    if same:
        assert set(answer.json()) == {"code", "username"}


@pytest.mark.parametrize(
    "address", ["ADA@EXAMPLE.COM", " ada@example.com", "\uff41\uff44\uff41@example.com"]
)
def test_an_address_is_given_once_however_it_is_written(address: str):
    assert register("ada", "Ada@Example.com").status_code == 201
    assert register("carol", address).status_code == 201
    assert people().count() == 1
    assert people().get().email == "ada@example.com"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": "a@b@example.com"}, "email"),
        ({"email": "a\u202e@example.com"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "password1"}, "password"),
        ({"password": "CarolExample1"}, "password"),
        ({"password": "carol-carol-carol"}, "password"),
        ({"password": ""}, "password"),
    ],
)
def test_what_is_wrong_is_said_by_field(given: dict[str, str], field: str):
    answer = register(**given)
    assert answer.status_code == 400, answer.content
    assert set(answer.json()) == {"code", field}
    assert answer.json()["code"] == "invalid"
    assert not people().exists()


@usernames_only
def test_all_that_is_wrong_is_said_at_once_but_not_who_there_is():
    make_person("bob")
    answer = register("a@b", email="nonsense", password="short")
    assert set(answer.json()) == {"code", "username", "email", "password"}
    answer = register("bob", email="bob@example.com", password="short")
    assert set(answer.json()) == {"code", "password"}
    answer = register("x" * 151, email="nonsense", password="password1")
    assert set(answer.json()) == {"code", "username", "email", "password"}
    assert all(len(found) == 1 for name, found in answer.json().items() if name != "code")
    answer = register("", email="nonsense", password="short")
    assert set(answer.json()) == {"code", "username", "email", "password"}


def test_a_form_may_send_the_field_for_an_invitation_empty():
    assert register(invitation="").status_code == 201
    with override_settings(AUTHKIT={"REGISTRATION": "invitation"}):
        refused = register("dora", email="dora@example.com", invitation="")
    assert (refused.status_code, refused.json()["code"]) == (403, "registration_closed")


@usernames_only
@pytest.mark.parametrize("name", ["", " ", "a@b.example", "ada lovelace", "x" * 151, "a\nb"])
def test_a_user_name_that_cannot_be_is_refused(name: str):
    answer = register(name)
    assert answer.status_code == 400
    assert "username" in answer.json()


def test_a_password_is_kept_exactly_as_typed():
    password = "  \uff46\uff55\uff4c\uff4c width and spaces  "
    assert register(password=password).status_code == 201
    person = people().get()
    assert person.check_password(password)
    assert not person.check_password(password.strip())
    assert (
        stranger()
        .post("/auth/token/", {"username": "carol@example.com", "password": password.strip()})
        .status_code
        == 401
    )
    sign_in("token", person, password)


def test_nobody_makes_themselves_more_than_they_are():
    more: dict[str, Any] = {"is_staff": True, "is_superuser": True, "is_active": False, "id": 77}
    assert register(**more).status_code == 201
    carol = people().get()
    assert carol.is_active
    assert not carol.is_staff
    assert not carol.is_superuser


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "closed"})
def test_closed_is_closed():
    answer = register()
    assert answer.status_code == 403
    assert answer.json()["code"] == "registration_closed"
    assert not people().exists()


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "invitation"})
def test_an_invitation_lets_one_person_in_with_its_address_confirmed():
    root = make_superuser()
    invitations.invite("carol@example.com", actor=root, request=None)
    [message] = mail.outbox
    key = message.body.split("key, to be given on the site:")[1].split()[0]
    assert register().status_code == 403
    assert register(invitation="x" * 43).json()["code"] == "key_not_valid"
    assert register(email="eve@example.com", invitation=key).json()["code"] == "key_not_valid"
    assert register(invitation=key, password="short").status_code == 400
    assert register(invitation=key).status_code == 201
    carol = people().get(email="carol@example.com")
    assert carol.authkit_names.get(kind="email").verified_at is not None
    assert register("other", "other@example.com", invitation=key).status_code == 400
    assert key not in str(list(Invitation.objects.values()))
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert {"invitation.created", "invitation.used", "account.registered"} <= kinds


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "invitation"})
def test_whoever_was_shown_the_link_has_not_read_the_mail():
    """An administrator who invites an address must not be taken for who reads its mail."""
    _, key = invitations.invite("carol@example.com", actor=make_superuser(), request=None)
    assert key not in mailbox.last_to("carol@example.com").body
    assert register(email="eve@example.com", invitation=key).json()["code"] == "key_not_valid"
    assert register(invitation=key).status_code == 201
    carol = people().get(email="carol@example.com")
    assert not addresses.is_verified(carol)
    assert SignInName.objects.get(user=carol, kind="email").is_due
    assert "Confirm" in mailbox.last_to("carol@example.com").subject


def test_a_database_from_before_is_known_by_address_too():
    ada = make_person("ada", email="Ada@Example.com")
    assert SignInName.objects.filter(user_id=ada.pk).count() == (2 if HAS_USERNAMES else 1)
    assert register("carol", "ada@example.com").status_code == 201
    assert people().count() == 1


def test_a_mail_that_cannot_be_sent_is_no_5xx_and_is_audited():
    failed = AuditEvent.objects.filter(kind="mail.failed")
    with mailbox.backend("tests.accounts.broken_mail.EmailBackend"):
        assert register().status_code == 201
        deadline = time.monotonic() + 10
        while not failed.exists() and time.monotonic() < deadline:  # a thread sends it
            time.sleep(0.01)
    assert people().count() == 1
    event = failed.get()
    assert event.data == {"mail": "verify_email"}


def test_mails_go_by_the_backend_of_the_settings():
    with mailbox.backend("django.core.mail.backends.locmem.EmailBackend"):
        assert register().status_code == 201
    assert len(mailbox.to("carol@example.com")) == 1


@pytest.mark.parametrize("hosts", [["*"], ["testserver"]])
def test_a_forged_host_gets_into_no_link(hosts: list[str]):
    with override_settings(ALLOWED_HOSTS=hosts):
        body = {"username": "carol", "email": "carol@example.com", "password": GOOD}
        stranger().post("/auth/register/", body, headers={"Host": "evil.example"})
    text = "".join(message.message().as_string() for message in mail.outbox)
    assert "evil.example" not in text


def test_links_lead_to_the_front_end_where_there_is_one():
    settings = {"REFUSAL_TIME": 0, "FRONTEND_URL": "https://app.example/"}
    with override_settings(AUTHKIT=settings):
        register()
    message = mailbox.last_to("carol@example.com")
    assert "https://app.example/verify/?key=" in message.body
    assert "testserver" not in message.message().as_string()
