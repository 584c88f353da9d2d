"""What goes along with a row that is removed is noticed as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS

from authkit.access import acting, loading
from authkit.access.questions import can
from authkit.access.refusals import LastKeyholder
from authkit.models import Assignment, AuditEvent, Role
from tests.access.guarded import refused
from tests.access.writing import give, permission, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

User: Any = get_user_model()

REMOVALS: list[Callable[[Any], object]] = [
    lambda row: row.delete(),
    lambda row: type(row).objects.filter(pk=row.pk).delete(),
]


@pytest.mark.parametrize("remove", REMOVALS)
def test_who_had_a_role_that_was_removed_has_not_its_namesake(remove):
    bob, desk = make_person("bob"), role("desk", "allow plain:GET")
    give(bob, desk)
    assert can(bob, "plain:GET")
    remove(desk)
    assert not can(bob, "plain:GET")
    role("desk", "allow plain:GET")
    assert not can(bob, "plain:GET")


@pytest.mark.parametrize("remove", REMOVALS)
def test_roles_do_not_bring_a_permission_that_is_gone(remove):
    bob, desk = make_person("bob"), role("desk")
    lost = permission("sessions.delete_session")
    desk.permissions.add(lost)
    give(bob, desk)
    assert User.objects.get(pk=bob.pk).has_perm("sessions.delete_session")
    remove(lost)
    assert not User.objects.get(pk=bob.pk).has_perm("sessions.delete_session")


@pytest.mark.parametrize("remove", REMOVALS)
def test_nor_one_whose_kind_of_object_is_gone(remove):
    bob, desk = make_person("bob"), role("desk")
    desk.permissions.add(permission("sessions.delete_session"))
    give(bob, desk)
    assert User.objects.get(pk=bob.pk).has_perm("sessions.delete_session")
    remove(ContentType.objects.get(app_label="sessions", model="session"))
    assert not User.objects.get(pk=bob.pk).has_perm("sessions.delete_session")


@pytest.mark.parametrize("remove", REMOVALS)
def test_the_permission_by_which_the_last_reach_the_pages_stays(root, ada, remove):
    with acting.as_system():
        User.objects.filter(pk=root.pk).update(is_superuser=False)
    key = permission("authkit.change_role")
    with acting.as_person(ada):
        refused(lambda: remove(key), LastKeyholder)
    assert Permission.objects.filter(pk=key.pk).exists()


def test_a_person_who_goes_takes_their_roles_along():
    bob, desk = make_person("bob"), role("desk", "allow plain:GET")
    give(bob, desk)
    before = loading.revision_in(DEFAULT_DB_ALIAS).people
    bob.delete()
    assert loading.revision_in(DEFAULT_DB_ALIAS).people > before
    assert Role.objects.filter(pk=desk.pk).exists()


@pytest.mark.parametrize("remove", REMOVALS)
def test_whoever_once_gave_a_role_to_one_who_holds_more_may_be_removed(root, ada, payroll, remove):
    bob = make_person("bob")
    given = Assignment.objects.get(user=root, role=payroll)
    Assignment.objects.filter(pk=given.pk).update(created_by=bob)
    events = AuditEvent.objects.filter(kind="access.assignments_changed").count()
    with acting.as_person(ada):
        remove(bob)
    given.refresh_from_db()
    assert given.created_by is None
    assert AuditEvent.objects.filter(kind="access.assignments_changed").count() == events


def by_save(made: Role, slug: str) -> None:
    made.slug = slug
    made.save()


def by_update(made: Role, slug: str) -> None:
    Role.objects.filter(pk=made.pk).update(slug=slug)


def by_bulk_update(made: Role, slug: str) -> None:
    made.slug = slug
    Role.objects.bulk_update([made], ["slug"])


@pytest.mark.parametrize("rename", [by_save, by_update, by_bulk_update])
def test_whoever_has_a_role_has_it_under_its_new_name_and_no_other(rename):
    bob = make_person("bob")
    desk, vault = role("desk", "allow plain:GET"), role("vault", "allow api.report:GET")
    give(bob, desk)
    assert can(bob, "plain:GET")
    rename(desk, "reception")
    assert can(bob, "plain:GET")
    rename(vault, "desk")
    assert can(bob, "plain:GET")
    assert not can(bob, "api.report:GET")
