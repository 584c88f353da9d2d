"""What is answered when there were too many attempts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.test import RequestFactory

from authkit.accounts import refusals
from authkit.exceptions import TooManyAttempts
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db


def answered(person: Any, password: str, status: int = 200) -> HttpResponse:
    request = RequestFactory().post("/")
    authenticate(request, username=person.get_username(), password=password)
    response = HttpResponse(status=status)
    refusals.mark(request, response)
    return response


def test_a_form_that_is_shown_again_after_one_too_many_is_429(person):
    assert [answered(person, "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    response = answered(person, PASSWORD)
    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert answered(person, PASSWORD, status=302).status_code == 302


def test_an_answer_about_something_else_is_left_alone(person):
    response = answered(person, PASSWORD)
    assert response.status_code == 200
    assert not response.has_header("Retry-After")


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1 minute."), (60, "1 minute."), (61, "2 minutes."), (900, "15 m")]
)
def test_people_read_minutes(seconds, text):
    assert text in refusals.text_of(TooManyAttempts(seconds))
