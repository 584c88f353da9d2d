"""Nobody gives what they don't have, by writes of which Django sends no signal either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from authkit.access import acting, loading
from authkit.access.questions import can
from authkit.access.refusals import AccountHoldsMore, ExceedsOwnAccess, LastKeyholder
from authkit.models import Assignment, AuditEvent, Role
from tests.access.guarded import refused
from tests.access.writing import give, permission, role
from tests.people import make_person, make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

User: Any = get_user_model()
Write = Callable[[Any, dict[str, Any]], object]


def by_create(through: Any, row: dict[str, Any]) -> object:
    return through.objects.create(**row)


def by_save(through: Any, row: dict[str, Any]) -> object:
    return through(**row).save()


def by_bulk_create(through: Any, row: dict[str, Any]) -> object:
    return through.objects.bulk_create([through(**row)])


def by_bulk_create_of_a_generator(through: Any, row: dict[str, Any]) -> object:
    return through._base_manager.bulk_create(objs=(through(**row) for _ in range(1)))


def by_get_or_create(through: Any, row: dict[str, Any]) -> object:
    return through.objects.get_or_create(**row)


WRITES = pytest.mark.parametrize(
    "write",
    [by_create, by_save, by_bulk_create, by_bulk_create_of_a_generator, by_get_or_create],
)


def ends(field: Any, near: Any, far: Any) -> dict[str, Any]:
    return {field.m2m_field_name(): near, field.m2m_reverse_field_name(): far}


def relations(ada: Any, payroll: Role) -> list[tuple[Any, Any, Any]]:
    """Relations with two rows each that Ada must not bring together."""
    with acting.as_system():
        strong = Group.objects.create(name="strong")
        Assignment.objects.create(group=strong, role=payroll)
        mine = role("mine", "allow plain:GET")
    lacking = permission("sessions.delete_session")
    roles: Any = Role
    return [
        (User._meta.get_field("groups"), ada, strong),
        (User._meta.get_field("user_permissions"), ada, lacking),
        (Group._meta.get_field("permissions"), Group.objects.create(name="g"), lacking),
        (roles._meta.get_field("permissions"), mine, lacking),
        (roles._meta.get_field("includes"), mine, payroll),
    ]


@WRITES
def test_a_row_of_a_relation_gives_no_more_than_one_holds(as_ada, ada, payroll, write: Write):
    for field, near, far in relations(ada, payroll):
        through = field.remote_field.through
        before = through.objects.count()
        row = ends(field, near, far)
        refused(lambda t=through, r=row: write(t, r))
        assert through.objects.count() == before


def test_a_row_of_a_relation_is_not_turned_into_a_stronger_one(as_ada, ada, payroll):
    for field, near, far in relations(ada, payroll):
        through = field.remote_field.through
        weak: Any = role("weak")
        if isinstance(far, Permission):
            weak = permission("authkit.view_rule")
        elif isinstance(far, Group):
            weak = Group.objects.create(name="weak")
        row, _ = through.objects.get_or_create(**ends(field, near, weak))
        name = field.m2m_reverse_field_name()
        mine = through.objects.filter(pk=row.pk)
        refused(lambda q=mine, n=name, f=far: q.update(**{n: f}))
        refused(lambda q=mine, n=name, f=far: q.update(**{f"{n}_id": f.pk}))
        refused(lambda q=mine, n=name, f=far: q.update(**{n: Value(f.pk)}))
        setattr(row, name, far)
        refused(row.save)
        refused(lambda t=through, r=row, n=name: t.objects.bulk_update([r], [n]))
        assert through.objects.filter(**ends(field, near, weak)).exists()


def test_a_row_is_not_deleted_that_denies(as_ada, ada):
    with acting.as_system():
        group = Group.objects.create(name="g")
        Assignment.objects.create(group=group, role=role("bound", "deny plain:*"))
        ada.groups.add(group)
    through = User._meta.get_field("groups").remote_field.through
    refused(through.objects.get(group=group).delete)
    refused(through.objects.filter(group=group).delete)
    assert ada.groups.exists()


def test_a_row_about_somebody_stronger_is_not_touched(as_ada, root):
    group = Group.objects.create(name="harmless")
    field = User._meta.get_field("groups")
    through = field.remote_field.through
    refused(lambda: through.objects.create(**ends(field, root, group)), AccountHoldsMore)
    with acting.as_system():
        root.groups.add(group)
    refused(through.objects.filter(group=group).delete, AccountHoldsMore)


def test_what_one_holds_is_given_by_a_row_and_noted_once(as_ada, ada, desk):
    group = Group.objects.create(name="desk")
    with acting.as_system():
        Assignment.objects.create(group=group, role=desk)
    field = User._meta.get_field("groups")
    bob = make_person("bob")
    row = field.remote_field.through.objects.create(**ends(field, bob, group))
    event = AuditEvent.objects.get(kind="access.person_groups_changed")
    assert (event.actor, event.subject, event.data["added"]) == (ada, str(bob.pk), ["desk"])
    row.delete()
    assert AuditEvent.objects.filter(kind="access.person_groups_changed").count() == 2
    bob.groups.add(group)
    bob.groups.add(group)  # once more changes nothing
    assert AuditEvent.objects.filter(kind="access.person_groups_changed").count() == 3


def test_a_row_counts_at_once(desk):
    bob, group = make_person("bob"), Group.objects.create(name="g")
    Assignment.objects.create(group=group, role=desk)
    field = User._meta.get_field("groups")
    through = field.remote_field.through
    assert not can(bob, "plain:GET")
    row = through.objects.create(**ends(field, bob, group))
    assert can(bob, "plain:GET")
    row.delete()
    assert not can(bob, "plain:GET")
    through.objects.bulk_create([through(**ends(field, bob, group))])
    assert can(bob, "plain:GET")
    through.objects.all().delete()
    assert not can(bob, "plain:GET")
    includes: Any = Role._meta.get_field("includes")
    outer = role("outer")
    give(bob, outer)
    includes.remote_field.through.objects.create(**ends(includes, outer, desk))
    assert can(bob, "plain:GET")


# Users


def test_nobody_makes_a_superuser_by_an_update(as_ada, ada):
    mine = User.objects.filter(pk=ada.pk)
    ada.is_superuser = True
    for make in (
        lambda: mine.update(is_superuser=True),
        lambda: mine.values("pk").update(is_superuser=True),
        lambda: mine.update(is_superuser=F("is_active")),
        lambda: User._base_manager.filter(pk=ada.pk).update(is_superuser=True),
        lambda: User.objects.bulk_update([ada], ["is_superuser"]),
        lambda: User.objects.bulk_create(
            [User(**{User.USERNAME_FIELD: "new@example.com"}, is_superuser=True)]
        ),
        lambda: User.objects.bulk_create(
            [User(pk=ada.pk, **{User.USERNAME_FIELD: "n@example.com"}, is_active=False)],
            update_conflicts=True,
            update_fields=["is_active"],
            unique_fields=["pk"],
        ),
    ):
        refused(make)
    assert not User.objects.get(pk=ada.pk).is_superuser


def test_an_update_touches_nobody_who_holds_more(as_ada, root):
    theirs = User.objects.filter(pk=root.pk)
    root.set_password("mine now, all mine")
    for values in (
        {"is_active": False},
        {"is_staff": False},
        {"password": root.password},
        {"email": "mine@example.com"},
        {User.USERNAME_FIELD: "mine@example.com"},
    ):
        refused(lambda v=values: theirs.update(**v), AccountHoldsMore)
        refused(lambda v=values: User.objects.update(**v), AccountHoldsMore)
    refused(lambda: User.objects.bulk_update([root], ["password"]), AccountHoldsMore)
    refused(lambda: theirs.update(email=Concat("email", Value("x"))))


def test_nothing_passes_by_under_another_key(as_ada, ada, root, desk, payroll):
    own = Assignment.objects.filter(user=ada, role=desk)
    theirs = payroll.rules.all()
    key = -1 if isinstance(ada.pk, int) else UUID(int=1)
    refused(lambda: own.update(id=-1, role=payroll))
    refused(lambda: theirs.update(id=-1, role=desk))
    refused(lambda: User.objects.filter(pk=ada.pk).update(id=key, is_superuser=True))


class Generous(QuerySet[Any]):
    """Does more in an update than it says."""

    def update(self, **values: Any) -> int:
        User.objects.exclude(is_superuser=True).update(is_superuser=True)
        return super().update(**values)


def test_what_else_a_queryset_writes_within_a_bulk_update_is_asked_about(as_ada, desk):
    desk.name = "Front desk"
    refused(lambda: Generous(Role).bulk_update([desk], ["name"]))


def test_batches_may_be_given_a_size_by_position(as_ada, desk):
    desk.name = "Front desk"
    assert Role.objects.bulk_update([desk], ["name"], 10) == 1


def test_what_is_not_watched_is_updated_as_ever(as_ada, root, django_assert_num_queries):
    moment = timezone.now()
    with django_assert_num_queries(1):
        User.objects.filter(pk=root.pk).update(last_login=moment)
    with django_assert_num_queries(1):  # how a row is locked
        User.objects.filter(pk=root.pk).update(password=F("password"))
    assert User.objects.get(pk=root.pk).last_login == moment


def test_an_update_that_one_may_make_is_made_and_noted(as_ada, ada, desk):
    bob = make_person("bob")
    give(bob, desk)
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    event = AuditEvent.objects.get(kind="access.person_flags_changed", subject=str(bob.pk))
    assert (event.actor, event.data["after"]) == (ada, {"is_staff": True})


def test_the_last_superuser_stays_in_an_update(root):
    other = make_superuser("other")
    with acting.as_person(root):
        for values in ({"is_superuser": False}, {"is_active": False}, {"password": "!"}):
            refused(lambda v=values: User.objects.update(**v), LastKeyholder)
        User.objects.filter(pk=other.pk).update(is_superuser=False)
    assert User.objects.filter(is_superuser=True, is_active=True).get() == root


def test_flags_that_nobody_set_are_noted_too_and_count(db):
    bob = make_person("bob")
    before = loading.revision_in(DEFAULT_DB_ALIAS).people
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    assert loading.revision_in(DEFAULT_DB_ALIAS).people > before
    assert AuditEvent.objects.filter(kind="access.person_flags_changed").count() == 1
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    assert AuditEvent.objects.filter(kind="access.person_flags_changed").count() == 1


def test_after_a_refusal_the_transaction_goes_on(as_ada, ada):
    with transaction.atomic():
        with pytest.raises(ExceedsOwnAccess):
            User.objects.filter(pk=ada.pk).update(is_superuser=True)
        User.objects.filter(pk=ada.pk).update(is_staff=False)
    assert not User.objects.get(pk=ada.pk).is_staff


# Names of permissions


def test_nobody_renames_a_permission_into_a_stronger_one(as_ada):
    mine = permission("authkit.view_rule")
    kind = ContentType.objects.get(app_label="sessions", model="session")
    mine.codename = "delete_session"
    refused(mine.save)
    refused(lambda: mine.save(update_fields=["codename"]))
    mine = permission("authkit.view_rule")
    mine.content_type = kind
    refused(mine.save)
    these = Permission.objects.filter(pk=mine.pk)
    refused(lambda: these.update(content_type=kind))
    refused(lambda: these.update(codename="delete_session"))
    refused(lambda: Permission.objects.bulk_update([mine], ["content_type"]))
    kind.app_label = "authkit"
    refused(kind.save)
    refused(lambda: ContentType.objects.filter(pk=kind.pk).update(app_label="authkit"))
    these.update(name="Can look at rules")
