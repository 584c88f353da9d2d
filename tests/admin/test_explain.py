"""The explain page."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any, get_args

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authkit import tokens
from authkit.access.explanation_in_words import REASONS, STANDINGS, STEPS, remedy_text
from authkit.kernel import decision, explanation, policy, remedies
from authkit.kernel.patterns import Access
from authkit.models import Assignment, Endpoint, Role, Rule
from tests.admin.access_world import EXPLAIN, URLS, register_conditions, review_all, role, rule
from tests.admin.pages import grant, make_staff, signed_in
from tests.people import make_person

pytestmark = pytest.mark.django_db

LIST = "api.person:list"


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    register_conditions(monkeypatch)
    review_all()


@pytest.fixture
def client(superuser: Any) -> Client:
    return signed_in(superuser)


def address(**query: object) -> str:
    return reverse(EXPLAIN, query={name: str(value) for name, value in query.items()})


def ask(client: Client, who: Any, access: str, **more: object) -> str:
    """The answer, as a person reads it."""
    query = {"access": access, **more}
    if who is not None:
        query["user"] = who.pk
    response = client.get(address(**query))
    assert response.status_code == 200
    return text_of(response)


def text_of(response: Any) -> str:
    main = response.text.partition('<div id="content-main">')[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_the_site_names_it_beside_the_models(client):
    assert f'href="{address()}"' in client.get(reverse("admin:index")).text


def test_the_page_opens_with_nothing_asked(client, person):
    for query in ({}, {"user": person.pk}, {"user": "x"}, {"user": "9" * 40}, {"user": "\x00"}):
        response = client.get(address(**query))
        assert response.status_code == 200
        assert "Step by step" not in response.text
    assert str(person) in client.get(address(user=person.pk)).text


def test_silence_is_explained_with_what_would_help(client, person):
    role("clerk", "allow api.person:read")
    text = ask(client, person, LIST)
    assert "No. No rule allows it, and silence refuses." in text
    assert "Give them one of these roles: Clerk" in text
    assert "And if no rule says anything?" in text
    assert text.count("(this decides)") == 1


def test_the_rule_the_role_and_how_they_came_by_it_are_named(client, person):
    author = role("author", "allow api.person:read")
    chief = role("chief", includes=[author])
    group = Group.objects.create(name="Chiefs")
    person.groups.add(group)
    ends_at = timezone.now() + timedelta(days=3)
    Assignment.objects.create(group=group, role=chief, ends_at=ends_at)
    text = ask(client, person, LIST)
    assert "Yes. A rule allows it." in text
    assert "allow api.person:read counts administrator" in text
    assert "Chief: by the group “Chiefs”, until" in text
    assert "→ which includes Author" in text


def test_a_role_that_is_over_is_none(client, person):
    now = timezone.now()
    Assignment.objects.create(
        user=person, role=role("clerk", "allow api.person:read"), ends_at=now - timedelta(seconds=1)
    )
    assert "No. No rule allows it" in ask(client, person, LIST)


def test_a_deny_that_wins_is_named_with_what_stands_beside_it(client, person):
    Assignment.objects.create(user=person, role=role("clerk", "allow api.*:*"))
    Assignment.objects.create(user=person, role=role("guest", "deny api.person:read"))
    text = ask(client, person, LIST)
    assert "A rule denies it, and that wins." in text
    assert "Remove what denies it, or take the role away: deny api.person:read (guest)" in text
    assert "allow api.*:*" in text


def test_built_in_roles_are_explained(client, person):
    role("authenticated", f"allow {LIST}")
    assert "everybody who has signed in has it" in ask(client, person, LIST)


def test_a_stranger_can_be_asked_about(client):
    text = ask(client, None, LIST)
    assert "May a stranger do api.person:list?" in text
    assert "Nobody is signed in" in text
    assert "Sign in; or let strangers in" in text
    role("anyone", f"allow {LIST}")
    assert "everybody has it" in ask(client, None, LIST)


def test_a_condition_is_explained_at_all_and_for_one_object(client, person):
    other = make_person("bob")
    own = role("clerk", "allow api.person:read when themselves")
    Assignment.objects.create(user=person, role=own)
    access = "api.person:retrieve"
    text = ask(client, person, access)
    assert "For some objects if it is their own account." in text
    assert "Name an object" in text
    assert "Yes. A rule allows it for some objects." in ask(
        client, person, access, object=person.pk
    )
    refused = ask(client, person, access, object=other.pk)
    assert "No. A rule would allow it, but not for this object." in refused
    assert "It would do for an object if it is their own account" in refused


@pytest.mark.parametrize("pk", ["x", "0", "9" * 60, "'", "-1"])
def test_an_object_that_is_not_there_is_said(client, person, pk):
    assert "There is no such object." in ask(client, person, "api.person:retrieve", object=pk)


def test_an_endpoint_without_objects_is_said(client, person):
    assert "about no objects" in ask(client, person, "plain:GET", object="1")


def test_a_group_of_actions_is_explained_by_the_action_that_spoils_it(client, person):
    Assignment.objects.create(user=person, role=role("clerk", "allow api.person:list"))
    text = ask(client, person, "api.person:read")
    assert "“read” is about several actions; this explains “retrieve”." in text


def test_a_superuser_and_an_inactive_person_are_explained(client, superuser, person):
    assert "They are a superuser." in ask(client, superuser, LIST)
    person.is_active = False
    person.save()
    text = ask(client, person, LIST)
    assert "The account is deactivated." in text
    assert "Activate the account." in text


def test_an_endpoint_that_nobody_has_looked_at_is_explained(client, person):
    Endpoint.objects.filter(key="api.person").update(state="new")
    Assignment.objects.create(user=person, role=role("clerk", "allow api.*:read"))
    text = ask(client, person, LIST)
    assert "Look at the endpoint and mark it so; then this counts: allow api.*:read" in text
    assert "does not count: nobody has looked" in text


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ("no.such:read", "There is no such endpoint."),
        ("api.person:fly", "The endpoint has no such action."),
        ("api.*:read", "one endpoint is asked about"),
        ("api.person", "a colon and an action must follow"),
        ("<script>:x", "is no letter"),
    ],
)
def test_what_cannot_be_asked_is_said(client, person, access, said):
    assert said in ask(client, person, access)


def test_a_name_does_as_well_as_a_choice(client, person):
    text = ask(client, None, LIST, name=person.get_username())
    assert f"May {person} do" in text
    assert "Nobody has this user name" in ask(client, None, LIST, name="nobody-at-all")
    by_address = client.get(address(access=LIST, name=person.email))
    assert f"May {person} do" in text_of(by_address)


def test_rules_that_cannot_be_read_are_explained(client, person):
    Rule.objects.create(role=role("clerk"), endpoints="no pattern!", actions="read")
    text = ask(client, person, LIST)
    assert "The rules cannot be read" in text
    assert "Mend the rules" in text


def test_names_are_shown_as_text_and_never_as_markup(client, person):
    evil = Role.objects.create(slug="evil", name="<img src=x>")
    rule(evil, "allow api.person:read when <b>")
    Assignment.objects.create(user=person, role=evil)
    response = client.get(address(user=person.pk, access=LIST))
    assert "<img" not in response.text
    assert "<b>" not in response.text


def test_staff_need_both_permissions(person):
    some = make_staff("sue", "view_rule")
    assert signed_in(some).get(address()).status_code == 403
    grant(some, "view_assignment")
    client = signed_in(get_user_model().objects.get(pk=some.pk))
    assert client.get(address()).status_code == 200
    assert 'type="hidden" name="user"' in client.get(address()).text
    assert "No rule allows it" in ask(client, None, LIST, name=person.get_username())


def test_a_personal_access_token_never_opens_it(superuser):
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {token.text}"})
    assert client.get(address()).status_code == 403


def test_nothing_of_the_page_is_script_or_style_that_stands_in_it(client, person):
    text = client.get(address(user=person.pk, access=LIST)).text
    text = re.sub(r"<script[^>]* src=", "", text)
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", text)


def test_the_cost_does_not_grow_with_roles_and_rules(client, settings, person):
    settings.AUTHKIT = {"MAX_STALENESS": timedelta(0)}  # each request looks, not one a second

    def cost() -> int:
        ask(client, person, LIST)
        with CaptureQueriesContext(connection) as queries:
            ask(client, person, LIST)
        return len(queries)

    few = cost()
    for n in range(20):
        made = role(f"r{n}", "allow api.person:read", "deny plain:read")
        Assignment.objects.create(user=person, role=made)
    assert cost() == few


def test_every_code_has_its_words():
    assert set(REASONS) == set(get_args(decision.Reason))
    assert set(STEPS) == set(get_args(explanation.StepName))
    assert set(STANDINGS) == set(get_args(policy.Standing))
    for code in get_args(remedies.RemedyCode):
        for roles in ((), (policy.Role("clerk", "Clerk"),)):
            assert remedy_text(remedies.Remedy(code, Access("a", "b"), roles=roles), {})
