"""Nobody reaches up through the admin site: forms, buttons, bulk actions, forged POSTs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from authkit import sessions, tokens
from authkit.models import AuditEvent, BearerToken, UserSession
from tests.admin.pages import HELPDESK, act, grant, make_staff, press, signed_in, url
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db


def superior_by_flag() -> AbstractUser:
    return make_person("boss", is_superuser=True)


def superior_by_permission() -> AbstractUser:
    boss = make_person("boss", is_staff=True)
    grant(boss, "change_group", app_label="auth")
    return boss


def superior_by_group() -> AbstractUser:
    group = Group.objects.create(name="bosses")
    group.permissions.add(Permission.objects.get(codename="delete_group"))
    boss = make_person("boss")
    boss.groups.add(group)
    return boss


def superior_if_active() -> AbstractUser:
    boss = superior_by_permission()
    type(boss).objects.filter(pk=boss.pk).update(is_active=False)
    return boss


SUPERIORS = [superior_by_flag, superior_by_permission, superior_by_group, superior_if_active]


@pytest.fixture(params=SUPERIORS)
def boss(request) -> Any:
    """Somebody who holds more than the help desk, with a session and a token."""
    person = make_person("template")  # keeps primary keys apart from what is asserted
    boss = request.param()
    now = timezone.now()
    active = type(boss).objects.get(pk=boss.pk)
    type(boss).objects.filter(pk=boss.pk).update(is_active=True)
    fresh = type(boss).objects.get(pk=boss.pk)
    sessions.start(fresh, "jwt", now=now)
    tokens.issue_personal(fresh, name="theirs", now=now)
    type(boss).objects.filter(pk=boss.pk).update(is_active=active.is_active)
    assert person.pk != boss.pk
    return active


@pytest.fixture
def desk(db):
    return signed_in(make_staff())


def unchanged(boss: Any) -> bool:
    is_live = not UserSession.objects.filter(user=boss, revoked_at__isnull=False).exists()
    return is_live and BearerToken.objects.get(user=boss).revoked_at is None


@pytest.mark.parametrize("action", ["end_sessions", "end_all_of_people"])
def test_sessions_of_somebody_who_holds_more_stay(desk, boss, action):
    session = UserSession.objects.get(user=boss)
    assert press(desk, session, action).status_code == 403
    assert act(desk, UserSession, action, [session]).status_code == 403
    assert unchanged(boss)


def test_one_such_person_among_many_stops_the_whole_action(desk, boss):
    now = timezone.now()
    others = [sessions.start(make_person(f"p{n}"), "jwt", now=now) for n in range(3)]
    rows = [*others, UserSession.objects.get(user=boss)]
    assert act(desk, UserSession, "end_sessions", rows).status_code == 403
    across = act(desk, UserSession, "end_sessions", others[:1], select_across="1")
    assert across.status_code == 403
    assert not UserSession.objects.filter(revoked_at__isnull=False).exists()


def test_tokens_of_somebody_who_holds_more_stay(desk, boss):
    token = BearerToken.objects.get(user=boss)
    assert press(desk, token, "revoke_tokens").status_code == 403
    assert act(desk, BearerToken, "revoke_tokens", [token]).status_code == 403
    assert unchanged(boss)


def test_no_token_is_made_for_somebody_who_holds_more(desk, boss):
    before = BearerToken.objects.count()
    form = {"user": boss.get_username(), "name": "mine now", "scopes": "authkit.me:read"}
    response = desk.post(url(BearerToken, "add"), form)
    assert response.status_code == (403 if boss.is_active else 200)
    assert BearerToken.objects.count() == before
    assert not AuditEvent.objects.filter(kind="token.created", data__name="mine now").exists()


def test_a_forged_field_does_not_choose_another_person(desk, boss):
    """Nor the token's text: what the form does not ask for is not taken."""
    ada = make_person("ada")
    form = {
        "user": ada.get_username(),
        "name": "backup",
        "scopes": "",
        "user_id": str(boss.pk),
        "id": "0" * 16,
        "digest": "0" * 64,
        "_popup": "1",
    }
    assert desk.post(url(BearerToken, "add"), form).status_code == 200
    token = BearerToken.objects.get(name="backup")
    assert (token.user, token.pk != "0" * 16, token.digest != "0" * 64) == (ada, True, True)


def test_pages_of_somebody_who_holds_more_have_no_buttons(desk, boss):
    for row in (UserSession.objects.get(user=boss), BearerToken.objects.get(user=boss)):
        response = desk.get(url(type(row), "change", row.pk))
        assert response.status_code == 200
        assert "authkit-end" not in response.text


def test_somebody_who_holds_the_same_may_be_touched(desk):
    colleague = make_staff("colleague", *HELPDESK)
    session = sessions.start(colleague, "jwt", now=timezone.now())
    assert press(desk, session, "end_sessions").status_code == 302
    assert UserSession.objects.get(pk=session.pk).revoked_at is not None
