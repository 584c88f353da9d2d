"""A step of the project's own that breaks: the report of it holds nobody's secrets."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from authkit.social.pipeline import PIPELINE
from tests.social.steps import asking_after
from tests.social.test_email import resume
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db

LINE = "raise ValueError"


@pytest.fixture
def reports(settings: Any) -> Any:
    """What is mailed to ADMINS, as text and as a page."""
    settings.DEBUG = False
    found: list[str] = []

    def report(**_: Any) -> None:
        kind, error, trace = sys.exc_info()
        reporter = ExceptionReporter(RequestFactory().get("/"), kind, error, trace, is_email=True)
        found.append(reporter.get_traceback_text() + reporter.get_traceback_html())

    got_request_exception.connect(report)
    yield found
    got_request_exception.disconnect(report)


def _assert_silent(reports: list[str], liar: Any, *secrets: str) -> None:
    (report,) = reports
    assert LINE in report
    assert "at-" not in report
    for secret in (liar.secret, "rt-1", "eyJ", *secrets):
        assert secret not in report, secret


@pytest.mark.parametrize(
    "step", ["tests.social.steps.break_down", "tests.social.steps.break_untyped"]
)
def test_a_broken_step_tells_no_secret(offer, liar, settings, reports, step):
    settings.SOCIAL_AUTH_PIPELINE = [*PIPELINE, step]
    offer()
    visitor = Visitor()
    visitor.client.raise_request_exception = False
    begun = visitor.begin()
    given = liar.authorize(begun["authorization_url"])
    assert visitor.complete(given).status_code == 500
    _assert_silent(reports, liar, given["state"], begun["transaction"])


def test_a_step_that_breaks_after_a_pause_tells_no_secret(offer, liar, settings, reports):
    asking = asking_after("admit")
    settings.SOCIAL_AUTH_PIPELINE = [*asking, "tests.social.steps.break_down"]
    offer()
    visitor = Visitor()
    visitor.client.raise_request_exception = False
    paused = visitor.sign_in(liar)
    assert resume(visitor, paused, answer="a very private answer").status_code == 500
    _assert_silent(reports, liar, paused.json()["pause"], "a very private answer")
