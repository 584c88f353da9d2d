"""The last superuser, and the last who reaches the access pages, stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from authkit.access import acting
from authkit.access.keyholders import PERMISSIONS
from authkit.access.refusals import LastKeyholder
from authkit.models import Assignment, Role
from tests.access.writing import give, permission, role
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return make_superuser()


def refused(change: Any) -> None:
    with pytest.raises(LastKeyholder), transaction.atomic():
        change()


def with_flag(person: Any, **flags: bool) -> Any:
    fresh = get_user_model().objects.get(pk=person.pk)
    for name, value in flags.items():
        setattr(fresh, name, value)
    return fresh


WAYS = [{"is_active": False}, {"is_superuser": False}, {"is_staff": False}]


@pytest.mark.parametrize("flags", WAYS)
def test_the_last_superuser_keeps_their_flags(root, flags):
    with acting.as_person(root):
        refused(with_flag(root, **flags).save)
        refused(lambda: with_flag(root, **flags).save(update_fields=list(flags)))
        other = make_superuser("other")
        with_flag(root, **flags).save()
        assert other.is_superuser


def test_the_last_superuser_is_not_deleted(root):
    users = get_user_model().objects
    with acting.as_person(root):
        refused(users.get(pk=root.pk).delete)
        refused(users.filter(pk=root.pk).delete)
        refused(users.all().delete)


def test_all_superusers_at_once_are_not_deleted(root):
    make_superuser("other")
    with acting.as_person(root):
        refused(get_user_model().objects.filter(is_superuser=True).delete)
        get_user_model().objects.filter(pk=root.pk).delete()


def test_who_cannot_sign_in_does_not_count(root):
    make_superuser("no-password", password=None)
    gone = make_superuser("gone")
    with_flag(gone, is_active=False).save()
    with acting.as_person(root):
        refused(with_flag(root, is_superuser=False).save)
        locked = get_user_model().objects.get(pk=root.pk)
        locked.set_unusable_password()
        refused(locked.save)


def test_where_nobody_has_a_password_people_come_by_other_ways():
    one = make_superuser("one", password=None)
    make_superuser("other", password=None)
    with acting.as_person(one):
        with_flag(one, is_superuser=False).save()


def test_without_a_transaction_nothing_is_written(root, django_user_model):
    with acting.as_person(root), pytest.raises(LastKeyholder):
        with_flag(root, is_superuser=False).save()
    assert django_user_model.objects.get(pk=root.pk).is_superuser


# Where nobody is a superuser, those with the permissions are the keyholders.


@pytest.fixture
def keys() -> Role:
    keys = role("keys")
    keys.permissions.set(permission(name) for name in PERMISSIONS)
    return keys


def keeper(name: str = "kay") -> Any:
    return make_person(name, is_staff=True)


def test_the_last_who_reaches_the_pages_by_a_role_keeps_it(keys):
    kay = keeper()
    given = give(kay, keys)
    with acting.as_person(kay):
        refused(given.delete)
        refused(Assignment.objects.all().delete)
        given.ends_at = timezone.now()
        refused(given.save)
        given.ends_at = timezone.now() + timedelta(days=9)
        refused(given.save)
        refused(keys.delete)
        refused(lambda: keys.permissions.remove(permission(PERMISSIONS[0])))
        refused(keys.permissions.clear)
        refused(with_flag(kay, is_staff=False).save)
        refused(with_flag(kay, is_active=False).save)
        refused(get_user_model().objects.get(pk=kay.pk).delete)
        give(keeper("kim"), keys)
        Assignment.objects.get(user=kay).delete()


def test_the_last_who_reaches_the_pages_by_a_group_keeps_it(keys):
    kay = keeper()
    group = Group.objects.create(name="keepers")
    kay.groups.add(group)
    given = Assignment.objects.create(group=group, role=keys)
    with acting.as_person(kay):
        refused(given.delete)
        refused(group.delete)
        refused(lambda: kay.groups.remove(group))
        refused(group.user_set.clear)
        refused(lambda: kay.groups.set([]))


def test_the_last_who_reaches_the_pages_by_permission_keeps_it():
    kay = keeper()
    kay.user_permissions.set(permission(name) for name in PERMISSIONS)
    with acting.as_person(kay):
        refused(kay.user_permissions.clear)


def test_while_a_superuser_is_there_the_others_may_go(root, keys):
    kay = keeper()
    given = give(kay, keys)
    with acting.as_person(root):
        given.delete()
        keys.delete()
