"""Secrets are shown once, to whom they belong, and appear nowhere else."""

from __future__ import annotations

import json
import logging
import pprint
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import user_logged_in
from django.contrib.auth.backends import BaseBackend
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import override_settings
from django.views.debug import ExceptionReporter

from authkit import credentials
from authkit.jwt import keys
from authkit.models import AuditEvent, BearerToken, Change, UserSession
from tests.api.callers import (
    KINDS,
    SIGN_INS,
    Caller,
    bearer,
    browser,
    personal,
    sign_in,
    stranger,
    with_cookie,
)
from tests.api.world import Clock
from tests.people import make_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

PASSWORD = "canary-of-the-password-9b1f"
WRONG = "canary-of-a-wrong-password-77aa"


class Story:
    """All that happens to a person in a while, and each secret that there was in it."""

    def __init__(self, clock: Clock) -> None:
        self.answers: list[str] = []
        self.person = make_person("ada", PASSWORD)
        self.secrets = {PASSWORD, WRONG}
        self.callers = {kind: sign_in(kind, self.person, PASSWORD) for kind in KINDS}
        for caller in self.callers.values():
            self.keep(caller)
        for kind in SIGN_INS:
            body = {"username": self.person.get_username(), "password": WRONG}
            self.tell(browser().post(f"/auth/{kind}/", body))
        pair = self.callers["jwt"]
        child = stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh}).json()
        self.secrets |= {child["access"], child["refresh"]}
        for caller in self.callers.values():
            for path in ("/api/closed/", "/plain/", "/async/", "/auth/me/", "/auth/sessions/"):
                self.tell(caller.get(path))
        self.tell(self.callers["token"].get("/auth/tokens/"))
        for text in (child["access"], child["refresh"], self.callers["token"].token):
            self.tell(self.callers["token"].post("/auth/introspect/", {"token": text}))
            self.tell(bearer(text + "x").get("/api/open/"))
            self.tell(bearer(text[:-1]).get("/plain/"))
            self.tell(stranger().post("/auth/jwt/verify/", {"token": text + "x"}))
            self.tell(stranger().post("/auth/jwt/refresh/", {"refresh": text + "x"}))
        clock.advance(minutes=1)
        self.tell(stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh}))  # theft
        self.tell(self.callers["session"].get("/api/failing/"))
        self.tell(self.callers["token"].get("/plain/failing/"))
        key = self.callers["session"].cookie
        self.tell(self.callers["session"].delete("/auth/session/"))
        self.tell(with_cookie(key).get("/plain/"))
        self.tell(stranger().post("/auth/revoke/", {"token": self.callers["token"].token}))
        self.tell(self.callers["personal"].delete("/auth/token/"))

    def keep(self, caller: Caller) -> None:
        for name in ("token", "access", "refresh"):
            if name in caller.answer:
                self.secrets.add(caller.answer[name])
        if caller.cookie is not None:
            self.secrets.add(caller.cookie)

    def tell(self, response: Any) -> None:
        headers = [f"{name}: {value}" for name, value in response.headers.items()]
        self.answers.append("\n".join([*headers, response.content.decode()]))

    def traces(self) -> set[str]:
        """What would be enough to act as the person: whole secrets, and their telling parts."""
        parts = set(self.secrets)
        for secret in self.secrets:
            if secret.count(".") == 2:
                parts.add(secret.rpartition(".")[2])
            elif secret.startswith("ak_"):
                parts.add(secret[19:])
        return parts


@pytest.fixture
def story(db: None, clock: Clock, caplog: pytest.LogCaptureFixture) -> Story:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    return Story(clock)


def found_in(text: str, story: Story) -> set[str]:
    return {trace for trace in story.traces() if trace in text}


def _digests(story: Story) -> set[str]:
    rows: list[Any] = [*UserSession.objects.all(), *BearerToken.objects.all()]
    found = {row.credential_digest for row in rows}
    found |= {row.digest for row in rows if isinstance(row, BearerToken)}
    found |= {row.cookie_digest for row in rows if isinstance(row, UserSession)}
    found.add(story.person.password)
    return {digest for digest in found if digest}


def test_no_log_holds_a_secret_or_a_digest(story: Story, caplog: pytest.LogCaptureFixture):
    records = [
        f"{record.name} {record.getMessage()} {record.exc_text} {record.args!r} "
        + pprint.pformat({k: v for k, v in vars(record).items() if k != "request"})
        for record in caplog.get_records("setup")
    ]
    assert len(records) > 10  # django.request speaks of each refusal
    text = "\n".join(records)
    assert not found_in(text, story)
    assert not {digest for digest in _digests(story) if digest in text}


def test_no_audit_event_holds_a_secret_or_a_digest(story: Story):
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert kinds >= {
        "login.succeeded",
        "login.failed",
        "session.ended",
        "token.created",
        "token.revoked",
        "token.reused",
    }
    text = json.dumps(list(AuditEvent.objects.values()), default=str)
    text += json.dumps(list(Change.objects.values()), default=str)
    assert not found_in(text, story)
    assert not {digest for digest in _digests(story) if digest in text}


def test_no_later_answer_holds_a_secret_or_a_digest(story: Story):
    text = "\n".join(story.answers)
    assert not found_in(text, story)
    assert not {digest for digest in _digests(story) if digest in text}


def test_no_row_of_ours_holds_what_would_let_anybody_in(story: Story):
    text = serializers.serialize("json", [*UserSession.objects.all(), *BearerToken.objects.all()])
    text += serializers.serialize("json", [*AuditEvent.objects.all(), *Change.objects.all()])
    assert not found_in(text, story)


def test_no_repr_or_str_shows_a_secret_or_a_digest(story: Story):
    shown: list[object] = [keys.ring()]
    for model in apps.get_app_config("authkit").get_models():
        shown += list(model._default_manager.all())
    for kind in KINDS:
        caller = sign_in(kind, story.person, PASSWORD)
        story.keep(caller)
        request = caller.get("/api/closed/").renderer_context["request"]
        http = request._request
        shown += [request, request.auth, request.user, http, credentials.presented_in(http)]
        shown += [getattr(http, name) for name in vars(http) if "authkit_grant" in name]
    text = "\n".join(f"{thing!r} {thing!s}" for thing in shown)
    assert not found_in(text, story)
    assert not {digest for digest in _digests(story) if digest in text}


def test_no_error_page_shows_a_secret(story: Story):
    callers = {kind: sign_in(kind, story.person, PASSWORD) for kind in SIGN_INS}
    for caller in callers.values():
        story.keep(caller)
    with override_settings(DEBUG=True):
        for caller in callers.values():
            for path in ("/api/failing/", "/plain/failing/"):
                for accept in ("text/html", "application/json"):
                    response = caller.get(path, headers={"Accept": accept})
                    assert response.status_code == 500
                    assert "a mistake of the project" in response.content.decode()
                    assert not found_in(response.content.decode(), story)


class Broken(BaseBackend):
    def authenticate(self, request: Any, **credentials: Any) -> None:
        raise RuntimeError("a mistake of the project")


def _fail(**_: Any) -> None:
    raise RuntimeError("a mistake of the project")


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


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("kind", SIGN_INS)
def test_no_report_of_an_error_at_a_door_shows_the_password_or_what_was_minted(
    kind: str, place: str, reports: list[str], db: None
):
    person = make_person("ada", PASSWORD)
    backends = [*settings.AUTHENTICATION_BACKENDS]
    if place == "after":
        user_logged_in.connect(_fail)
    else:
        backends.insert(0, f"{__name__}.Broken")
    try:
        with override_settings(AUTHENTICATION_BACKENDS=backends):
            body = {"username": person.get_username(), "password": PASSWORD}
            response = browser().post(f"/auth/{kind}/", body)
    finally:
        user_logged_in.disconnect(_fail)
    assert response.status_code == 500
    assert len(reports) == 2
    for text in reports:
        assert "a mistake of the project" in text
        assert PASSWORD not in text
        assert re.search("ak_[0-9a-z]{60}", text) is None
        assert "eyJ" not in text
    assert not UserSession.objects.exists()


def test_djangos_session_holds_no_secret_of_ours(person: AbstractUser):
    caller = sign_in("session", person)
    personal(person)
    held = Session.objects.get().get_decoded()
    assert set(held) == {
        "_auth_user_id",
        "_auth_user_backend",
        "_auth_user_hash",
        "_authkit_session",
    }
    assert held["_authkit_session"] == caller.session_id
