"""Mails, pages and answers of the API, rendered in a language that brackets what it translates.

What stands outside of brackets has not gone through gettext, or was translated too early.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory, override_settings

from authkit.accounts import mails
from tests.api.callers import browser, personal, sign_in
from tests.api.test_bodies import TOO_LARGE
from tests.api.test_every_url import PATHS, UNLIMITED
from tests.ground import ROOT
from tests.locale.pseudo import problems, texts_of_answer, texts_of_page
from tests.people import PASSWORD, make_person

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.vendor("sqlite"),  # what is said does not depend on the database
    pytest.mark.django_db,
    pytest.mark.urls("tests.pages.urls"),
    pytest.mark.usefixtures("bracketed"),
]

TEMPLATES = ROOT / "authkit" / "templates"
MAILS = sorted(p.name.removesuffix(".subject.txt") for p in TEMPLATES.rglob("*.subject.txt"))


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("key", ["zqkey", ""])
def test_mails(name: str, key: str, django_capture_on_commit_callbacks: Any):
    person = make_person("zqada")
    with django_capture_on_commit_callbacks(execute=True):
        mails.send(
            name,
            "zqada@example.com",
            request=RequestFactory().get("/"),
            user=person,
            key=key,
            page="verify",
            new_address="zqnew@example.com",
        )
    message: Any = mail.outbox[0]
    [html] = [part.content for part in message.alternatives]
    assert problems([message.subject, message.body, *texts_of_page(html)], ["testserver"]) == []


PAGES = ["", "password/", "email/", "devices/", "tokens/", "close/", "reauthenticate/"]
OPEN_PAGES = ["sign-in/", "sign-up/", "sent/", "resend/", "forgot/", "verify/", "reset/"]
OPEN_PAGES += ["verify/zq/", "reset/zq/"]
#: What is wrong in every form that has such a field.
WRONG = {
    "email": "zq",
    "address": "zq",
    "new_password": "zq",
    "password": "zq",
    "username": "zq@",
    "scopes": "zq zq:zq",
    "name": "",
    "key": "zq",
}
#: A value for each field of the API, of the wrong kind or not well made.
EVERY_FIELD = {
    "username": 7,
    "password": [],
    "new_password": "zq",
    "current_password": "zq",
    "email": "zq",
    "name": "",
    "scopes": ["zq zq"],
    "expires_at": "zq",
    "token": "zq",
    "refresh": "zq",
    "key": "zq",
    "code": 7,
    "state": 7,
    "redirect_uri": "zq",
}


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_pages_for_strangers(path: str):
    client = Client()
    for response in (
        client.get(f"/account/{path}", follow=True),
        client.post(f"/account/{path}", {}, follow=True),
        client.post(f"/account/{path}", WRONG, follow=True),
    ):
        assert response.status_code in {200, 400, 403, 405, 429}
        if response.status_code != 405:
            assert problems(texts_of_page(response.text)) == [], path


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_an_account(path: str):
    make_person("zqada")
    client = Client()
    fields = {"username": "zqada", "password": PASSWORD}
    assert client.post("/account/sign-in/", fields).status_code == 302
    made = client.post("/account/tokens/", {"name": "zqbackup", "days": "30"})
    assert made.status_code == 200
    for response in (
        made,
        client.get(f"/account/{path}"),
        client.get(f"/account/{path}?done=token"),
        client.post(f"/account/{path}", {}),
        client.post(f"/account/{path}", WRONG),
    ):
        if response.status_code != 404:  # a page of Django's own
            assert problems(texts_of_page(response.text)) == [], path


@override_settings(AUTHKIT=UNLIMITED)
@pytest.mark.parametrize("path", PATHS)
def test_answers_of_the_api(path: str):
    person = make_person("zqada")
    callers = [browser(), sign_in("session", person), personal(person)]
    bodies: list[Any] = [b"[", b"{", *list(TOO_LARGE.values())[:1], {}, EVERY_FIELD]
    wrong = set()
    for caller in callers:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            for body in bodies if method in {"POST", "PATCH"} else [None]:
                response = caller.call(method, path, body)
                if response.status_code >= 400 and response.content:
                    wrong |= set(problems(texts_of_answer(response.json())))
    assert wrong == set()


def test_a_reader_of_english_would_be_found_out(settings: Any):
    settings.LANGUAGE_CODE = "en"
    settings.LOCALE_PATHS = []
    page = Client().get("/account/sign-in/")
    assert len(problems(texts_of_page(page.text))) > 5
    answer = browser().post("/auth/session/", {"username": "zq", "password": "zq"})
    assert len(problems(texts_of_answer(answer.json()))) == 1
