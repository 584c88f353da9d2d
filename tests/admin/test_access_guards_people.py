"""A delegated administrator attacks over pages of people and groups, authkit's and others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from authkit import tokens
from authkit.models import Assignment, BearerToken, Role
from tests.access.writing import give, permission, role
from tests.admin.delegated import assert_refused, fresh, management
from tests.admin.pages import signed_in, url
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.admin.urls_of_stock")]


@pytest.fixture
def client(ada):
    return signed_in(ada)


FLAGS = ("is_active", "is_staff", "is_superuser")
STOCK = pytest.mark.default_user_only


# People: authkit's page, Django's own, and one that a project wrote without care


def person_form(person: Any, **changes: Any) -> dict[str, Any]:
    joined = timezone.localtime(person.date_joined)
    form: dict[str, Any] = {
        "username": person.username,
        "email": person.email,
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "groups": [group.pk for group in person.groups.all()],
        "user_permissions": [each.pk for each in person.user_permissions.all()],
        **{
            name: "on"
            for name in ("is_active", "is_staff", "is_superuser")
            if getattr(person, name)
        },
    }
    return form | management("authkit_assignments", 0) | changes


def page_of(site: str, person: Any, page: str = "change") -> str:
    return url(type(person), page, person.pk).replace("/admin/", f"/{site}/")


SITES = pytest.mark.parametrize("site", ["admin", "stock"])


def was_refused(response: Any) -> bool:
    """By the form, by a page that says no, or because the page asks for nothing."""
    return response.status_code in (200, 403)


@STOCK
@SITES
def test_an_honest_change_of_a_person_is_saved(client, site):
    bob = make_person("bob")
    group = Group.objects.create(name="harmless")
    form = person_form(bob, email="bob@example.org", groups=[group.pk], is_staff="on")
    response = client.post(page_of(site, bob), form)
    assert response.status_code == 302, response.text
    assert (fresh(bob).email, fresh(bob).is_staff) == ("bob@example.org", True)
    assert list(bob.groups.all()) == [group]


@STOCK
@SITES
def test_nobody_makes_themselves_a_superuser(client, ada, site):
    response = client.post(page_of(site, ada), person_form(ada, is_superuser="on"))
    assert response.status_code == (403 if site == "stock" else 302)
    assert not fresh(ada).is_superuser


@STOCK
@SITES
def test_nobody_joins_a_stronger_group(client, ada, payroll, site):
    group = Group.objects.create(name="payroll")
    Assignment.objects.create(group=group, role=payroll)
    for person in (ada, make_person("bob")):
        response = client.post(page_of(site, person), person_form(person, groups=[group.pk]))
        assert_refused(response, 403 if site == "stock" else 200)
        assert not person.groups.exists()


@STOCK
@SITES
def test_nobody_adds_a_permission_that_they_lack(client, ada, site):
    strong = permission("sessions.delete_session")
    for person in (ada, make_person("bob")):
        form = person_form(person)
        form["user_permissions"] = [*form["user_permissions"], strong.pk]
        assert_refused(client.post(page_of(site, person), form), 403 if site == "stock" else 200)
        assert not fresh(person).user_permissions.filter(pk=strong.pk).exists()


@STOCK
@SITES
def test_a_permission_is_not_added_to_a_group(client, ada, site):
    group = Group.objects.create(name="mine")
    ada.groups.add(group)
    strong = permission("sessions.delete_session")
    address = url(Group, "change", group.pk).replace("/admin/", f"/{site}/")
    response = client.post(address, {"name": "mine", "permissions": [strong.pk]})
    assert_refused(response, 403)
    assert not group.permissions.exists()


@STOCK
@SITES
@pytest.mark.django_db(transaction=True)
def test_a_stronger_account_is_not_touched(client, root, site):
    boss = make_person("boss")
    give(boss, Role.objects.get(slug="payroll"))
    for person in (root, boss):
        stored = fresh(person)
        changes: list[dict[str, Any]] = [
            {"email": "mine@example.com"},
            {"username": "mine"},
            {"is_staff": "on", "is_active": ""},
        ]
        for change in changes:
            response = client.post(page_of(site, person), person_form(person) | change)
            assert response.status_code == 403
        password = {
            "password1": "mine now, all mine",
            "password2": "mine now, all mine",
            "usable_password": "true",
        }
        address = f"/{site}/auth/user/{person.pk}/password/"
        assert client.post(address, password).status_code == 403
        assert client.post(page_of(site, person, "delete"), {"post": "yes"}).status_code == 403
        action = url(type(person), "changelist").replace("/admin/", f"/{site}/")
        form = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
        assert was_refused(client.post(action, form))
        now = fresh(person)
        for name in ("email", "username", "password", "is_active", "is_staff", "is_superuser"):
            assert getattr(now, name) == getattr(stored, name)


@STOCK
def test_a_page_that_a_project_wrote_without_care_is_guarded_as_well(client, ada, root, payroll):
    def line(person: Any, **changes: Any) -> dict[str, Any]:
        flags = ("is_active", "is_staff", "is_superuser")
        form = {"form-0-id": person.pk, "form-0-email": person.email, "_save": "Save"}
        form |= {f"form-0-{name}": "on" for name in flags if getattr(person, name)}
        return form | management("form", 1) | {f"form-0-{k}": v for k, v in changes.items()}

    address = "/careless/auth/user/"
    only = f"{address}?id={ada.pk}"
    assert_refused(client.post(only, line(ada, is_superuser="on")), 403)
    assert_refused(client.post(f"{address}?id={root.pk}", line(root, email="x@example.com")), 403)
    forged = {"email": root.email, "password": ada.password, "is_active": "on"}
    assert_refused(client.post(f"{address}{root.pk}/change/", forged), 403)
    assert not fresh(ada).is_superuser
    assert fresh(root).email == root.email
    assert fresh(root).password == root.password


@STOCK
def test_a_role_is_not_given_by_the_page_of_a_person(client, ada, payroll):
    for person in (ada, make_person("bob")):
        own = list(Assignment.objects.filter(user_id=person.pk))
        form = person_form(person) | management("authkit_assignments", len(own), len(own) + 1)
        for place, given in enumerate(own):
            form |= {
                f"authkit_assignments-{place}-id": given.pk,
                f"authkit_assignments-{place}-user": person.pk,
                f"authkit_assignments-{place}-role": given.role_id,
            }
        form |= {
            f"authkit_assignments-{len(own)}-role": payroll.pk,
            f"authkit_assignments-{len(own)}-user": person.pk,
        }
        assert_refused(client.post(page_of("admin", person), form))
        assert not Assignment.objects.filter(user_id=person.pk, role=payroll).exists()


@STOCK
def test_the_page_of_a_person_shows_what_they_may_do(client, ada, root):
    bob = make_person("bob")
    give(bob, role("profile", "allow desk.drawer:read"))
    for person, says in ((bob, "authkit_assignments"), (root, "everything: a superuser")):
        assert says in client.get(page_of("admin", person)).text
    assert 'name="_save"' not in client.get(page_of("admin", root)).text


@STOCK
@SITES
@pytest.mark.django_db(transaction=True)
def test_the_last_superuser_stays(root, payroll, site):
    client = signed_in(root)
    form = person_form(root)
    del form["is_superuser"]
    assert was_refused(client.post(page_of(site, root), form))
    form = person_form(root)
    del form["is_active"]
    assert was_refused(client.post(page_of(site, root), form))
    assert client.post(page_of(site, root, "delete"), {"post": "yes"}).status_code == 403
    address = f"/{site}/auth/user/"
    every = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    assert client.post(address, every).status_code == 403
    assert (fresh(root).is_superuser, fresh(root).is_active) == (True, True)


# Tokens


def test_no_token_is_minted_for_somebody_with_a_stronger_role(client, payroll):
    boss = make_person("boss")
    give(boss, payroll)
    form = {"user": boss.get_username(), "name": "mine now", "scopes": ""}
    assert client.post(url(BearerToken, "add"), form).status_code == 403
    assert not BearerToken.objects.exists()


def test_a_token_minted_for_a_junior_ends_with_their_promotion(client, ada, payroll):
    bob = make_person("bob")
    form = {"user": bob.get_username(), "name": "for bob", "scopes": ""}
    assert client.post(url(BearerToken, "add"), form).status_code == 200
    token = BearerToken.objects.get(user_id=bob.pk)
    assert token.issued_by == ada
    give(bob, payroll)
    assert fresh(token).revoked_at is not None


def test_a_token_of_ones_own_is_ones_own(ada):
    made = tokens.issue_personal(ada, name="own", now=timezone.now())
    assert BearerToken.objects.get(pk=made.id).issued_by is None
