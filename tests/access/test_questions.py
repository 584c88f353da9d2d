"""What a project asks, answered from rows in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from authkit.access import access_of, can, conditions, decide, visible, who_can
from authkit.backends import AuthkitBackend
from authkit.kernel.decision import ConditionalDecision
from authkit.models import Assignment, Role, Rule
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.access.urls"


@pytest.fixture(autouse=True)
def _conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_registered", {})
    model = get_user_model()
    conditions.condition("themselves", model=model)(lambda user: Q(pk=user.pk))
    conditions.condition("grouped", model=model)(lambda user: Q(groups__name__startswith="g"))


def role(slug: str, *rules: str) -> Role:
    """A role with rules such as ``allow api.person:read when themselves``."""
    made, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for text in rules:
        effect, access, *when = text.split()
        endpoints, _, actions = access.partition(":")
        Rule.objects.create(
            role=made,
            effect=effect,
            endpoints=endpoints,
            actions=actions,
            condition=when[1] if when else "",
        )
    return made


def give(user: Any, made: Role, **span: Any) -> Assignment:
    return Assignment.objects.create(user=user, role=made, **span)


def test_silence_refuses(person):
    assert decide(person, "api.person:list").reason == "no_rule"
    assert not can(person, "api.person:list")


def test_a_rule_of_a_role_that_somebody_has_allows(person):
    give(person, role("clerk", "allow api.person:read"))
    assert can(person, "api.person:list")
    assert not can(person, "api.person:create")
    assert not can(make_person("bob"), "api.person:list")


def test_a_deny_rule_of_any_role_wins(person):
    give(person, role("clerk", "allow api.*:*"))
    give(person, role("guest", "deny api.person:read"))
    assert decide(person, "api.person:list").reason == "denied_by_rule"


def test_a_user_who_is_named_like_a_role_gets_nothing_by_it():
    role("clerk", "allow api.person:read")
    assert not can(make_person("clerk"), "api.person:list")


def test_roles_come_by_group_and_by_inclusion(person):
    group = Group.objects.create(name="staffers")
    inner, outer = role("inner", "allow api.person:read"), role("outer")
    outer.includes.add(inner)
    Assignment.objects.create(group=group, role=outer)
    assert not can(person, "api.person:list")
    person.groups.add(group)
    assert can(person, "api.person:list")
    outer.includes.clear()
    assert not can(person, "api.person:list")


def test_a_disabled_rule_is_none(person):
    give(person, role("clerk", "allow api.person:read"))
    Rule.objects.update(is_enabled=False)
    assert not can(person, "api.person:list")


def test_an_assignment_is_over_at_the_very_moment_at_which_it_ends(person, monkeypatch):
    noon = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    give(person, role("clerk", "allow api.person:read"), ends_at=noon)
    moment = noon - timedelta(microseconds=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert can(person, "api.person:list")
    moment = noon
    assert not can(person, "api.person:list")


def test_an_assignment_begins_when_it_says(person, monkeypatch):
    noon = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    give(person, role("clerk", "allow api.person:read"), starts_at=noon)
    moment = noon - timedelta(microseconds=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert not can(person, "api.person:list")
    moment = noon
    assert can(person, "api.person:list")


def test_a_conditional_decision_has_no_yes_or_no(person):
    give(person, role("clerk", "allow api.person:read when themselves"))
    assert decide(person, "api.person:list").conditional
    with pytest.raises(ConditionalDecision):
        can(person, "api.person:list")
    assert can(person, "api.person:retrieve", person)
    assert not can(person, "api.person:retrieve", make_person("bob"))


def test_an_object_check_agrees_with_membership_in_the_list(person):
    give(person, role("clerk", "allow api.person:read when themselves"))
    people = [person, make_person("bob"), make_person("cleo")]
    seen = visible(get_user_model().objects.all(), person, "api.person:list")
    assert list(seen) == [who for who in people if can(person, "api.person:retrieve", who)]


def test_an_unconditional_allow_is_not_narrowed_by_a_conditional_one(person):
    give(person, role("clerk", "allow api.person:read when themselves"))
    give(person, role("boss", "allow api.person:read"))
    bob = make_person("bob")
    assert visible(get_user_model().objects.all(), person, "api.person:list").count() == 2
    assert can(person, "api.person:retrieve", bob)


def test_an_unconditional_deny_empties_the_list(person):
    give(person, role("clerk", "allow api.person:read", "deny api.person:read"))
    assert not visible(get_user_model().objects.all(), person, "api.person:list").exists()


def test_a_conditional_deny_takes_out_what_it_names(person):
    give(person, role("clerk", "allow api.person:read", "deny api.person:read when themselves"))
    bob = make_person("bob")
    assert list(visible(get_user_model().objects.all(), person, "api.person:list")) == [bob]


def test_no_row_comes_twice_through_a_many_to_many_relation(person):
    give(person, role("clerk", "allow api.person:read when grouped"))
    bob = make_person("bob")
    bob.groups.set([Group.objects.create(name="g1"), Group.objects.create(name="g2")])
    assert list(visible(get_user_model().objects.all(), person, "api.person:list")) == [bob]


def test_a_stranger_owns_nothing(person):
    role("anyone", "allow api.person:read when themselves")
    stranger = AnonymousUser()
    assert decide(stranger, "api.person:list").conditional
    assert not visible(get_user_model().objects.all(), stranger, "api.person:list").exists()


def test_a_superuser_may_and_an_inactive_one_may_not():
    root = make_superuser()
    assert can(root, "api.person:destroy")
    root.is_active = False
    assert decide(root, "api.person:destroy").reason == "inactive"


def test_who_can_names_exactly_those_who_may(person):
    bob, cleo, dan = make_person("bob"), make_person("cleo"), make_person("dan")
    root = make_superuser()
    clerk, guest = role("clerk", "allow api.person:read"), role("guest", "deny api.person:list")
    group = Group.objects.create(name="clerks")
    Assignment.objects.create(group=group, role=clerk)
    bob.groups.add(group)
    for who in (person, cleo, dan):
        give(who, clerk)
    give(cleo, guest)
    dan.is_active = False
    dan.save()
    everyone = [person, bob, cleo, root]
    assert set(who_can("api.person:list")) == {w for w in everyone if can(w, "api.person:list")}
    assert set(who_can("api.person:list")) == {person, bob, root}
    assert set(who_can("api.person:retrieve")) == {person, bob, cleo, root}


def test_who_can_knows_the_built_in_roles(person):
    staff = make_person("sue", is_staff=True)
    role("staff", "allow api.person:read")
    role("authenticated", "allow plain:read")
    assert set(who_can("api.person:list")) == {staff}
    assert set(who_can("plain:GET")) == {staff, person}


def test_access_of_lists_all_that_somebody_may_do(person):
    give(person, role("clerk", "allow api.person:list,create", "allow plain:read"))
    found = {reach.access: reach for reach in access_of(person)}
    assert {"api.person:list", "api.person:create", "plain:GET"} <= set(found)
    assert "api.person:destroy" not in found
    assert "POST" in found["api.person:create"].methods
    assert not found["api.person:create"].conditional
    assert all("pk" not in route for route in found["api.person:create"].routes)


def test_what_was_rolled_back_was_never_there(person):
    with transaction.atomic():
        give(person, role("clerk", "allow api.person:read"))
        assert can(person, "api.person:list")
        transaction.set_rollback(True)
    assert not can(person, "api.person:list")


def test_a_savepoint_that_is_rolled_back_leaves_what_stood_before(person):
    give(person, role("clerk", "allow api.person:read"))
    with transaction.atomic():
        Rule.objects.all().delete()
        assert not can(person, "api.person:list")
        transaction.set_rollback(True)
    assert can(person, "api.person:list")


def test_a_rule_that_cannot_be_read_refuses_everybody(person):
    give(person, role("clerk", "allow api.person:read"))
    Rule.objects.update(endpoints="not a pattern!")
    assert decide(person, "api.person:list").reason == "rules_unavailable"
    assert decide(make_superuser(), "api.person:list").reason == "rules_unavailable"


def test_a_circle_of_inclusion_refuses_everybody(person):
    one, other = role("one", "allow api.person:read"), role("other")
    give(person, one)
    one.includes.add(other)
    other.includes.add(one)
    assert decide(person, "api.person:list").reason == "rules_unavailable"


@pytest.mark.usefixtures("no_look_at_the_feed_is_due")
def test_a_decision_asks_the_database_once_and_then_no_more(person, django_assert_num_queries):
    give(person, role("clerk", "allow api.person:read"))
    assert can(person, "api.person:list")
    with django_assert_num_queries(0):
        assert can(person, "api.person:list")
        assert not can(person, "api.person:create")


@pytest.mark.usefixtures("no_look_at_the_feed_is_due")
def test_an_object_check_is_one_query(person, django_assert_num_queries):
    give(person, role("clerk", "allow api.person:read when themselves"))
    assert can(person, "api.person:retrieve", person)
    with django_assert_num_queries(1):
        assert can(person, "api.person:retrieve", person)


def test_django_permissions_of_roles_count_in_has_perm(person):
    clerk = role("clerk")
    clerk.permissions.add(Permission.objects.get(codename="view_group"))
    give(person, clerk)
    again = get_user_model().objects.get(pk=person.pk)
    assert again.has_perm("auth.view_group")
    assert "auth.view_group" in again.get_all_permissions()
    assert not again.has_perm("auth.add_group")
    assert not again.has_perm("auth.view_group", obj=clerk)
    make_person("bob")
    holding = AuthkitBackend().with_perm("auth.view_group", include_superusers=False)
    assert list(holding) == [person]
