"""What is done through a proxy of a model is guarded, noted and heard of like anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from authkit import tokens
from authkit.access import acting, loading
from authkit.access.questions import can
from authkit.access.refusals import AccountHoldsMore, LastKeyholder
from authkit.kernel.client import NOBODY
from authkit.models import Assignment, AuditEvent, BearerToken, Endpoint, Role, Rule
from tests.access.guarded import refused
from tests.access.writing import columns, give, permission, role
from tests.other_names.models import (
    Colleague,
    Gift,
    Line,
    Member,
    Pass,
    Place,
    Profile,
    Right,
    Team,
)
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

User: Any = get_user_model()
STRONG = "allow api.report:*"


def revision() -> loading.Revision:
    return loading.revision_in(DEFAULT_DB_ALIAS)


def kinds() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("kind", flat=True))


# Guarded


def test_no_rule_is_written_that_reaches_further_than_ones_own(as_ada, desk):
    mine = Line.objects.filter(role=desk, effect="allow").first()
    assert mine is not None
    mine.endpoints, mine.actions = "api.report", "*"
    new = Line(role=desk, **columns(STRONG))
    wider = {"endpoints": "api.report", "actions": "*"}
    for write in (
        mine.save,
        new.save,
        lambda: Line.objects.bulk_create([Line(role=desk, **columns(STRONG))]),
        lambda: Line.objects.bulk_update([mine], ["endpoints", "actions"]),
        lambda: Line.objects.filter(pk=mine.pk).update(**wider),
        lambda: Rule._base_manager.filter(pk=mine.pk).update(**wider),
        lambda: Rule._base_manager.bulk_create([Rule(role=desk, **columns(STRONG))]),
    ):
        refused(write)
    deny = Line.objects.filter(role=desk, effect="deny")
    refused(deny.delete)
    refused(deny.get().delete)
    assert not Rule.objects.filter(role=desk, endpoints="api.report").exists()


def test_no_role_is_renamed_given_or_removed_past_the_guards(as_ada, ada, desk, payroll):
    with acting.as_system():
        Role.objects.filter(slug__in=["anyone", "staff"]).delete()
    profile = Profile.objects.get(pk=desk.pk)
    profile.slug = "anyone"
    refused(profile.save)
    refused(lambda: Profile.objects.filter(pk=desk.pk).update(slug="staff"))
    refused(lambda: Profile.objects.filter(pk=desk.pk).delete())
    refused(Gift(user=ada, role=payroll).save)
    refused(lambda: Gift.objects.bulk_create([Gift(user=ada, role=payroll)]))
    refused(lambda: Gift.objects.filter(user=ada).update(role=payroll))
    refused(lambda: profile.includes.add(payroll))
    refused(lambda: profile.permissions.add(permission("sessions.delete_session")))


def test_no_endpoint_is_looked_at_past_the_guards(as_ada):
    with acting.as_system():
        role("somebody", "allow api.*:*")
        made = Endpoint.objects.create(key="api.report", found_at=timezone.now())
    place = Place.objects.get(pk=made.pk)
    place.state = "active"
    refused(place.save)
    refused(lambda: Place.objects.filter(pk=made.pk).update(state="active"))


def test_nobody_joins_a_stronger_group_by_another_name(as_ada, ada, payroll):
    with acting.as_system():
        strong, weak = Group.objects.create(name="strong"), Group.objects.create(name="weak")
        Assignment.objects.create(group=strong, role=payroll)
        ada.groups.add(weak)
    near = User._meta.get_field("groups").m2m_field_name()
    refused(lambda: Member.objects.bulk_create([Member(**{near: ada, "group": strong})]))
    refused(lambda: Member.objects.filter(group=weak).update(group=strong))
    refused(Member(**{near: ada, "group": strong}).save)
    lacking = permission("sessions.delete_session")
    refused(lambda: Team.objects.get(pk=weak.pk).permissions.add(lacking))
    assert set(ada.groups.all()) == {weak}


def test_nobody_renames_a_permission_or_takes_an_account_over(as_ada, ada, root):
    right = Right.objects.get(pk=permission("authkit.view_rule").pk)
    right.codename = "delete_session"
    refused(right.save)
    refused(lambda: Right.objects.filter(pk=right.pk).update(codename="delete_session"))
    refused(lambda: Colleague.objects.filter(pk=ada.pk).update(is_superuser=True))
    theirs = Colleague.objects.get(pk=root.pk)
    theirs.set_password("mine now, all mine")
    refused(theirs.save, AccountHoldsMore)


def test_the_last_group_by_which_somebody_reaches_the_pages_stays(root, ada):
    with acting.as_system():
        ada.user_permissions.clear()
        keepers = Group.objects.create(name="keepers")
        keepers.permissions.set(Permission.objects.filter(content_type__app_label="authkit"))
        ada.groups.add(keepers)
        User.objects.filter(pk=root.pk).update(is_superuser=False)
    with acting.as_person(ada):
        refused(Team.objects.get(pk=keepers.pk).delete, LastKeyholder)
        refused(lambda: Team.objects.filter(pk=keepers.pk).delete(), LastKeyholder)
    assert Group.objects.filter(pk=keepers.pk).exists()


# Noted and heard of


def made_team() -> Any:
    team: Any = Team.objects.create(name="team")
    Assignment.objects.create(group=team, role=role("desk", "allow plain:*"))
    return team


WAYS_OUT: list[Callable[[Team], object]] = [
    lambda team: team.delete(),
    lambda team: Team.objects.filter(pk=team.pk).delete(),
]


@pytest.mark.parametrize("remove", WAYS_OUT)
def test_a_group_that_is_removed_is_noted_and_its_members_lose_what_it_brought(remove):
    bob, team = make_person("bob"), made_team()
    bob.groups.add(team)
    assert can(bob, "plain:GET")
    remove(team)
    assert not can(bob, "plain:GET")
    assert kinds().count("access.group_removed") == 1


def test_a_permission_under_another_name_counts_at_once():
    right = Right.objects.get(pk=permission("sessions.delete_session").pk)
    holders = role("holders")
    holders.permissions.add(right)
    before = revision().policy
    right.codename = "burn_session"
    right.save()
    assert revision().policy > before
    before = revision().policy
    Right.objects.filter(pk=right.pk).update(codename="delete_session")
    assert revision().policy > before


def test_each_change_of_a_rule_counts_and_is_noted():
    bob, desk = make_person("bob"), role("desk")
    give(bob, desk)
    Line.objects.create(role=desk, **columns("allow plain:GET"))
    assert can(bob, "plain:GET")
    assert kinds()[-1] == "access.rule_added"
    Line.objects.update(is_enabled=False)
    assert not can(bob, "plain:GET")
    assert kinds()[-1] == "access.rules_changed"
    line = Line.objects.get()
    line.is_enabled = True
    line.save()
    assert can(bob, "plain:GET")
    assert kinds()[-1] == "access.rule_changed"
    line.delete()
    assert not can(bob, "plain:GET")
    assert kinds()[-1] == "access.rule_removed"
    Line.objects.bulk_create([Line(role=desk, **columns("allow plain:GET"))])
    assert can(bob, "plain:GET")
    assert kinds()[-1] == "access.rules_changed"
    Line.objects.all().delete()
    assert not can(bob, "plain:GET")
    assert kinds()[-1] == "access.rule_removed"


def test_each_change_of_a_role_and_of_who_has_it_is_noted():
    bob: Any = make_person("bob")
    profile: Any = Profile.objects.create(slug="desk", name="Desk")
    gift = Gift.objects.create(user=bob, role=profile)
    gift.ends_at = timezone.now() - timedelta(days=1)
    gift.save()
    gift.delete()
    profile.name = "Front desk"
    profile.save()
    profile.delete()
    assert [kind for kind in kinds() if kind.startswith("access.")] == [
        "access.role_added",
        "access.assignment_added",
        "access.assignment_changed",
        "access.assignment_removed",
        "access.role_changed",
        "access.role_removed",
    ]


def test_rows_that_are_loaded_from_a_file_count_at_once():
    bob, desk = make_person("bob"), role("desk", "allow plain:GET")
    give(bob, desk)
    text = serializers.serialize("json", Rule.objects.all())
    Rule.objects.all().delete()
    assert not can(bob, "plain:GET")
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert can(bob, "plain:GET")


# Tokens


def test_no_token_is_made_or_turned_over_past_the_guards(as_ada, ada, root):
    with acting.as_system():
        made = tokens.issue_personal(
            ada, name="a", scopes=None, expires_at=None, now=timezone.now(), client=NOBODY
        )
    mine = BearerToken.objects.get(pk=made.id)
    fields = {"created_at": timezone.now(), "digest": b"0" * 32, "name": "n"}
    refused(lambda: BearerToken(id="x" * 8, user=root, **fields).save(), AccountHoldsMore)
    refused(lambda: Pass(id="x" * 8, user=root, **fields).save(), AccountHoldsMore)
    mine.user = root
    refused(mine.save)
    refused(lambda: BearerToken.objects.filter(pk=mine.pk).update(user=root))
    refused(lambda: BearerToken.objects.bulk_update([mine], ["user"]))
    one = BearerToken(id="y" * 8, user=root, **fields)
    refused(lambda: BearerToken.objects.bulk_create([one]), AccountHoldsMore)
    assert not BearerToken.objects.filter(user=root).exists()
