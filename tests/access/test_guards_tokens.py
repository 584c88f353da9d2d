"""Nobody gives what they don't have. Tokens that somebody made for another person."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from authkit import tokens
from authkit.access import acting
from authkit.models import Assignment, AuditEvent, BearerToken, Rule
from tests.access.writing import columns, give, permission, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]


# Tokens made for others


def issue(owner: Any, maker: Any) -> BearerToken:
    with acting.as_person(maker):
        made = tokens.issue_personal(owner, name="for them", now=timezone.now(), actor=maker)
    return BearerToken.objects.get(pk=made.id)


def is_live(token: BearerToken) -> bool:
    return BearerToken.objects.get(pk=token.pk).revoked_at is None


def test_a_token_made_for_a_junior_ends_when_they_are_promoted(ada, desk, payroll):
    bob = make_person("bob")
    token, own = issue(bob, ada), issue(bob, bob)
    assert (token.issued_by, own.issued_by) == (ada, None)
    give(bob, desk)
    assert is_live(token)
    give(bob, payroll)
    assert not is_live(token)
    assert is_live(own)
    assert AuditEvent.objects.filter(kind="token.revoked", data__token=token.pk).exists()


@pytest.mark.parametrize("how", ["group", "flag", "permission", "rule", "include", "role"])
def test_whatever_way_they_grow(ada, desk, payroll, how):
    bob = make_person("bob")
    give(bob, desk)
    token = issue(bob, ada)
    own = role("bobs")
    give(bob, own)
    assert is_live(token)
    group = Group.objects.create(name="g")
    Assignment.objects.create(group=group, role=payroll)
    {
        "group": lambda: bob.groups.add(group),
        "flag": lambda: promote(bob),
        "permission": lambda: bob.user_permissions.add(permission("auth.add_permission")),
        "rule": lambda: Rule.objects.create(role=own, **columns("allow api.report:*")),
        "include": lambda: own.includes.add(payroll),
        "role": lambda: own.permissions.add(permission("auth.add_permission")),
    }[how]()
    assert not is_live(token)


def promote(person: Any) -> None:
    person.is_superuser = True
    person.save()


@pytest.mark.parametrize("how", ["deactivated", "demoted", "deleted"])
def test_a_token_ends_with_what_its_maker_held(ada, desk, how):
    bob = make_person("bob")
    give(bob, desk)
    token = issue(bob, ada)
    if how == "deleted":
        ada.delete()
    elif how == "demoted":
        Assignment.objects.filter(user=ada).delete()
    else:
        ada.is_active = False
        ada.save()
    assert not is_live(token)
