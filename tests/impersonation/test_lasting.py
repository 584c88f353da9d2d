"""As long as it lasts, all of it is asked again; what does not hold any more ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import override_settings
from django.utils import timezone

from authkit import sessions
from authkit.models import AuditEvent, UserSession
from tests.access.writing import give as assign
from tests.access.writing import role
from tests.impersonation.world import HTML, ON, WAY_BACK, Browser, give, page_of, take
from tests.people import make_person

pytestmark = [pytest.mark.urls("tests.impersonation.urls"), pytest.mark.django_db]


def the_one() -> UserSession:
    return UserSession.objects.get(impersonator_session_id__isnull=False)


def own_of(ada: Any) -> UserSession:
    return UserSession.objects.get(user=ada)


def promote_by_flag(ada: Any, bob: Any) -> None:
    get_user_model()._default_manager.filter(pk=bob.pk).update(is_superuser=True)


def promote_by_permission(ada: Any, bob: Any) -> None:
    give(bob, "auth.delete_group")


def promote_by_group(ada: Any, bob: Any) -> None:
    group = Group.objects.create(name="payroll")
    group.permissions.add(Permission.objects.get(codename="delete_group"))
    bob.groups.add(group)


def promote_by_role(ada: Any, bob: Any) -> None:
    assign(bob, role("clerk", "allow pay.slip:read"))


def take_permission(ada: Any, bob: Any) -> None:
    take(ada, "authkit.impersonate_user")


def demote_administrator(ada: Any, bob: Any) -> None:
    get_user_model()._default_manager.filter(pk=ada.pk).update(is_staff=False)


def deactivate_administrator(ada: Any, bob: Any) -> None:
    get_user_model()._default_manager.filter(pk=ada.pk).update(is_active=False)


def deactivate_person(ada: Any, bob: Any) -> None:
    get_user_model()._default_manager.filter(pk=bob.pk).update(is_active=False)


def sign_administrator_out(ada: Any, bob: Any) -> None:
    sessions.end_all_of(ada.pk, reason="signed_out_everywhere", now=timezone.now())


def past_the_code(ada: Any, bob: Any) -> None:
    UserSession.objects.filter(user=ada).update(revoked_at=timezone.now())


def delete_own_session(ada: Any, bob: Any) -> None:
    UserSession.objects.filter(user=ada).delete()


def change_administrators_password(ada: Any, bob: Any) -> None:
    ada.set_password("another one that is long enough")
    ada.save()


def change_persons_password(ada: Any, bob: Any) -> None:
    bob.set_password("another one that is long enough")
    bob.save()


def sign_person_out_everywhere(ada: Any, bob: Any) -> None:
    sessions.end_all_of(bob.pk, reason="signed_out_everywhere", now=timezone.now())


def let_time_pass(ada: Any, bob: Any) -> None:
    UserSession.objects.filter(user=bob).update(expires_at=timezone.now())


ENDS = [
    promote_by_flag,
    promote_by_permission,
    promote_by_group,
    promote_by_role,
    demote_administrator,
    take_permission,
    deactivate_administrator,
    deactivate_person,
    sign_administrator_out,
    past_the_code,
    delete_own_session,
    change_administrators_password,
    change_persons_password,
    sign_person_out_everywhere,
    let_time_pass,
]


@pytest.mark.parametrize("happens", ENDS, ids=lambda happens: happens.__name__)
def test_it_ends_at_the_next_request(ada, bob, as_bob, happens):
    assert as_bob.who() == str(bob.pk)
    happens(ada, bob)
    assert as_bob.who() == 401
    for path in ("/shop/ours/", "/shop/djangos/", "/auth/me/", "/auth/sessions/"):
        answer = as_bob.client.get(path)
        assert answer.status_code in {401, 403} or answer.json()["user"] == "None"
    assert as_bob.client.get("/auth/session/").json()["user"] is None
    assert the_one().revoked_at is not None
    assert AuditEvent.objects.filter(kind="impersonation.ended").count() == 1


def test_it_does_not_come_back_to_life(ada, bob, as_bob):
    give(bob, "auth.delete_group")
    assert as_bob.who() == 401
    take(bob, "auth.delete_group")
    assert as_bob.who() == 401


def test_it_ends_when_it_is_switched_off(ada, bob, as_bob):
    with override_settings(AUTHKIT={"REFUSAL_TIME": 0}):
        assert as_bob.who() == 401
    assert as_bob.who() == 401


@override_settings(AUTHKIT={**ON, "IMPERSONATION_LIFETIME": timedelta(minutes=5)})
def test_its_time_is_limited_and_use_does_not_lengthen_it(bob, browser_of_ada):
    browser_of_ada.impersonate(bob)
    ends_at = the_one().expires_at
    assert timedelta(minutes=4) < ends_at - timezone.now() <= timedelta(minutes=5)
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    assert browser_of_ada.who() == str(bob.pk)
    assert the_one().expires_at == ends_at


def test_a_person_in_a_browser_is_led_back_when_it_is_over(ada, bob, as_bob):
    let_time_pass(ada, bob)
    answer = as_bob.get("/shop/page/")
    assert (answer.status_code, answer.headers["Location"]) == (302, WAY_BACK)
    page = as_bob.get(WAY_BACK)
    assert page.status_code == 200
    assert "no longer signed in as somebody else" in page.text
    assert as_bob.go_back().status_code == 302
    assert as_bob.who() == str(ada.pk)


def test_over_or_not_the_cookie_is_good_for_nothing_else(ada, bob, as_bob):
    let_time_pass(ada, bob)
    for path in ("/account/", "/account/devices/", "/admin/", page_of(make_person("carl"))):
        answer = as_bob.client.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (302, WAY_BACK)


def test_the_sign_in_of_an_administrator_who_is_gone_leads_nowhere(ada, bob, as_bob):
    delete_own_session(ada, bob)
    assert as_bob.who() == 401
    answer = as_bob.go_back()
    assert (answer.status_code, as_bob.who()) == (302, "None")


def test_a_row_past_the_code_is_no_way_in(ada, bob, browser_of_ada):
    """Nobody becomes somebody by a sign-in that names another sign-in as somebody else."""
    assert browser_of_ada.impersonate(bob).status_code == 302
    chain = the_one()
    carl: Any = make_person("carl")
    other = Browser(carl)
    UserSession.objects.filter(user=carl).update(impersonator_session_id=chain.pk)
    assert other.who() == 401
