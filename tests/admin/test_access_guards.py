"""A delegated administrator attacks over the admin site: roles, assignments, endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from authkit.models import Assignment, AuditEvent, Endpoint, Role, Rule
from tests.access.writing import give, permission, role
from tests.admin.delegated import assert_refused, fresh, management
from tests.admin.pages import act, signed_in, url
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.admin.urls_of_stock")]


@pytest.fixture
def client(ada):
    return signed_in(ada)


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
    for place, rule in enumerate(of.rules.order_by(*(Rule._meta.ordering or ()))):
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
    given = of.assignments.order_by(*(Assignment._meta.ordering or ()))
    form |= management("assignments", given.count())
    for place, assignment in enumerate(given):
        form |= {
            f"assignments-{place}-id": assignment.pk,
            f"assignments-{place}-role": of.pk,
            f"assignments-{place}-user": assignment.user_id,
        }
    return form | changes


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
    place = [rule.effect for rule in desk.rules.order_by(*(Rule._meta.ordering or ()))].index(
        "deny"
    )
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
    assert not Assignment.objects.filter(user_id=ada.pk, role=payroll).exists()


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
    assert Assignment.objects.get(user_id=bob.pk).created_by == ada


def test_ones_own_assignment_is_not_extended(client, ada):
    ends_at = timezone.now() + timedelta(days=1)
    own = give(ada, role("deputy", "allow boss.*:*"), ends_at=ends_at)
    form = assignment_form(role=own.role_id, user=ada.pk)
    assert_refused(client.post(url(Assignment, "change", own.pk), form))
    assert fresh(own).ends_at == own.ends_at


def test_a_role_that_denies_is_not_taken_off_oneself(client, ada):
    own = Assignment.objects.get(user_id=ada.pk, role__slug="desk")
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


def test_a_made_up_person_or_role_is_an_error_on_the_form(client):
    form = {"user": "nobody", "group": "no group", "role": "no role"}
    response = client.post(url(Assignment, "add"), form)
    assert response.status_code == 200
    assert "errorlist" in response.text
