"""A database that takes A, a and á for one letter lets nobody in for that.

MariaDB compares text so, unless told otherwise; the tests' MariaDB does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from authkit.models import AuditEvent, UserSession
from tests.api.callers import bearer, personal, sign_in, stranger, who, with_cookie
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]


def test_the_key_of_a_cookie_in_capitals_opens_no_more_than_the_cookie(person: AbstractUser):
    """Django finds its session by it; keys have no capitals, so nothing is guessed sooner."""
    caller = sign_in("session", person)
    key = caller.cookie
    assert key is not None
    assert key != key.upper()
    loud = with_cookie(key.upper())
    expected = str(person.pk) if connection.vendor == "mysql" else 401
    assert who(loud.get("/api/closed/")) == expected
    elsewhere = sign_in("token", person)
    assert elsewhere.delete(f"/auth/sessions/{caller.session_id}/").status_code == 204
    for stale in (key, key.upper()):
        assert who(with_cookie(stale).get("/api/closed/")) == 401


def test_a_token_opens_nothing_in_another_case(person: AbstractUser):
    for text in (sign_in("token", person).token, personal(person).answer["token"]):
        assert who(bearer(text.swapcase()).get("/api/open/")) == 401
        prefix, rest = text[:3], text[3:]
        assert who(bearer(prefix + rest.upper()).get("/api/open/")) == 401
        assert who(bearer(text).get("/api/open/")) == str(person.pk)


def test_an_accent_takes_no_ones_account(person: AbstractUser):
    """Whoever registers with it gets an account of their own, or is told what anybody is told."""
    body = {"username": "áda", "email": "áda@example.com", "password": "a long enough passphrase"}
    response = stranger().post("/auth/register/", body)
    assert response.status_code < 500, response.content
    for name in ("áda", "áda@example.com"):
        answer = stranger().post("/auth/token/", {"username": name, "password": PASSWORD})
        if answer.status_code == 200:  # her own password, at a door of hers
            assert who(bearer(answer.json()["token"]).get("/api/closed/")) == str(person.pk)
    stays = sign_in("token", person)
    assert who(stays.get("/api/closed/")) == str(person.pk)


def test_a_mail_to_an_address_with_an_accent_is_not_about_her(person: AbstractUser, mailoutbox):
    """CVE-2019-19844."""
    answer = stranger().post("/auth/password/reset/", {"email": "áda@example.com"})
    assert answer.status_code < 300
    assert mailoutbox == []


def test_an_accent_gives_no_guesses_more(person: AbstractUser):
    for number in range(5):
        _guess("wrong", "ada" if number % 2 else "áda", person)
    outcome = _guess(PASSWORD, "áda", person)
    assert outcome.status_code in {401, 429}
    assert not UserSession.objects.exists()
    assert AuditEvent.objects.filter(kind="login.failed").exists()


def _guess(password: str, name: str, person: AbstractUser) -> Any:
    own = person.get_username()
    typed = own if name == "ada" else own.replace("ada", name)
    return stranger().post("/auth/token/", {"username": typed, "password": password})
