"""Nobody gives what they don't have. What roles say and bring."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from authkit.access import acting
from authkit.access.refusals import (
    AccountHoldsMore,
    BrokenPolicy,
)
from authkit.models import Assignment, Endpoint, Role, Rule
from tests.access.guarded import refused
from tests.access.writing import columns, give, permission, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]


# What roles say


@pytest.mark.parametrize(
    "text",
    [
        "allow api.report:*",
        "allow *:*",
        "allow api.person:*",
        "allow api.person:destroy",
        "allow api.*:read",
        "allow api.report:GET when themselves",
    ],
)
def test_no_rule_is_written_that_reaches_further_than_ones_own(as_ada, desk, text):
    rule = Rule(role=desk, **columns(text))
    refused(rule.save)
    refused(lambda: Rule.objects.bulk_create([rule]))
    refused(lambda: Rule.objects.create(role=role("new"), **columns(text)))
    existing = desk.rules.get(endpoints="plain")

    def rewrite() -> None:
        for name, value in columns(text).items():
            setattr(existing, name, value)
        existing.save()

    refused(rewrite)
    refused(lambda: Rule.objects.filter(pk=existing.pk).update(**columns(text)))


def test_a_rule_within_ones_own_is_written(as_ada, desk):
    role("other", "allow api.person:list", "allow plain:GET when themselves", "deny *:*")


def test_a_rule_is_not_moved_into_ones_own_role(as_ada, desk, payroll):
    rule = payroll.rules.get()
    rule.role = desk
    refused(rule.save)
    refused(lambda: Rule.objects.filter(pk=rule.pk).update(role=desk))


def test_a_rule_that_is_switched_off_is_not_switched_on(as_ada, desk):
    with acting.as_system():
        rule = Rule.objects.create(role=desk, is_enabled=False, **columns("allow api.report:*"))
    rule.is_enabled = True
    refused(rule.save)
    refused(lambda: Rule.objects.filter(pk=rule.pk).update(is_enabled=True))


def test_a_stronger_rule_may_be_narrowed(as_ada, payroll):
    rule = payroll.rules.get()
    rule.actions = "GET"
    rule.save()
    rule.delete()


def test_no_deny_that_binds_oneself_goes(as_ada, desk):
    deny = desk.rules.get(effect="deny")
    refused(deny.delete)
    refused(lambda: Rule.objects.filter(pk=deny.pk).delete())
    refused(lambda: Rule.objects.filter(pk=deny.pk).update(is_enabled=False))
    for name, value in {
        "is_enabled": False,
        "effect": "allow",
        "endpoints": "api.nothing",
        "actions": "create",
        "condition": "themselves",
        "role": role("elsewhere"),
    }.items():
        changed = Rule.objects.get(pk=deny.pk)
        setattr(changed, name, value)
        refused(changed.save)
    refused(desk.delete)
    refused(lambda: Role.objects.filter(pk=desk.pk).delete())


def test_a_deny_may_be_widened(as_ada, desk):
    deny = desk.rules.get(effect="deny")
    deny.endpoints = "api.*"
    deny.save()


def test_a_role_with_a_deny_is_not_taken_off_oneself(ada, as_ada):
    with acting.as_system():
        bound = give(ada, role("bound", "allow api.person:list", "deny plain:*"))
    refused(bound.delete)
    bound.ends_at = timezone.now()
    refused(bound.save)
    refused(lambda: Assignment.objects.filter(pk=bound.pk).delete())


def test_a_deny_is_taken_off_somebody_who_then_reaches_no_more_than_oneself(as_ada, desk, payroll):
    with acting.as_system():
        suspended = role("suspended", "deny *:*")
        bob, cleo = make_person("bob"), make_person("cleo")
        give(bob, desk)
        give(cleo, payroll)
        of_bob, of_cleo = give(bob, suspended), give(cleo, suspended)
    of_bob.delete()
    refused(of_cleo.delete, AccountHoldsMore)


def test_what_is_denied_for_some_time_is_not_held(ada):
    give(ada, role("wide", "allow api.*:*"))
    bound = role("bound", "deny api.report:*")
    give(ada, bound, ends_at=timezone.now() + timedelta(days=1))
    with acting.as_person(ada):
        refused(bound.rules.get().delete)
        refused(lambda: give(make_person("bob"), Role.objects.get(slug="wide")))


# Inclusion


def test_no_stronger_role_is_included(as_ada, desk, payroll):
    refused(lambda: desk.includes.add(payroll))
    refused(lambda: desk.includes.set([payroll]))
    refused(lambda: payroll.included_by.add(desk))
    refused(lambda: role("shell").includes.add(payroll))
    assert not desk.includes.exists()


def test_a_deny_does_not_go_with_an_inclusion(as_ada, ada):
    with acting.as_system():
        outer, inner = role("outer"), role("inner", "deny api.report:*")
        outer.includes.add(inner)
        give(ada, outer)
    refused(lambda: outer.includes.remove(inner))
    refused(outer.includes.clear)
    refused(inner.included_by.clear)
    refused(outer.delete)


def test_no_circle_of_inclusion_is_made_by_anybody(root):
    one, other = role("one"), role("other")
    one.includes.add(other)
    with acting.as_person(root):
        refused(lambda: other.includes.add(one), BrokenPolicy)
        refused(lambda: one.includes.add(one), BrokenPolicy)


def test_no_rule_is_written_that_cannot_be_read(root, desk):
    with acting.as_person(root):
        refused(lambda: Rule.objects.create(role=desk, endpoints="no pattern!"), BrokenPolicy)
        refused(lambda: Rule.objects.update(actions="!"), BrokenPolicy)


# Names that mean something


@pytest.mark.parametrize("slug", ["anyone", "authenticated", "staff"])
def test_no_role_becomes_a_built_in_one(as_ada, payroll, slug):
    with acting.as_system():
        Role.objects.filter(slug=slug).delete()
    payroll.slug = slug
    refused(payroll.save)
    refused(lambda: Role.objects.filter(pk=payroll.pk).update(slug=slug))
    refused(lambda: Role.objects.create(slug=slug, name=slug))


# Permissions


def test_no_permission_is_given_that_one_lacks(as_ada, ada, desk):
    strong = permission("authkit.add_bearertoken")
    group = Group.objects.create(name="g")
    refused(lambda: desk.permissions.add(strong))
    refused(lambda: strong.authkit_roles.add(desk))
    refused(lambda: ada.user_permissions.add(strong))
    refused(lambda: strong.user_set.add(ada))
    refused(lambda: group.permissions.set([strong]))
    refused(lambda: strong.group_set.add(group))
    assert not type(ada).objects.get(pk=ada.pk).has_perm("authkit.add_bearertoken")


def test_a_permission_that_one_has_is_given(as_ada, desk):
    desk.permissions.add(permission("authkit.change_rule"))
    make_person("bob").user_permissions.add(permission("authkit.change_rule"))


# Endpoints


def test_an_endpoint_is_reviewed_only_by_who_holds_what_it_opens(ada, payroll):
    Rule.objects.create(role=payroll, **columns("allow api.*:*"))
    new = Endpoint.objects.create(key="api.person", found_at=timezone.now())
    narrow = role("narrow", "allow api.person:read")
    give(ada, narrow)
    with acting.as_person(ada):
        new.state = "active"
        refused(new.save)
        refused(lambda: Endpoint.objects.update(state="active"))
    give(ada, payroll)
    with acting.as_person(ada):
        new.save()


def test_a_returned_endpoint_is_not_made_new_by_deleting_its_row(as_ada, payroll):
    with acting.as_system():
        Rule.objects.create(role=payroll, **columns("allow api.person:*"))
        back = Endpoint.objects.create(key="api.person", state="returned", found_at=timezone.now())
    refused(back.delete)
    refused(lambda: Endpoint.objects.all().delete())
    back.key = "elsewhere"
    refused(back.save)


def test_a_rule_for_a_new_endpoint_takes_a_rule_that_counts_there(ada):
    Endpoint.objects.create(key="api.person", state="active", found_at=timezone.now())
    wide = role("wide", "allow *:*")
    give(ada, wide)
    with acting.as_person(ada):
        role("known", "allow api.person:read")
        refused(lambda: role("fresh", "allow api.report:read"))
