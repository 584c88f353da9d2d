"""The admin pages, rendered in a language that brackets what it translates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authkit import sealing, sessions, tokens
from authkit.models import (
    Assignment,
    BearerToken,
    ClaimRole,
    Endpoint,
    Invitation,
    Role,
    SocialAccount,
    SocialProvider,
    Throttle,
)
from tests.admin.access_world import EXPLAIN, MATRIX, edit, register_conditions, review_all, rule
from tests.admin.pages import act, signed_in, url
from tests.locale.pseudo import problems, texts_of_page
from tests.people import make_person, make_superuser

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.vendor("sqlite"),  # what is said does not depend on the database
    pytest.mark.django_db,
    pytest.mark.urls("tests.admin.urls_of_matrix"),
    pytest.mark.usefixtures("bracketed"),
]


#: Words on the pages that are data, or Django's own.
KNOWN = [
    # apps and models of the demo
    *("The Harbour Letter", "Articles", "Reports", "article", "Showcase", "mail", "arrow"),
    # names of URLs, routes and actions; short names of roles
    *("api-root", "api", "fixed", "page", "person", "plain", "report", "shut", "greet", "read"),
    *("create", "list", "retrieve", "update", "delete", "PUT", "PATCH"),
    *("themselves", "grouped"),  # conditions
    *("anyone", "authenticated", "staff"),
    # what Django does not translate: two alternative texts, and a table of its own
    *("Search", "True", "False"),
    *("User-group relationships", "User-group relationship", "object", "User_groups"),
    *("relationships", "relationship"),
    # what the audit writes down: whom an assignment to a group is about
    "group",
]
#: What pages of rows show as it is stored: rules in their language, and what the audit kept.
STORED = {
    "Role": ("allow", "deny", "when"),
    "AuditEvent": ("kind", "session", "token", "reason", "name", "scopes"),
}
#: What is wrong in every form that has such a field.
WRONG = {
    "user": "zq",
    "scopes": "zq zq",
    "expires_at_0": "zq",
    "slug": "Zq zq",
    "claims": "{",
    "address": "zq",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Something of everything; a superuser's browser."""
    register_conditions(monkeypatch)
    now = timezone.now()
    root: Any = make_superuser("zqroot")
    ada: Any = make_person("zqada", is_staff=True)
    review_all()
    Endpoint.objects.filter(key="api.report").update(state="new", reviewed_at=None)
    clerk = Role.objects.create(slug="zqclerk", name="Zqclerk")
    desk = Role.objects.create(slug="zqdesk", name="Zqdesk")
    desk.includes.add(clerk)
    for text in ("allow api.person:read when themselves", "deny api.report:*", "allow plain:*"):
        rule(clerk, text)
    group = Group.objects.create(name="zqgroup")
    Assignment.objects.create(user=ada, role=desk, ends_at=now + timedelta(days=3))
    Assignment.objects.create(group=group, role=clerk, created_by=root)
    ada.groups.add(group)
    session = sessions.start(ada, "token", now=now)
    sessions.start(ada, "jwt", now=now)
    tokens.issue_for(session, now=now)
    tokens.issue_personal(ada, name="zqbackup", scopes=["api.*:read"], now=now)
    sessions.end([sessions.start(ada, "token", now=now).pk], reason="signed_out", now=now)
    soon = now + timedelta(days=1)
    Invitation.objects.create(digest="0" * 64, created_at=now, expires_at=soon)
    provider = SocialProvider.objects.create(
        slug="zqhouse",
        kind="oidc",
        name="Zqhouse",
        issuer="https://zq.example.com",
        client_id="zq",
        sealed_secret=sealing.seal(sealing.PROVIDER_SECRET, "zq"),
    )
    ClaimRole.objects.create(provider=provider, claim="zqclaim", value="zq", role="zqclerk")
    SocialAccount.objects.create(
        digest="0" * 64,
        user=ada,
        provider="zqhouse",
        issuer="https://zq.example.com",
        subject="zq",
        claims={"zq": "zq"},
        created_at=now,
        last_used_at=now,
    )
    Throttle.objects.create(
        digest="0" * 64, scope="person", user=ada, since=now, locked_at=now, ends_at=soon, failed=9
    )
    return signed_in(root)


def ours() -> list[Any]:
    """The admin's pages of models that are ours, and that of people."""
    pages = [admin.site.get_model_admin(model) for model in admin.site._registry]
    return [page for page in pages if type(page).__module__.startswith("authkit.")]


#: Pages that are no lists of rows.
PAGES = {"Dashboard", "Explain", "Matrix"}
NAMES = sorted(page.model.__name__ for page in ours())


def page_of(name: str) -> Any:
    [page] = [page for page in ours() if page.model.__name__ == name]
    return page


def english_in(response: Any, *stored: str) -> list[str]:
    assert response.status_code in {200, 400, 403, 404, 409}, response
    return problems(texts_of_page(response.text), [*stored, *KNOWN])


def test_the_pages_of_all_models_are_looked_at():
    registered = {model.__name__ for model in admin.site._registry}
    assert set(NAMES) >= registered & {
        m.__name__ for m in apps.get_app_config("authkit").get_models()
    }


@pytest.mark.parametrize("name", NAMES)
def test_pages_of_a_model(name: str, world: Client):
    model = page_of(name).model
    assert english_in(world.get(url(model, "changelist"))) == []
    assert english_in(world.get(url(model, "changelist") + "?q=zq")) == []
    if name in PAGES:
        return
    for response in (world.get(url(model, "add")), world.post(url(model, "add"), WRONG)):
        if response.status_code == 200:
            assert english_in(response) == []
    rows = list(model._default_manager.all()[:4])
    assert rows
    for row in rows:
        for kind in ("change", "history", "delete"):
            response = world.get(url(model, kind, row.pk))
            if response.status_code == 200:
                assert english_in(response, *STORED.get(name, ())) == [], (row, kind)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PAGES])
def test_actions_of_a_model(name: str, world: Client):
    page = page_of(name)
    request = world.get(reverse("admin:index")).wsgi_request
    for action in page.get_actions(request):
        rows = list(page.model._default_manager.all()[:2])
        response = act(world, page.model, action, rows)
        if response.status_code == 302:
            response = world.get(response.url)
        if response.status_code == 200 and not response.streaming:  # not an export
            assert english_in(response) == [], action


def test_the_index(world: Client):
    assert english_in(world.get(reverse("admin:app_list", args=["authkit"]))) == []


@pytest.mark.parametrize(
    "access",
    [
        "api.person:update",
        "api.person:read",
        "api.report:GET",
        "plain:GET",
        "zq",
        "zq:read",
        "fixed:GET",
        "shut:GET",
        "api.person:greet",
    ],
)
def test_explanations(access: str, world: Client):
    ada = get_user_model().objects.get(username="zqada")
    for query in ({"user": ada.pk}, {"user": ada.pk, "object": ada.pk}, {"name": "zqnobody"}, {}):
        address = reverse(EXPLAIN, query={"access": access, **query})
        assert english_in(world.get(address)) == [], query


def test_the_matrix(world: Client):
    address = reverse(MATRIX)
    for query in ("", "?q=zq", "?endpoint=api.person", "?rows=api.person", "?endpoint=shut"):
        assert english_in(world.get(address + query)) == [], query
    edits = [edit("zqclerk", "api.person:read", "allow"), edit("zqdesk", "plain:GET", "deny")]
    preview = {"edit": edits, "seen": "1", "_preview": "1"}
    assert english_in(world.post(address, preview)) == []
    assert english_in(world.post(address, {"edit": [edit("zq", "shut:GET", "allow")]})) == []
    assert (
        english_in(world.post(address, {"edit": edits, "policy_number": "1", "_save": "1"})) == []
    )


def test_the_matrix_when_the_rules_cannot_be_read(world: Client):
    clerk = Role.objects.get(slug="zqclerk")
    Role.objects.get(slug="zqdesk").included_by.set([clerk])
    clerk.includes.add(Role.objects.get(slug="zqdesk"))
    response = world.get(reverse(MATRIX))
    assert response.status_code == 503
    assert problems(texts_of_page(response.text), KNOWN) == []


def test_what_is_shown_once(world: Client):
    token = {"user": "zqada", "name": "zqnew", "scopes": ""}
    for model, fields in ((BearerToken, token), (Invitation, {"address": ""})):
        response = world.post(url(model, "add"), fields, follow=True)
        assert english_in(response) == []
        assert "⟦" in response.text
