"""No password and no key of a link appears where it does not belong."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.core.signals import got_request_exception
from django.db.models.signals import pre_save
from django.http import HttpRequest
from django.views.debug import ExceptionReporter

from authkit.accounts import invitations, link_keys
from authkit.models import AuditEvent, Invitation, LinkKey, SignInName
from tests.accounts import mailbox
from tests.api.callers import Caller, sign_in, stranger
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "canary-of-the-password-9b1f"
NEW = "canary-of-the-new-password-41cc"
WRONG = "canary-of-a-wrong-password-77aa"


def test_no_log_no_row_and_no_answer_holds_one(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    answers: list[Any] = []
    person = make_person("ada", PASSWORD)
    caller = sign_in("token", person, PASSWORD)
    _, link = invitations.invite("carol@example.com", actor=person, request=None)
    body = {"username": "carol", "email": "carol@example.com", "password": NEW}
    answers += [stranger().post("/auth/register/", {**body, "invitation": link[-43:]})]
    keys = {link[-43:]}
    for path, given in {
        "password/reset/": {"email": person.email},
        "email/verify/resend/": {"email": person.email},
    }.items():
        answers += [stranger().post(f"/auth/{path}", given)]
        keys |= {mailbox.key_to(person.email)}
    for password in (WRONG, PASSWORD):
        given = {"email": "new@example.com", "password": password}
        answers += [caller.post("/auth/email/change/", given)]
        answers += [caller.post("/auth/reauthenticate/", {"password": password})]
    keys |= {mailbox.key_to("new@example.com")}
    answers += [caller.post("/auth/password/change/", {"old_password": WRONG, "new_password": NEW})]
    for key in keys:
        answers += [stranger().post("/auth/email/verify/", {"key": key})]
        body = {"key": key, "new_password": NEW}
        answers += [stranger().post("/auth/password/reset/confirm/", body)]
    rows = [
        list(model._default_manager.values())
        for model in (AuditEvent, LinkKey, Invitation, SignInName)
    ]
    shown = [f"{one!r} {one}" for one in (*LinkKey.objects.all(), *Invitation.objects.all())]
    shown.append(repr(link_keys.NewKey("canary-of-a-key")))
    logged = [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    text = json.dumps(rows, default=str) + "".join(shown + logged)
    text += "".join(answer.content.decode() for answer in answers)
    assert len(keys) == 4
    for secret in (*keys, PASSWORD, NEW, WRONG, "canary-of-a-key"):
        assert secret not in text


@pytest.fixture
def reports() -> Iterator[list[str]]:
    """What would be mailed to ADMINS: each frame with its variables."""
    written: list[str] = []

    def write(request: HttpRequest, **_: Any) -> None:
        report = ExceptionReporter(request, *sys.exc_info())
        written.extend([report.get_traceback_html(), report.get_traceback_text()])

    got_request_exception.connect(write)
    yield written
    got_request_exception.disconnect(write)


def _fail(**_: Any) -> None:
    raise RuntimeError("a mistake of the project")


def _doors(person: AbstractUser) -> dict[str, tuple[Caller, dict[str, str]]]:
    caller = sign_in("token", person, PASSWORD)
    stranger().post("/auth/password/reset/", {"email": person.email})
    key = mailbox.key_to(person.email)
    caller.post("/auth/email/change/", {"email": "new@example.com", "password": PASSWORD})
    return {
        "register/": (stranger(), {"username": "x1", "email": "x@example.com", "password": NEW}),
        "password/change/": (caller, {"old_password": PASSWORD, "new_password": NEW}),
        "password/reset/confirm/": (stranger(), {"key": key, "new_password": NEW}),
        "email/verify/": (stranger(), {"key": mailbox.key_to("new@example.com")}),
    }


def test_no_report_of_an_error_in_the_middle_shows_one(reports: list[str]):
    doors = _doors(make_person("ada", PASSWORD))
    pre_save.connect(_fail, sender=get_user_model())
    try:
        answers = [caller.post(f"/auth/{path}", body) for path, (caller, body) in doors.items()]
    finally:
        pre_save.disconnect(_fail, sender=get_user_model())
    assert [answer.status_code for answer in answers] == [500] * len(doors)
    assert len(reports) == 2 * len(doors)
    text = "".join([*reports, *(answer.content.decode() for answer in answers)])
    assert "a mistake of the project" in text
    keys = {body["key"] for _, body in doors.values() if "key" in body}
    for secret in (*keys, PASSWORD, NEW):
        assert secret not in text
