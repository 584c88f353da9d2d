"""German, over HTTP: page, answer and mail follow the language that the browser asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from demo_project import settings as demo
from tests.accounts import mailbox
from tests.people import make_person

LOCALE = "django.middleware.locale.LocaleMiddleware"
GERMAN = {"Accept-Language": "de-AT, de;q=0.9, en;q=0.5"}

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.vendor("sqlite"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.pages.urls"),
]


@pytest.fixture
def client(settings: Any) -> Iterator[Client]:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:2], LOCALE, *settings.MIDDLEWARE[2:]]
    with translation.override(translation.get_language()):  # the middleware leaves its own
        yield Client()


def test_the_demo_follows_the_browser():
    assert demo.MIDDLEWARE.index(LOCALE) == 1 + demo.MIDDLEWARE.index(
        "django.contrib.sessions.middleware.SessionMiddleware"
    )
    assert dict(demo.LANGUAGES)["de"] == "Deutsch"


def test_a_page_is_german(client: Client):
    page = client.get("/account/sign-in/", headers=GERMAN)
    assert '<html lang="de">' in page.text
    assert "<h1>Anmelden</h1>" in page.text
    assert "Passwort vergessen?" in page.text
    assert "Accept-Language" in page["Vary"]
    assert "<h1>Sign in</h1>" in client.get("/account/sign-in/").text


def test_a_refusal_is_german_and_its_code_is_not(client: Client):
    wrong = {"username": "nobody", "password": "wrong"}
    answer = client.post("/auth/token/", wrong, "application/json", headers=GERMAN)
    assert answer.json() == {
        "code": "invalid_credentials",
        "detail": "Zu diesen Zugangsdaten gibt es kein aktives Konto.",
    }


def test_a_mail_is_german_and_says_so_to_whoever_reads_it_aloud(client: Client):
    make_person("ada")
    client.post("/account/forgot/", {"email": "ada@example.com"}, headers=GERMAN)
    message = mailbox.last_to("ada@example.com")
    assert message.subject == "Ein neues Passwort für testserver"
    assert message.body.startswith("Guten Tag ada,")
    [html] = [part.content for part in message.alternatives]
    assert '<html lang="de">' in html
    assert len(mail.outbox) == 1
