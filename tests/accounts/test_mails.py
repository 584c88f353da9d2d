"""Mails to people: in whose language they are, and for how long their links work."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory, override_settings
from django.utils import translation

from authkit.accounts import addresses, care, invitations, mails, recovery
from tests.accounts import mailbox
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db(transaction=True)

ENGLISH, GERMAN = "The link works once", "Der Link funktioniert einmal"


def request_of(user: Any) -> Any:
    request = RequestFactory().post("/")
    request.user = user
    return request


def send_reset_link(person: Any, admin: Any) -> None:
    care.send_reset_link(person, actor=admin, request=request_of(admin))


def require_new_password(person: Any, admin: Any) -> None:
    assert care.require_new_password(person, actor=admin, request=request_of(admin))


def resend_verification(person: Any, admin: Any) -> None:
    care.resend_verification(person, actor=admin, request=request_of(admin))


def invite(person: Any, admin: Any) -> None:
    invitations.invite(person.email, actor=admin, request=request_of(admin))


@pytest.mark.parametrize(
    "send", [send_reset_link, require_new_password, resend_verification, invite]
)
@pytest.mark.parametrize(("site", "theirs", "says"), [("en", "de", ENGLISH), ("de", "en", GERMAN)])
def test_what_an_administrator_sends_is_not_in_their_language(send, site, theirs, says):
    uma, root = make_person("uma"), make_superuser()
    with override_settings(LANGUAGE_CODE=site), translation.override(theirs):
        send(uma, root)
        assert translation.get_language() == theirs
    message = mailbox.last_to("uma@example.com")
    assert says in message.body
    assert says in message.alternatives[0].content


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_what_people_ask_for_themselves_is_in_theirs(is_signed_in):
    uma = make_person("uma")
    request = request_of(uma if is_signed_in else AnonymousUser())
    with translation.override("de"):
        recovery.ask_for_reset("uma@example.com", request)
        addresses.resend("uma@example.com", request)
        mails.send("social_code", "other@example.com", request=request, code="123456")
    assert "Ihr Code" in mailbox.last_to("other@example.com").body
    assert all(GERMAN in message.body for message in mailbox.to("uma@example.com"))
    assert len(mailbox.to("uma@example.com")) == 2


def test_each_link_tells_how_long_it_works():
    uma, root = make_person("uma"), make_superuser()
    with override_settings(
        AUTHKIT={"PASSWORD_RESET_LIFETIME": 90 * 60, "EMAIL_KEY_LIFETIME": 2 * 3600}
    ):
        for send, lifetime in (
            (send_reset_link, "1 hour, 30 minutes"),
            (resend_verification, "2 hours"),
            (invite, "1 week"),
            (require_new_password, "1 hour, 30 minutes"),
        ):
            send(uma, root)
            message = mailbox.last_to("uma@example.com")
            assert f"once, for {lifetime}." in message.body
            assert f"once, for {lifetime}." in message.alternatives[0].content
