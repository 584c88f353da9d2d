"""Who holds at least as much as whom."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission

from authkit.access.guards import holds_at_least
from tests.people import make_person

pytestmark = pytest.mark.django_db


def permission(codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label="authkit", codename=codename)


def test_everybody_holds_as_much_as_themselves(person, superuser):
    assert holds_at_least(person, person)
    assert holds_at_least(superuser, superuser)


def test_a_superuser_holds_as_much_as_anybody(person, superuser):
    assert holds_at_least(superuser, person)
    assert holds_at_least(superuser, make_person("other", is_superuser=True))


def test_nobody_else_holds_as_much_as_a_superuser(person, superuser):
    person.user_permissions.set(Permission.objects.all())
    assert not holds_at_least(person, superuser)


def test_a_superuser_who_is_deactivated_holds_nothing(person):
    assert not holds_at_least(make_person("gone", is_superuser=True, is_active=False), person)


def test_people_with_the_same_permissions_hold_as_much_as_each_other(person):
    other = make_person("bob")
    person.user_permissions.add(permission("view_usersession"))
    group = Group.objects.create(name="viewers")
    group.permissions.add(permission("view_usersession"))
    other.groups.add(group)
    assert holds_at_least(person, other)
    assert holds_at_least(other, person)


def test_more_permissions_hold_as_much_as_fewer_and_not_the_other_way_round(person):
    other = make_person("bob")
    person.user_permissions.add(permission("view_usersession"))
    assert holds_at_least(person, other)
    assert not holds_at_least(other, person)


def test_other_permissions_are_not_more(person):
    other = make_person("bob")
    person.user_permissions.add(permission("view_usersession"), permission("add_bearertoken"))
    other.user_permissions.add(permission("view_auditevent"))
    assert not holds_at_least(person, other)


def test_who_may_enter_the_admin_site_holds_more_than_who_may_not(person):
    staff = make_person("staff", is_staff=True)
    assert holds_at_least(staff, person)
    assert not holds_at_least(person, staff)


def test_what_was_loaded_before_a_change_does_not_count(person):
    other = make_person("bob")
    assert not other.has_perm("authkit.view_usersession")  # fills Django's cache on the instance
    other.user_permissions.add(permission("view_usersession"))
    assert not holds_at_least(person, other)


def test_a_deactivated_account_counts_for_what_it_would_hold(person):
    other = make_person("bob")
    other.user_permissions.add(permission("view_usersession"))
    other.is_active = False
    assert not holds_at_least(person, other)
    assert not other.is_active


def test_where_permissions_cannot_be_told_only_superusers_hold_more():
    somebody = SimpleNamespace(pk=1, is_active=True)
    other = SimpleNamespace(pk=2, is_active=True)
    superuser = SimpleNamespace(pk=3, is_active=True, is_superuser=True)
    assert not holds_at_least(somebody, other)
    assert holds_at_least(somebody, somebody)
    assert holds_at_least(superuser, other)
