"""The helpers for a project's own tests."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from authkit import sessions
from authkit.exceptions import SignInRefused
from authkit.models import UserSession
from authkit.testing import client_for
from tests.people import make_person

pytestmark = pytest.mark.django_db

KINDS: list[Any] = ["session", "token", "jwt"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_is_signed_in_as_the_person(person, kind):
    answer = client_for(person, kind).get("/auth/me/")
    assert answer.status_code == 200
    assert answer.json()["username"] == person.get_username()


@pytest.mark.parametrize("kind", KINDS)
def test_its_sign_in_is_a_real_one_that_can_be_ended(person, kind):
    client = client_for(person, kind)
    session = UserSession.objects.get(user=person)
    assert session.kind == kind
    assert client.get("/auth/sessions/").json()[0]["current"] is True
    sessions.end([session.pk], reason="signed_out", now=timezone.now())
    assert client.get("/auth/me/").status_code == 401


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_write_without_more_ado(person, kind):
    assert client_for(person, kind).delete("/auth/sessions/").status_code == 204


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_without_a_password_can_be_signed_in(kind):
    client = client_for(make_person("social", password=None), kind)
    assert client.get("/auth/me/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_deactivated_person_cannot(person, kind):
    get_user_model().objects.filter(pk=person.pk).update(is_active=False)
    person.refresh_from_db()
    with pytest.raises(SignInRefused):
        client_for(person, kind)


def test_without_a_kind_it_is_a_session(person):
    client_for(person)
    assert UserSession.objects.get().kind == "session"


def test_another_kind_is_an_error(person):
    kind: Any = "cookie"
    with pytest.raises(ValueError, match="cookie"):
        client_for(person, kind)
