"""A delegated administrator attacks over the admin site: forms, inlines, lists, actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from authkit import tokens
from authkit.models import Assignment, AuditEvent, BearerToken, Endpoint, Role, Rule
from tests.access.writing import give, permission, role
from tests.admin.pages import act, signed_in, url
from tests.people import make_person, make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.admin.urls_of_stock")]

FLAGS = ("is_active", "is_staff", "is_superuser")
STOCK = pytest.mark.default_user_only


@pytest.fixture
def root():
    return make_superuser()


@pytest.fixture
def payroll(root) -> Role:
    made = role("payroll", "allow pay.slip:*")
    made.permissions.add(permission("sessions.delete_session"))
    give(root, made)
    return made


@pytest.fixture
def ada(payroll) -> Any:
    """Staff with all permissions of authkit and auth, and a role that denies her something."""
    ada = make_person("ada", is_staff=True)
    labels = {"authkit", "auth", get_user_model()._meta.app_label}
    ada.user_permissions.set(Permission.objects.filter(content_type__app_label__in=labels))
    give(ada, role("desk", "allow desk.*:*", "deny desk.safe:*"))
    give(ada, role("clerk", "allow desk.*:*"))
    return ada


@pytest.fixture
def client(ada):
    return signed_in(ada)


def fresh(row: Any) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


def management(prefix: str, initial: int = 0, total: int | None = None) -> dict[str, Any]:
    return {
        f"{prefix}-TOTAL_FORMS": initial if total is None else total,
        f"{prefix}-INITIAL_FORMS": initial,
    }


def role_form(of: Role, **changes: Any) -> dict[str, Any]:
    """What the page of a role sends."""
    form: dict[str, Any] = {
        "name": of.name,
        "slug": of.slug,
        "description": "",
        "includes": [included.pk for included in of.includes.all()],
        "permissions": [each.pk for each in of.permissions.all()],
    }
    form |= management("rules", of.rules.count()) | management("assignments", 0)
    for place, rule in enumerate(of.rules.order_by(*Rule._meta.ordering)):
        its = {
            "id": rule.pk,
            "role": of.pk,
            "effect": rule.effect,
            "endpoints": rule.endpoints,
            "actions": rule.actions,
            "condition": rule.condition,
            "is_enabled": "on",
        }
        form |= {f"rules-{place}-{name}": value for name, value in its.items()}
    given = of.assignments.order_by(*Assignment._meta.ordering)
    form |= management("assignments", given.count())
    for place, assignment in enumerate(given):
        form |= {
            f"assignments-{place}-id": assignment.pk,
            f"assignments-{place}-role": of.pk,
            f"assignments-{place}-user": assignment.user_id,
        }
    return form | changes


def assert_refused(response: Any, status: int = 200) -> None:
    """A form with an error, or a page that says no; in both cases in words."""
    assert response.status_code == status
    assert "errornote" in response.text
    assert "hold" in response.text
    assert AuditEvent.objects.filter(kind="access.refused").exists()


# Roles


def test_pages_are_there(client, ada, payroll):
    for model in (Role, Assignment, Endpoint, get_user_model(), Group):
        assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(Role, "add")).status_code == 200
    assert client.get(url(Assignment, "add")).status_code == 200
    for row in (payroll, *Assignment.objects.all()):
        assert client.get(url(type(row), "change", row.pk)).status_code == 200


def test_an_honest_change_of_a_role_is_saved(client, ada):
    desk = Role.objects.get(slug="desk")
    form = role_form(desk, name="The desk") | management("rules", 2, 3)
    form |= {
        "rules-2-effect": "allow",
        "rules-2-endpoints": "desk.drawer",
        "rules-2-actions": "read",
        "rules-2-condition": "",
        "rules-2-is_enabled": "on",
    }
    response = client.post(url(Role, "change", desk.pk), form)
    assert response.status_code == 302, response.context["errors"]
    assert fresh(desk).name == "The desk"
    event = AuditEvent.objects.filter(kind="access.rule_added", actor=ada).get()
    assert event.data["after"]["rule"] == "allow desk.drawer:read"


def test_an_own_rule_is_not_written(client):
    desk = Role.objects.get(slug="desk")
    form = role_form(desk, name="Mine") | management("rules", 2, 3)
    form |= {
        "rules-2-effect": "allow",
        "rules-2-endpoints": "pay.*",
        "rules-2-actions": "*",
        "rules-2-condition": "",
        "rules-2-is_enabled": "on",
    }
    response = client.post(url(Role, "change", desk.pk), form)
    assert_refused(response)
    assert "pay.*" in response.text
    assert (fresh(desk).name, desk.rules.count()) == (desk.name, 2)


def test_the_deny_on_oneself_is_not_deleted(client):
    desk = Role.objects.get(slug="desk")
    place = [rule.effect for rule in desk.rules.order_by(*Rule._meta.ordering)].index("deny")
    deleted = role_form(desk, **{f"rules-{place}-DELETE": "on"})
    assert_refused(client.post(url(Role, "change", desk.pk), deleted))
    off = role_form(desk)
    del off[f"rules-{place}-is_enabled"]
    assert_refused(client.post(url(Role, "change", desk.pk), off))
    assert desk.rules.filter(effect="deny", is_enabled=True).exists()


def test_a_stronger_role_is_not_included(client, payroll):
    desk = Role.objects.get(slug="desk")
    form = role_form(desk, includes=[payroll.pk])
    assert_refused(client.post(url(Role, "change", desk.pk), form))
    assert not desk.includes.exists()


def test_a_circle_is_an_error_of_the_form(client, ada):
    desk, inner = Role.objects.get(slug="desk"), role("inner")
    desk.includes.add(inner)
    response = client.post(url(Role, "change", inner.pk), role_form(inner, includes=[desk.pk]))
    assert response.status_code == 200
    assert "circle" in response.text
    assert not inner.includes.exists()


def test_a_stronger_permission_is_not_added_to_a_role(client, payroll):
    desk = Role.objects.get(slug="desk")
    strong = permission("sessions.delete_session")
    form = role_form(desk, permissions=[strong.pk])
    assert_refused(client.post(url(Role, "change", desk.pk), form))
    assert not desk.permissions.exists()


def test_a_role_is_given_to_nobody_by_its_own_page(client, ada, payroll):
    form = role_form(payroll) | management("assignments", 1, 2)
    form |= {"assignments-1-user": ada.pk, "assignments-1-role": payroll.pk}
    assert_refused(client.post(url(Role, "change", payroll.pk), form))
    assert not Assignment.objects.filter(user=ada, role=payroll).exists()


def test_a_role_that_binds_oneself_is_not_deleted(client):
    desk = Role.objects.get(slug="desk")
    response = client.post(url(Role, "delete", desk.pk), {"post": "yes"})
    assert_refused(response, 403)
    assert_refused(act(client, Role, "delete_selected", [desk], post="yes"), 403)
    assert Role.objects.filter(pk=desk.pk).exists()


def test_built_in_roles_have_no_one_to_be_given_to(client):
    staff, _ = Role.objects.get_or_create(slug="staff", defaults={"name": "Staff"})
    page = client.get(url(Role, "change", staff.pk))
    assert "assignments-TOTAL_FORMS" not in page.text
    assert client.post(url(Role, "delete", staff.pk), {"post": "yes"}).status_code == 403


# Assignments


def assignment_form(**changes: Any) -> dict[str, Any]:
    parts = ("starts_at_0", "starts_at_1", "ends_at_0", "ends_at_1", "user", "group")
    return dict.fromkeys(parts, "") | changes


def test_a_stronger_role_is_not_assigned(client, ada, payroll):
    group = Group.objects.create(name="g")
    for whom in ({"user": ada.pk}, {"group": group.pk}, {"user": make_person("bob").pk}):
        form = assignment_form(role=payroll.pk, **whom)
        assert_refused(client.post(url(Assignment, "add"), form))
        popup = client.post(url(Assignment, "add") + "?_popup=1", form | {"_popup": "1"})
        assert_refused(popup)
    assert Assignment.objects.filter(role=payroll).count() == 1


def test_a_role_of_ones_own_is_assigned(client, ada):
    bob = make_person("bob")
    form = assignment_form(role=Role.objects.get(slug="desk").pk, user=bob.pk)
    assert client.post(url(Assignment, "add"), form).status_code == 302
    assert Assignment.objects.get(user=bob).created_by == ada


def test_ones_own_assignment_is_not_extended(client, ada):
    ends_at = timezone.now() + timedelta(days=1)
    own = give(ada, role("deputy", "allow boss.*:*"), ends_at=ends_at)
    form = assignment_form(role=own.role_id, user=ada.pk)
    assert_refused(client.post(url(Assignment, "change", own.pk), form))
    assert fresh(own).ends_at == own.ends_at


def test_a_role_that_denies_is_not_taken_off_oneself(client, ada):
    own = Assignment.objects.get(user=ada, role__slug="desk")
    assert_refused(client.post(url(Assignment, "delete", own.pk), {"post": "yes"}), 403)
    assert_refused(act(client, Assignment, "delete_selected", [own], post="yes"), 403)
    assert Assignment.objects.filter(pk=own.pk).exists()


# Endpoints


def test_endpoints_are_looked_at_by_who_holds_what_they_open(client, ada, settings):
    settings.ROOT_URLCONF = "tests.access.urls"
    Rule.objects.create(role=Role.objects.get(slug="payroll"), endpoints="api.*", actions="*")
    row, _ = Endpoint.objects.get_or_create(
        key="api.person", defaults={"found_at": timezone.now(), "state": "new"}
    )
    Endpoint.objects.filter(pk=row.pk).update(state="new")
    assert_refused(act(client, Endpoint, "mark_as_looked_at", [row]), 403)
    assert fresh(row).state == "new"
    root = signed_in(get_user_model().objects.get(is_superuser=True))
    assert act(root, Endpoint, "mark_as_looked_at", [row]).status_code == 302
    assert fresh(row).state == "active"
    assert AuditEvent.objects.filter(kind="access.endpoint_reviewed", subject="api.person").exists()


def test_without_permission_nothing_is_looked_at(payroll):
    staff = make_person("sue", is_staff=True)
    staff.user_permissions.add(permission("authkit.view_endpoint"))
    row = Endpoint.objects.create(key="some.where", found_at=timezone.now())
    page = act(signed_in(staff), Endpoint, "mark_as_looked_at", [row])
    assert page.status_code in (200, 302)
    assert fresh(row).state == "new"


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
        own = list(Assignment.objects.filter(user=person))
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
        assert not Assignment.objects.filter(user=person, role=payroll).exists()


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
    token = BearerToken.objects.get(user=bob)
    assert token.issued_by == ada
    give(bob, payroll)
    assert fresh(token).revoked_at is not None


def test_a_token_of_ones_own_is_ones_own(ada):
    made = tokens.issue_personal(ada, name="own", now=timezone.now())
    assert BearerToken.objects.get(pk=made.id).issued_by is None
