"""Who gets in at ``session/``, ``token/`` and ``jwt/``, and that refusals do not differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model, user_logged_in, user_logged_out, user_login_failed
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.exceptions import PermissionDenied
from django.test import override_settings

from authkit import signals
from authkit.models import AuditEvent, UserSession
from tests.api.callers import SIGN_INS, browser, personal, sign_in, stranger, who
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)


def knock(kind: str, **body: Any) -> Any:
    caller = browser() if kind == "session" else stranger()
    return caller.post(f"/auth/{kind}/", body)


def people() -> Any:
    return get_user_model()._default_manager


# Names


@pytest.mark.parametrize("kind", SIGN_INS)
def test_people_sign_in_with_user_name_or_address_in_either_field(kind: str, person: AbstractUser):
    names = {person.get_username(), person.email, person.email.upper(), f" {person.email} "}
    for name in names:
        for field in ("username", "email"):
            response = knock(kind, **{field: name, "password": PASSWORD})
            assert response.status_code == 200, (field, name)
            assert str(response.json()["user"]["id"]) == str(person.pk)


@pytest.mark.parametrize("kind", SIGN_INS)
def test_two_accounts_that_share_an_address_are_nobody(kind: str, person: AbstractUser):
    if person._meta.get_field("email").unique:
        return
    twin = make_person("twin", "the other passphrase", email=person.email.title())
    for password in (PASSWORD, "the other passphrase"):
        assert knock(kind, email=person.email, password=password).status_code == 401
        assert knock(kind, username=person.email, password=password).status_code == 401
    assert (
        knock(kind, username=twin.get_username(), password="the other passphrase").status_code
        == 200
    )


@pytest.mark.parametrize("kind", SIGN_INS)
def test_an_address_taken_as_user_name_signs_in_as_who_bears_that_name(
    kind: str, person: AbstractUser
):
    """Whoever calls themselves by somebody's address gets nothing of that somebody."""
    if type(person).USERNAME_FIELD == "email":
        return
    mallory = make_person(person.email, "mallory's own", email="m@example.com")
    assert knock(kind, username=person.email, password=PASSWORD).status_code == 401
    response = knock(kind, username=person.email, password="mallory's own")
    assert str(response.json()["user"]["id"]) == str(mallory.pk)


# Refusals


def refused_bodies(person: AbstractUser) -> list[dict[str, str]]:
    make_person("inactive", is_active=False)
    make_person("unusable", None)
    blank, strange = make_person("blank"), make_person("strange")
    people().filter(pk=blank.pk).update(password="")
    people().filter(pk=strange.pk).update(password="md5$$f1d3ff8443297732862df21dc4e57262")
    name = person.get_username()
    at = "@example.com"
    return [
        {"username": "nobody", "password": PASSWORD},
        {"username": "nobody@example.com", "password": PASSWORD},
        {"username": name, "password": "wrong"},
        {"username": name, "password": f"{PASSWORD} "},
        {"username": name, "password": f" {PASSWORD}"},
        {"username": name, "password": PASSWORD.upper()},
        {"username": name, "password": PASSWORD[:-1]},
        {"username": name, "password": f"{PASSWORD}é"},
        {"username": name, "password": person.password},
        {"username": name, "password": " "},
        {"username": f"inactive{at}", "password": PASSWORD},
        {"username": f"unusable{at}", "password": PASSWORD},
        {"username": f"unusable{at}", "password": "!"},
        {"username": f"blank{at}", "password": " "},
        {"username": f"strange{at}", "password": PASSWORD},
        {"username": "' OR 1=1 --", "password": PASSWORD},
        {"username": "%", "password": PASSWORD},
        {"username": "a" * 254, "password": PASSWORD},
        {"username": "🦊", "password": PASSWORD},
        {"username": "\u202eada", "password": PASSWORD},
        {"username": "ada\r\nroot", "password": PASSWORD},
    ]


@pytest.mark.parametrize("kind", SIGN_INS)
@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "LOGIN_FAILURE_LIMIT": 100})
def test_unknown_wrong_inactive_and_unusable_look_alike(kind: str, person: AbstractUser):
    answers = set()
    for body in refused_bodies(person):
        response = knock(kind, **body)
        headers = sorted(
            (name, value) for name, value in response.headers.items() if name != "Set-Cookie"
        )
        answers.add((response.status_code, response.content, str(headers)))
    assert len(answers) == 1, answers
    [(status, content, headers_text)] = answers
    assert status == 401
    assert b'"code":"invalid_credentials"' in content
    assert "WWW-Authenticate" in headers_text
    assert "error=" not in headers_text  # no credential in RFC 6750's sense was presented
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_password_is_taken_as_it_is_to_the_last_octet(kind: str):
    for number, password in enumerate(
        (
            " leading and trailing ",
            "\ttab",
            "é" * 60,
            "🦊🦊🦊🦊🦊🦊🦊🦊",
            "a" * 1024,
            "nul-free\x01",
        )
    ):
        person = make_person(f"person{number}", password)
        assert knock(kind, username=person.get_username(), password=password).status_code == 200
        for other in (password.strip() + "x", password + " ", password[:-1]):
            if other and other.strip() and len(other) <= 1024:
                response = knock(kind, username=person.get_username(), password=other)
                assert response.status_code == 401, other


@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_password_longer_than_any_is_refused_before_it_is_hashed(kind: str, person: AbstractUser):
    response = knock(kind, username=person.get_username(), password="a" * 1025)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("kind", SIGN_INS)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "ada"},
        {"password": PASSWORD},
        {"username": "", "password": PASSWORD},
        {"username": None, "password": PASSWORD},
        {"username": "ada", "password": None},
        {"username": "ada", "password": ""},
        {"username": ["ada"], "password": PASSWORD},
        {"username": {"$ne": ""}, "password": PASSWORD},
        {"username": True, "password": PASSWORD},
        {"username": "ada", "password": [PASSWORD]},
        {"username": "ada", "password": True},
        {"username": "a\0da", "password": PASSWORD},
        {"username": "ada", "password": "a\0"},
        {"username": "a" * 255, "password": PASSWORD},
    ],
)
def test_a_body_that_is_none_is_400_with_a_code(kind: str, body: dict[str, Any]):
    response = knock(kind, **body)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert {"username", "password"} & response.json().keys()


class Bouncer(BaseBackend):
    """Says stop to everybody, as packages against guessing do."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        assert request is not None
        raise PermissionDenied


@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_backend_that_says_stop_is_obeyed_at_every_door(kind: str, person: AbstractUser):
    stop = f"{__name__}.Bouncer"
    with override_settings(AUTHENTICATION_BACKENDS=[stop, "authkit.backends.AuthkitBackend"]):
        assert knock(kind, username=person.get_username(), password=PASSWORD).status_code == 401
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("kind", SIGN_INS)
def test_djangos_own_backend_works_too(kind: str, person: AbstractUser):
    with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"]):
        response = knock(kind, username=person.get_username(), password=PASSWORD)
        assert response.status_code == 200


# Hashes


@pytest.mark.parametrize("kind", SIGN_INS)
def test_renewing_an_old_hash_ends_no_sign_in_and_no_token(kind: str, person: AbstractUser):
    callers = [sign_in(each, person) for each in SIGN_INS] + [personal(person)]
    argon2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
    md5 = "django.contrib.auth.hashers.MD5PasswordHasher"
    before = people().get(pk=person.pk).password
    with override_settings(PASSWORD_HASHERS=[argon2, md5]):
        response = knock(kind, username=person.get_username(), password=PASSWORD)
        assert response.status_code == 200
        after = people().get(pk=person.pk).password
        assert identify_hasher(before).algorithm == "md5"
        assert identify_hasher(after).algorithm == "argon2"
        for caller in callers:
            assert who(caller.get("/api/closed/")) == str(person.pk)
        [pair] = [caller for caller in callers if "refresh" in caller.answer]
        refreshed = stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh})
        assert refreshed.status_code == 200
        again = knock(kind, username=person.get_username(), password=PASSWORD)
        assert again.status_code == 200
        assert people().get(pk=person.pk).password == after


def test_a_wrong_password_renews_nothing(person: AbstractUser):
    argon2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
    md5 = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[argon2, md5]):
        assert knock("token", username=person.get_username(), password="wrong").status_code == 401
    assert people().get(pk=person.pk).password == person.password


def test_nobody_signs_in_with_a_password_changed_in_the_meantime(person: AbstractUser):
    """Between the check of the password and the start of the session somebody changes it."""

    class Slow(BaseBackend):
        def authenticate(self, request: Any, **credentials: Any) -> Any:
            found: Any = people().get(pk=person.pk)
            people().filter(pk=person.pk).update(password=make_password("another"))
            return found

    path = f"{__name__}.slow"
    globals()["slow"] = Slow
    with override_settings(AUTHENTICATION_BACKENDS=[path]):
        for kind in SIGN_INS:
            response = knock(kind, username="x", password="x")
            assert response.status_code == 401, kind
            assert response.json()["code"] == "invalid_credentials"
    del globals()["slow"]
    assert not UserSession.objects.exists()


# What is told, and to whom


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Any]]]:
    """Everything that Django and authkit tell the project, in order."""
    told: list[tuple[str, Any]] = []
    names = {
        "user_logged_in": user_logged_in,
        "user_logged_out": user_logged_out,
        "user_login_failed": user_login_failed,
        "signed_in": signals.signed_in,
        "signed_out": signals.signed_out,
        "refused": signals.refused,
    }
    receivers = {}
    for name, signal in names.items():

        def receive(name: str = name, **said: Any) -> None:
            told.append((name, said))

        receivers[name] = receive
        signal.connect(receive)
    yield told
    for name, signal in names.items():
        signal.disconnect(receivers[name])


def _names(told: list[tuple[str, Any]]) -> list[str]:
    return sorted(name for name, _ in told)


@committed
@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_sign_in_is_told_once_with_its_request_and_notes_last_login(
    kind: str, person: AbstractUser, heard: list[tuple[str, Any]]
):
    assert person.last_login is None
    caller = sign_in(kind, person)
    assert _names(heard) == ["signed_in", "user_logged_in"]
    for _, said in heard:
        assert said["sender"] is type(person)
        assert said["user"] == person
        assert said["request"].path == f"/auth/{kind}/"
    [session] = [said["session"] for name, said in heard if name == "signed_in"]
    assert str(session.pk) == caller.session_id
    assert people().get(pk=person.pk).last_login is not None
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor_id) == ("login.succeeded", person.pk)
    assert event.data == {"kind": kind}
    assert str(event.session_id) == caller.session_id


@committed
@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_refused_sign_in_is_told_once_with_its_request(
    kind: str, person: AbstractUser, heard: list[tuple[str, Any]]
):
    name = person.get_username()
    knock(kind, username=name, password="wrong")
    assert _names(heard) == ["refused", "user_login_failed"]
    for _, said in heard:
        assert said["request"].path == f"/auth/{kind}/"
    [failed] = [said for name, said in heard if name == "user_login_failed"]
    assert "wrong" not in str(failed["credentials"])
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor_id, event.actor_name) == ("login.failed", None, name)
    assert people().get(pk=person.pk).last_login is None


@committed
@pytest.mark.parametrize("way", ["its door", "its id", "everywhere"])
@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_sign_out_is_told_once_with_its_request(
    kind: str, way: str, person: AbstractUser, heard: list[tuple[str, Any]]
):
    caller = sign_in(kind, person)
    heard.clear()
    path = {
        "its door": f"/auth/{kind}/",
        "its id": f"/auth/sessions/{caller.session_id}/",
        "everywhere": "/auth/sessions/",
    }[way]
    assert caller.delete(path).status_code == 204
    assert _names(heard) == ["signed_out", "user_logged_out"]
    for _, said in heard:
        assert said["request"].path == path
    [said] = [said for name, said in heard if name == "user_logged_out"]
    assert said["user"] == person
    assert AuditEvent.objects.filter(kind="session.ended").count() == 1


@committed
def test_signing_out_by_token_leaves_a_cookie_in_the_same_browser_alone(person: AbstractUser):
    caller = sign_in("session", person)
    for kind in ("token", "jwt"):
        caller.authorization = sign_in(kind, person).authorization
        assert caller.delete(f"/auth/{kind}/").status_code == 204
        caller.authorization = None
        assert who(caller.get("/plain/")) == str(person.pk)


@committed
@pytest.mark.parametrize("kind", SIGN_INS)
def test_ending_another_device_is_told_as_the_end_of_that_one_only(
    kind: str, person: AbstractUser, heard: list[tuple[str, Any]]
):
    caller, other = sign_in(kind, person), sign_in("token", person)
    heard.clear()
    caller.delete(f"/auth/sessions/{other.session_id}/")
    assert _names(heard) == ["signed_out"]
    assert str(heard[0][1]["session_id"]) == other.session_id
    assert heard[0][1]["reason"] == "signed_out"


@committed
@pytest.mark.parametrize("kind", SIGN_INS)
def test_a_receiver_of_ours_that_fails_spoils_no_sign_in(kind: str, person: AbstractUser):
    def fail(**_: Any) -> None:
        raise RuntimeError("a mistake of the project")

    wired = [signals.signed_in, signals.signed_out, signals.refused]
    for signal in wired:
        signal.connect(fail)
    try:
        assert knock(kind, username="nobody", password="x").status_code == 401
        assert sign_in(kind, person).delete(f"/auth/{kind}/").status_code == 204
    finally:
        for signal in wired:
            signal.disconnect(fail)
