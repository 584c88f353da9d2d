"""``manage.py authkit explain``."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db.models import Q

from authkit.access import conditions
from authkit.models import Assignment
from tests.access.some_roles import give, role
from tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.access.urls_of_policies"
    monkeypatch.setattr(conditions, "_registered", {})
    conditions.condition("themselves", model=get_user_model())(lambda user: Q(pk=user.pk))


def explain(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("authkit", "explain", *arguments, stdout=out, stderr=io.StringIO())
    return [line.strip() for line in out.getvalue().splitlines()]


def test_it_names_the_rule_the_role_and_how_somebody_came_by_it(person):
    boss = role("boss")
    boss.includes.add(role("clerk", "allow api.person:read"))
    give(person, boss, ends_at=datetime(2099, 1, 1, tzinfo=UTC))
    clerks = Group.objects.create(name="Clerks")
    person.groups.add(clerks)
    Assignment.objects.create(group=clerks, role=role("clerk"))
    role("anyone", "deny api.person:destroy")
    found = explain(person.email, "api.person:list")
    assert found[0].endswith("api.person:list: allowed (allowed_by_rule)")
    assert "decided by: Does a rule allow it? allowed" in found
    assert "rule: allow clerk api.person:read" in found
    assert "boss: given to them, until 2099-01-01T00:00:00+00:00" in found
    assert "clerk: by the group “Clerks”" in found
    assert "anyone: built in" in explain(person.email, "api.person:destroy")


def test_it_says_what_would_have_to_change(person):
    role("clerk", "allow api.person:read")
    found = explain(person.get_username(), "api.person:list")
    assert "refused (no_rule)" in found[0]
    assert (
        "Give them one of these roles: Clerk; or give a role of theirs a rule that allows"
        " api.person:list."
    ) in found


def test_a_stranger_is_a_minus(person):
    found = explain("-", "api.person:list")
    assert "refused (anonymous)" in found[0]
    assert "Sign in; or let strangers in, by a rule of the role “anyone”." in found
    assert "allowed (public)" in explain("-", "api.health:GET")[0]


def test_it_is_about_an_object_where_one_is_named(person):
    give(person, role("clerk", "allow api.person:read when themselves"))
    other = make_person("bob")
    name = person.get_username()
    assert "allowed for some objects (allowed_if)" in explain(name, "api.person:retrieve")[0]
    for who, verdict in ((person, "allowed (allowed_if)"), (other, "refused (condition_not_met)")):
        assert verdict in explain(name, "api.person:retrieve", "--object", str(who.pk))[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "api.person:list"], "nobody"),
        (["-", "api.person"], "colon"),
        (["-", "api.*:list"], "not a pattern"),
        (["-", "api.gone:list"], "no endpoint 'api.gone'"),
        (["-", "api.person:publish"], "no action 'publish', but: .*create"),
        (["-", "api.person:list", "--object", "not a key"], "There is no"),
        (["-", "api.report:GET", "--object", "1"], "no model"),
    ],
)
def test_what_there_is_not_is_named(arguments, message):
    with pytest.raises(CommandError, match=message):
        explain(*arguments)
