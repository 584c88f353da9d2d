"""Nobody gives what they don't have. Who gets what, and whose account is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from authkit import audit
from authkit.access import acting
from authkit.access.refusals import (
    AccountHoldsMore,
    ExceedsOwnAccess,
)
from authkit.models import Assignment, AuditEvent, BearerToken, Role
from tests.access.guarded import refused
from tests.access.writing import give, permission, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]


# Roles given


def test_a_role_that_one_does_not_have_is_given_to_nobody(ada, as_ada, payroll):
    refused(lambda: give(ada, payroll))
    refused(lambda: give(make_person("bob"), payroll))
    group = Group.objects.create(name="g")
    refused(lambda: Assignment.objects.create(group=group, role=payroll))
    refused(lambda: Assignment.objects.bulk_create([Assignment(user=ada, role=payroll)]))


def test_a_role_that_one_has_is_given(as_ada, ada, desk):
    given = give(make_person("bob"), desk)
    assert given.created_by == ada


def test_a_role_within_ones_own_is_given(as_ada):
    with acting.as_system():
        narrow = role("narrow", "allow api.person:list", "allow plain:GET when themselves")
    give(make_person("bob"), narrow)


def test_a_role_with_a_permission_that_one_lacks_is_not_given(as_ada):
    with acting.as_system():
        strong = role("strong")
        strong.permissions.add(permission("authkit.add_bearertoken"))
    refused(lambda: give(make_person("bob"), strong))


def test_an_assignment_is_not_moved_to_a_stronger_role(as_ada, ada, desk, payroll):
    own = Assignment.objects.get(user=ada)

    def move() -> None:
        own.role = payroll
        own.save()

    refused(move)
    refused(lambda: Assignment.objects.filter(user=ada).update(role=payroll))
    refused(lambda: Assignment.objects.bulk_update([own], ["role"]))
    assert Assignment.objects.get(user=ada).role == desk


@pytest.mark.parametrize("longer", [timedelta(days=2), None])
def test_nobody_extends_their_own_assignment(ada, desk, longer):
    now = timezone.now()
    Assignment.objects.filter(user=ada).update(ends_at=now + timedelta(days=1))
    own = Assignment.objects.get(user=ada)
    with acting.as_person(ada):
        own.ends_at = longer and now + longer
        refused(own.save)
        refused(lambda: Assignment.objects.filter(user=ada).update(ends_at=own.ends_at))
        refused(lambda: give(make_person("bob"), desk))
        give(make_person("cleo"), desk, ends_at=now + timedelta(hours=1))


def test_nobody_brings_forward_what_they_will_have(ada, payroll):
    begins_at = timezone.now() + timedelta(days=1)
    own = give(ada, payroll, starts_at=begins_at)
    with acting.as_person(ada):
        own.starts_at = None
        refused(own.save)
        refused(lambda: give(make_person("bob"), payroll))


def test_an_assignment_that_is_over_is_not_revived(ada, payroll):
    own = give(ada, payroll, ends_at=timezone.now() - timedelta(days=1))
    with acting.as_person(ada):
        own.ends_at = timezone.now() + timedelta(days=1)
        refused(own.save)


# Groups


def test_nobody_joins_a_group_that_brings_more(as_ada, ada, payroll):
    with acting.as_system():
        with_role, with_permission = Group.objects.create(name="r"), Group.objects.create(name="p")
        Assignment.objects.create(group=with_role, role=payroll)
        with_permission.permissions.add(permission("authkit.add_bearertoken"))
    for group in (with_role, with_permission):
        refused(lambda group=group: ada.groups.add(group))
        refused(lambda group=group: ada.groups.set([group]))
        refused(lambda group=group: group.user_set.add(ada))
        refused(lambda group=group: make_person(f"p{group.pk}").groups.add(group))


def test_nobody_leaves_a_group_that_denies(as_ada, ada):
    with acting.as_system():
        group = Group.objects.create(name="g")
        Assignment.objects.create(group=group, role=role("bound", "deny plain:*"))
        ada.groups.add(group)
    refused(lambda: ada.groups.remove(group))
    refused(ada.groups.clear)
    refused(group.user_set.clear)
    refused(group.delete)
    refused(lambda: Group.objects.all().delete())


# Flags and accounts


def test_nobody_makes_a_superuser(as_ada, ada):
    ada.is_superuser = True
    refused(ada.save)
    refused(lambda: ada.save(update_fields=["is_superuser"]))
    refused(lambda: make_person("new", is_superuser=True))


def test_who_is_not_staff_makes_nobody_staff(person_without_flags):
    with acting.as_person(person_without_flags):
        person_without_flags.is_staff = True
        refused(person_without_flags.save)
        refused(lambda: make_person("new", is_staff=True))


@pytest.fixture
def person_without_flags(root):
    return make_person("plain")


def strong_people() -> list[Any]:
    payroll = Role.objects.get(slug="payroll")
    by_role, by_group, later = make_person("by-role"), make_person("by-group"), make_person("later")
    give(by_role, payroll)
    group = Group.objects.create(name="strong")
    Assignment.objects.create(group=group, role=payroll)
    by_group.groups.add(group)
    give(later, payroll, starts_at=timezone.now() + timedelta(days=1))
    gone = make_person("gone", is_active=False)
    give(gone, payroll)
    by_permission = make_person("by-permission")
    by_permission.user_permissions.add(permission("authkit.add_bearertoken"))
    return [by_role, by_group, later, gone, by_permission, get_user_model().objects.get(pk=ROOT())]


def ROOT() -> Any:  # noqa: N802
    return get_user_model().objects.filter(is_superuser=True).values_list("pk", flat=True)[0]


def test_accounts_that_hold_more_are_not_touched(as_ada, desk):
    with acting.as_system():
        strong = strong_people()
        group = Group.objects.create(name="harmless")
    for somebody in strong:
        model = type(somebody)
        changes = {
            "email": "mine@example.com",
            model.USERNAME_FIELD: "mine@example.com",
            "is_active": not somebody.is_active,
            "is_staff": not somebody.is_staff,
        }
        for name, value in changes.items():
            fresh = model.objects.get(pk=somebody.pk)
            setattr(fresh, name, value)
            refused(fresh.save, AccountHoldsMore)
            refused(lambda f=fresh, n=name: f.save(update_fields=[n]), AccountHoldsMore)
        fresh = model.objects.get(pk=somebody.pk)
        fresh.set_password("mine now, all mine")
        refused(fresh.save, AccountHoldsMore)
        refused(model.objects.get(pk=somebody.pk).delete, AccountHoldsMore)
        refused(lambda pk=somebody.pk, m=model: m.objects.filter(pk=pk).delete(), AccountHoldsMore)
        refused(lambda who=somebody: who.groups.add(group), AccountHoldsMore)
        refused(lambda who=somebody: give(who, desk), AccountHoldsMore)
        refused(
            lambda who=somebody: who.user_permissions.add(permission("authkit.view_rule")),
            AccountHoldsMore,
        )
        refused(
            lambda who=somebody: BearerToken.objects.create(
                id=str(who.pk)[:30], digest="0" * 64, user=who, created_at=timezone.now()
            ),
            AccountHoldsMore,
        )


def test_an_account_is_not_taken_over_by_its_primary_key(as_ada, root):
    forged = type(root)(pk=root.pk, email="mine@example.com", password="x")
    refused(forged.save, AccountHoldsMore)


def test_accounts_that_hold_less_are_looked_after(as_ada, desk):
    bob = make_person("bob")
    give(bob, desk)
    bob.email = "bob@example.org"
    bob.is_staff = True
    bob.set_password("another long one")
    bob.save()
    bob.delete()


def test_one_looks_after_ones_own_account(as_ada, ada):
    ada.set_password("another long one")
    ada.email = "ada@example.org"
    ada.save()


# Who is not bound


def test_where_nobody_acts_nothing_is_guarded(ada, payroll):
    give(ada, payroll)
    ada.is_superuser = True
    ada.save()


def test_the_projects_own_code_may_act_as_the_system(as_ada, ada, payroll):
    with acting.as_system():
        give(ada, payroll)


def test_a_superuser_gives_everything(root, payroll, ada):
    with acting.as_person(root):
        give(ada, payroll)
        role("all", "allow *:*").includes.add(payroll)
        ada.is_superuser = True
        ada.save()


def test_a_refusal_outlives_what_it_rolled_back(as_ada, ada, payroll):
    written: list[audit.Written] = []
    with audit.of_request(written), pytest.raises(ExceedsOwnAccess) as refusal:
        give(ada, payroll)
    audit.rescue(written)
    assert refusal.value.code == "exceeds_own_access"
    assert "report:*" in refusal.value.text
    event = AuditEvent.objects.get(kind="access.refused")
    assert (event.actor, event.data["code"]) == (ada, "exceeds_own_access")
