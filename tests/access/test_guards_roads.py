"""Nobody gives what they don't have: every road, below the forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from authkit import audit, tokens
from authkit.access import acting
from authkit.access.refusals import (
    AccountHoldsMore,
    BrokenPolicy,
    ExceedsOwnAccess,
    GuardRefusal,
)
from authkit.models import Assignment, AuditEvent, BearerToken, Endpoint, Role, Rule
from tests.access.writing import columns, give, permission, role
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.access.urls"


@pytest.fixture
def root():
    return make_superuser()


@pytest.fixture
def ada(root) -> Any:
    """A delegated administrator: staff, all permissions to change access, no payroll."""
    ada = make_person("ada", is_staff=True)
    names = [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in MODELS]
    ada.user_permissions.set(permission(MODELS[name.split("_")[1]] + name) for name in names)
    return get_user_model().objects.get(pk=ada.pk)


MODELS = {
    "role": "authkit.",
    "rule": "authkit.",
    "assignment": "authkit.",
    "endpoint": "authkit.",
    "group": "auth.",
}


@pytest.fixture
def desk(ada) -> Role:
    """The role that Ada has."""
    made = role("desk", "allow api.person:read", "deny api.person:destroy", "allow plain:*")
    give(ada, made)
    return made


@pytest.fixture
def payroll(root) -> Role:
    made = role("payroll", "allow api.report:*")
    give(root, made)
    return made


@pytest.fixture
def as_ada(ada, desk, payroll) -> Iterator[None]:
    with acting.as_person(ada):
        yield


def refused(change: Any, refusal: type[GuardRefusal] = ExceedsOwnAccess) -> None:
    """The change is refused, and nothing of it is left."""
    with pytest.raises(refusal), transaction.atomic():
        change()


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
