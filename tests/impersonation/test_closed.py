"""What an administrator cannot do in somebody else's name, whatever the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import RequestFactory, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from authkit.access import acting
from authkit.access.acting import Actor
from authkit.access.refusals import WhileImpersonating
from authkit.models import Assignment, AuditEvent, BearerToken, LinkKey, Role, Rule, UserSession
from tests.access.writing import role
from tests.impersonation.world import HTML, WAY_BACK, WRITING, Browser, make_support, page_of
from tests.people import PASSWORD, make_person, make_superuser

pytestmark = [pytest.mark.urls("tests.impersonation.urls"), pytest.mark.django_db]

MODES = [{"IMPERSONATION_WRITES": False}, {"IMPERSONATION_WRITES": True}]
#: Where people sign in or out, or go back.
WAYS_OUT = {
    *("/auth/session/", WAY_BACK, "/own/login/", "/own/logout/"),
    *("/account/sign-in/", "/account/sign-out/"),
}
VALUES = {"uuid": "00000000-0000-0000-0000-000000000000", "int": "1"}


def paths(resolver: Any = None, prefix: str = "/") -> Iterator[str]:
    """Every address of authkit, its pages and the admin site."""
    resolver = resolver or get_resolver()
    for pattern in resolver.url_patterns:
        text = prefix + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from paths(pattern, text)
        elif isinstance(pattern, URLPattern):
            yield text


def _plain(route: str) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: VALUES.get(found[1] or "", "x"), route)


def state() -> dict[Any, Any]:
    """All that could be changed."""
    models = (Assignment, BearerToken, Group, LinkKey, Role, Rule, UserSession, get_user_model())
    rows: dict[Any, list[Any]] = {
        model: list(model._default_manager.order_by("pk").values()) for model in models
    }
    for row in rows[UserSession]:
        row.pop("last_seen_at")
    return rows


@override_settings(AUTHKIT=WRITING)
def test_no_address_of_authkit_or_the_admin_site_takes_a_write():
    boss = Browser(make_superuser("boss"))
    boss.impersonate(make_superuser("root"))
    ours = ("/auth/", "/account/", "/own/")
    walked = {path for path in paths() if path.startswith(ours)} - WAYS_OUT
    assert len(walked) > 80
    before = state()
    for path in sorted(walked):
        methods = ["post"] if path.startswith("/own/") else ["post", "patch", "delete"]
        for method in methods:
            assert getattr(boss.client, method)(path).status_code == 403, (method, path)
    assert state() == before


@pytest.mark.parametrize("mode", MODES, ids=["looking", "writing"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/auth/password/change/", {"old_password": PASSWORD, "new_password": "n" * 20}),
        ("post", "/auth/email/change/", {"email": "thief@example.com", "password": PASSWORD}),
        ("post", "/auth/reauthenticate/", {"password": PASSWORD}),
        ("post", "/auth/tokens/", {"name": "mine", "password": PASSWORD}),
        ("delete", "/auth/me/", {"password": PASSWORD}),
        ("delete", "/auth/sessions/", {}),
        ("post", "/account/password/", {"old_password": PASSWORD, "new_password": "n" * 20}),
    ],
)
def test_the_persons_credentials_are_out_of_reach_even_with_their_password(
    bob, as_bob, mode, method, path, body
):
    before = state()
    with override_settings(AUTHKIT={**WRITING, **mode}):
        answer = getattr(as_bob.client, method)(path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "while_impersonating")
    assert state() == before
    refused = AuditEvent.objects.get(kind="access.refused")
    assert (refused.actor, refused.subject) == (bob, path)
    assert refused.impersonator is not None


def test_whoever_came_to_look_writes_nothing(bob, as_bob):
    for name in ("whoami", "page", "note", "ours", "djangos", "new_password", "async_page"):
        assert as_bob.client.post(f"/shop/{name}/").status_code == 403, name
        assert as_bob.client.put(f"/shop/{name}/").status_code == 403, name
    for name in ("whoami", "page", "ours", "djangos"):
        assert as_bob.client.get(f"/shop/{name}/").status_code == 200, name
    assert as_bob.client.options("/shop/whoami/").status_code == 200


@override_settings(AUTHKIT=WRITING)
def test_a_project_may_let_administrators_write_in_its_own_views(bob, as_bob):
    for name in ("whoami", "ours", "djangos"):
        assert as_bob.client.post(f"/shop/{name}/").json()["user"] == str(bob.pk)


@override_settings(AUTHKIT=WRITING)
def test_a_projects_own_view_cannot_change_what_people_sign_in_with(bob, as_bob):
    assert as_bob.client.post("/shop/new_password/").status_code == 403
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_a_refusal_is_a_page_for_people_and_json_for_programs(as_bob):
    page = as_bob.client.post("/shop/whoami/", headers=HTML)
    assert (page.status_code, page.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "Not while you are signed in as somebody else" in page.text
    program = as_bob.client.post("/shop/whoami/", headers={"Accept": "application/json"})
    assert program.json()["code"] == "while_impersonating"


def test_whoever_is_themselves_writes_as_ever(bob):
    browser = Browser(bob)
    assert browser.client.post("/shop/whoami/").json()["user"] == str(bob.pk)
    assert Browser().client.post("/shop/whoami/").status_code == 200


def test_what_takes_a_recent_sign_in_is_closed(bob, as_bob):
    """The person has proved nothing, however recently the administrator did."""
    assert "Give your password again" in as_bob.get("/account/tokens/").text


def save(person: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(person, name, value)
    person.save()


DEEDS = [
    lambda bob: role("made"),
    lambda bob: Role.objects.bulk_create([Role(slug="made", name="made")]),
    lambda bob: Rule.objects.update(is_enabled=False),
    lambda bob: Rule.objects.all().delete(),
    lambda bob: Group.objects.create(name="made"),
    lambda bob: bob.groups.add(Group.objects.get(name="old")),
    lambda bob: bob.user_permissions.add(Permission.objects.first()),
    lambda bob: bob.delete(),
    lambda bob: save(bob, is_active=False),
    lambda bob: save(bob, email="thief@example.com"),
    lambda bob: make_person("made", is_staff=True),
]


@pytest.mark.parametrize("deed", DEEDS)
def test_below_every_view_access_stays_as_it_is(bob, deed):
    """Even a superuser's is nobody's to change who is not that superuser."""
    role("old", "allow pay.slip:read")
    Group.objects.create(name="old")
    before = state()
    actor = Actor(make_superuser(), is_impersonated=True)
    before = state()
    with acting.found_by(lambda: actor), pytest.raises(WhileImpersonating), transaction.atomic():
        deed(bob)
    assert state() == before


def test_the_admin_site_shows_what_the_person_sees_and_takes_nothing(browser_of_ada):
    sue = make_support("sue")
    browser_of_ada.impersonate(sue)
    assert browser_of_ada.get("/admin/").status_code == 200
    page = page_of(sue).replace("impersonate/", "change/")
    assert browser_of_ada.get(page).status_code == 200
    assert browser_of_ada.post(page, {"is_active": ""}).status_code == 403


def test_without_the_middleware_nobody_is_somebody_else(as_bob):
    """It would leave no trace in the audit, so it does not count."""
    from authkit.authentication import SessionAuthentication  # noqa: PLC0415
    from authkit.refusals import Refused  # noqa: PLC0415

    request = RequestFactory().get("/shop/ours/")
    request.session = as_bob.client.session
    with pytest.raises(Refused):
        SessionAuthentication().authenticate(request)  # type: ignore[arg-type]
