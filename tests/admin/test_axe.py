"""The admin pages as axe-core judges them, light and dark, wide and on a phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from authkit import sessions, tokens
from authkit.accounts import invitations
from authkit.models import Assignment, BearerToken, Invitation, Role, Throttle, UserSession
from tests import axe
from tests.access.writing import give, role
from tests.admin.access_world import EXPLAIN, matrix_url
from tests.admin.pages import url
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"


def make_a_house() -> Any:
    """Somebody with a little of everything."""
    uma, now = make_person("uma"), timezone.now()
    give(uma, role("editor"))
    sessions.start(uma, "jwt", now=now)
    tokens.issue_personal(uma, name="nightly", now=now)
    invitations.invite("carol@example.com", actor=None, request=None)
    Throttle.objects.create(
        digest="x",
        scope="person",
        user_id=uma.pk,
        failed=9,
        since=now,
        locked_at=now,
        ends_at=now + timedelta(hours=1),
    )
    return uma


def places(uma: Any) -> list[str]:
    model: Any = get_user_model()
    models = (Assignment, BearerToken, Invitation, Role, Throttle, UserSession)
    lists = [url(each, "changelist") for each in (model, *models)]
    rows = [url(each, "change", each._default_manager.all()[0].pk) for each in models]
    new = [url(each, "add") for each in (Assignment, BearerToken, Invitation, Role)]
    person = url(model, "change", uma.pk)
    return [*lists, *rows, *new, person, matrix_url(), reverse(EXPLAIN)]


def test_axe_finds_nothing_serious_on_any_page(
    page: Page, live_server: Any, superuser: Any, settings: Any, pytestconfig: pytest.Config
):
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    source, uma = axe.script(pytestconfig), make_a_house()
    page.goto(live_server.url + url(Role, "changelist"))
    page.locator("#id_username").fill(superuser.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    problems: list[str] = []
    for place in places(uma):
        answer = page.goto(live_server.url + place)
        assert answer is not None
        assert answer.status == 200, place
        problems += axe.problems_of(page, source)
    assert problems == [], "\n".join(problems)
