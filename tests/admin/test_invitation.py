"""Invitations in the admin site: made, mailed, shown once, taken back."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client, override_settings

from authkit.models import AuditEvent, Invitation
from tests.accounts import mailbox
from tests.admin.pages import url
from tests.api.test_register import register
from tests.people import make_person

pytestmark = pytest.mark.django_db(transaction=True)

INVITED = override_settings(AUTHKIT={"REFUSAL_TIME": 0, "REGISTRATION": "invitation"})


@pytest.fixture
def admin(superuser):
    client = Client()
    client.force_login(superuser)
    return client


def invite(admin, address: str) -> str:
    page = admin.post(url(Invitation, "add"), {"address": address})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    [link] = re.findall(r"http://testserver\S*invitation=[\w-]{43}|http\S+key=[\w-]{43}", page.text)
    return str(link)


@INVITED
def test_one_is_mailed_shown_once_and_lets_its_address_in(admin):
    link = invite(admin, "Carol@Example.com")
    key, mailed = link[-43:], mailbox.key_in(mail.outbox[0])
    assert key != mailed  # nobody is taken for the reader of a mail who has only made it
    assert mail.outbox[0].to == ["carol@example.com"]
    for page in ("changelist", "change"):
        arguments = [Invitation.objects.get().pk] if page == "change" else []
        assert not {key, mailed} & set(admin.get(url(Invitation, page, *arguments)).text.split('"'))
    assert register(email="eve@example.com", invitation=key).status_code == 400
    assert register(invitation=key).status_code == 201


@INVITED
def test_one_without_an_address_is_for_whoever_has_it_and_can_be_taken_back(admin):
    first, second = invite(admin, ""), invite(admin, "")
    assert mail.outbox == []
    chosen = Invitation.objects.order_by("pk").first()
    assert chosen is not None
    action = {"action": "take_back", "_selected_action": [chosen.pk]}
    assert admin.post(url(Invitation, "changelist"), action).status_code == 302
    assert register(invitation=first[-43:]).json()["code"] == "key_not_valid"
    assert register(invitation=second[-43:]).status_code == 201
    assert AuditEvent.objects.filter(kind="invitation.withdrawn").count() == 1


def test_who_may_not_add_makes_none_and_nobody_edits_one(client, admin):
    invite(admin, "")
    pk = Invitation.objects.get().pk
    edited = admin.post(url(Invitation, "change", pk), {"address": "x@example.com"})
    assert edited.status_code == 403
    client.force_login(make_person("staff", is_staff=True))
    assert client.get(url(Invitation, "add")).status_code == 403
    assert client.get(url(Invitation, "changelist")).status_code == 403
