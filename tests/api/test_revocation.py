"""What a logout really does: every way to end one, every credential, every door.

The table of DESIGN: in any mode cookie, token and refresh token die at the next request;
the access token dies within the bound of its mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.test import override_settings
from django.utils import timezone

from authkit import sessions
from authkit.models import AuditEvent, UserSession
from tests.api.callers import SIGN_INS, Caller, bearer, personal, sign_in, stranger, who
from tests.api.world import Clock, start_process
from tests.people import PASSWORD, make_person, make_superuser

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db(transaction=True)]

#: The modes are about tokens, not about whose they are: the usual one does for each user model.
_once = pytest.mark.default_user_only
MODES = [
    pytest.param("stateless", marks=_once),
    "denylist",
    pytest.param("stateful", marks=_once),
]

#: Views that let a stranger in, and see who asks; and what asks more of the caller.
OPEN = ["/api/open/", "/plain/", "/async/"]
CLOSED = ["/api/closed/", "/auth/me/"]
TOUCHING = ["/api/touching/", "/async/touching/"]
DOORS = [*OPEN, *CLOSED, *TOUCHING]


@dataclass
class World:
    """Ada, who is signed in at each door in each way with a device of its own."""

    ada: AbstractUser
    elsewhere: Caller
    personal: Caller
    gateway: Caller
    devices: dict[tuple[str, str], Caller] = field(default_factory=dict)
    password: str = PASSWORD

    def of_kind(self, kind: str) -> list[Caller]:
        return [caller for (each, _), caller in self.devices.items() if each == kind]

    def session_ids(self) -> list[str]:
        return [caller.session_id for caller in self.devices.values()]

    def looks_dead(self, text: str) -> bool:
        """Whether introspection, by somebody who may see everything, finds a token dead."""
        response = self.gateway.post("/auth/introspect/", {"token": text})
        assert response.status_code == 200
        return bool(response.json() == {"active": False})


def make_world(*doors: str) -> World:
    ada = make_person("ada")
    world = World(ada, sign_in("token", ada), personal(ada), personal(make_superuser()))
    world.devices = {(kind, door): sign_in(kind, ada) for kind in SIGN_INS for door in doors}
    return world


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world("/api/closed/")


# Ways to end sign-ins


def _people(world: World) -> Any:
    return get_user_model()._default_manager.filter(pk=world.ada.pk)


def one_by_one(world: World) -> None:
    for session_id in world.session_ids():
        assert world.elsewhere.delete(f"/auth/sessions/{session_id}/").status_code == 204


def each_for_itself(world: World) -> None:
    for (kind, _), caller in world.devices.items():
        key = caller.cookie
        assert caller.delete(f"/auth/{kind}/").status_code == 204
        if key is not None:  # somebody has kept a copy
            caller.client.cookies["sessionid"] = key


def all_others(world: World) -> None:
    assert world.elsewhere.delete("/auth/sessions/?others=true").status_code == 204


def everywhere(world: World) -> None:
    assert world.elsewhere.delete("/auth/sessions/").status_code == 204


def by_an_administrator(world: World) -> None:
    sessions.end_all_of(world.ada.pk, reason="ended_by_admin", now=timezone.now())


def deactivated_by_save(world: World) -> None:
    world.ada.is_active = False
    world.ada.save()


def deactivated_by_save_of_a_field(world: World) -> None:
    person = _people(world).get()
    person.is_active = False
    person.save(update_fields=["is_active"])


def deleted(world: World) -> None:
    _people(world).get().delete()


def deleted_by_queryset(world: World) -> None:
    _people(world).delete()


def new_password_by_save(world: World) -> None:
    person = _people(world).get()
    person.password = make_password("another")
    person.save()


def new_password_by_set_password(world: World) -> None:
    person = _people(world).get()
    person.set_password("another")
    person.save(update_fields=["password"])


def password_made_unusable(world: World) -> None:
    person = _people(world).get()
    person.set_unusable_password()
    person.save()


def deactivated_by_update(world: World) -> None:
    _people(world).update(is_active=False)


def new_password_by_update(world: World) -> None:
    _people(world).update(password=make_password("another"))


LOGOUTS = [one_by_one, each_for_itself, all_others, everywhere, by_an_administrator]
ACCOUNT = [
    deactivated_by_save,
    deactivated_by_save_of_a_field,
    deleted,
    deleted_by_queryset,
    new_password_by_save,
    new_password_by_set_password,
    password_made_unusable,
]
#: Past the model: nobody is told, but every look-up compares.
UNSEEN = [deactivated_by_update, new_password_by_update]
GONE = [deactivated_by_save, deactivated_by_save_of_a_field, deleted, deleted_by_queryset]
GONE = [*GONE, deactivated_by_update]

Way = Callable[[World], None]


def _name(way: Way) -> str:
    return way.__name__


def is_refused(response: Any) -> bool:
    return response.status_code == 401 and "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("way", [*LOGOUTS, *ACCOUNT, *UNSEEN], ids=_name)
@pytest.mark.parametrize("mode", MODES)
def test_all_die_at_the_next_request_and_the_access_token_within_the_bound_of_its_mode(
    mode: str, way: Way, transactional_db: None, clock: Clock
):
    world = make_world(*DOORS)
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode, "MAX_STALENESS": 60}):
        for (_, door), caller in world.devices.items():
            assert caller.get(door).status_code == 200
        way(world)
        is_told = mode == "denylist" and way not in UNSEEN
        for (kind, door), caller in world.devices.items():
            response = caller.get(door)
            if kind != "jwt" or is_told or mode == "stateful":
                assert is_refused(response), (kind, door, response.status_code)
            else:  # whose person is looked up is refused where that person is gone
                is_touched = door in TOUCHING or door == "/auth/me/"
                assert is_refused(response) == (is_touched and way in GONE), door
        if mode == "denylist":
            start_process()  # another process, which has to read of it
            for caller in world.of_kind("jwt"):
                assert is_refused(caller.get("/plain/")) == is_told
        for caller in world.of_kind("jwt"):
            response = stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh})
            assert is_refused(response)
            assert response.json()["code"] == "session_ended"
            assert is_refused(stranger().post("/auth/jwt/verify/", {"token": caller.access}))
            assert world.looks_dead(caller.access)
            assert world.looks_dead(caller.refresh)
        for caller in world.of_kind("token"):
            assert world.looks_dead(caller.token)
        clock.advance(minutes=5)
        for (kind, door), caller in world.devices.items():
            if kind == "jwt":
                assert is_refused(caller.get(door))


@pytest.mark.parametrize("way", [*LOGOUTS, *ACCOUNT, *UNSEEN], ids=_name)
def test_a_personal_token_dies_with_the_account_or_its_password_and_not_with_a_logout(
    way: Way, world: World
):
    assert who(world.personal.get("/plain/")) == str(world.ada.pk)
    way(world)
    for door in DOORS:
        expected = 200 if way in LOGOUTS else 401
        assert world.personal.get(door).status_code == expected


@pytest.mark.parametrize("way", [*LOGOUTS, *ACCOUNT, *UNSEEN], ids=_name)
def test_other_people_stay_signed_in_and_each_ended_sign_in_leaves_one_audit_event(
    way: Way, world: World
):
    bob = make_person("bob")
    callers = [sign_in(kind, bob) for kind in SIGN_INS]
    way(world)
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(bob.pk)
    pair = callers[-1]
    assert stranger().post("/auth/jwt/refresh/", {"refresh": pair.refresh}).status_code == 200
    ended = [] if way in UNSEEN else world.session_ids()
    events = AuditEvent.objects.filter(kind="session.ended", session_id__in=world.session_ids())
    assert sorted(str(event.session_id) for event in events) == sorted(ended)
    assert all(event.subject == str(world.ada.pk) for event in events)


@pytest.mark.parametrize("way", [deactivated_by_save, deactivated_by_update], ids=_name)
def test_a_deactivated_person_cannot_sign_in_at_any_door(way: Way, world: World):
    way(world)
    name = {"username": world.ada.get_username(), "password": PASSWORD}
    for kind in ("token", "jwt"):
        assert stranger().post(f"/auth/{kind}/", name).status_code == 401


def test_whoever_changes_their_own_password_keeps_this_sign_in_and_no_other(world: World):
    for kind in SIGN_INS:
        caller = sign_in(kind, world.ada, world.password)
        others = [sign_in(each, world.ada, world.password) for each in SIGN_INS]
        new = f"another {kind} passphrase"
        assert caller.get(f"/password/?password={new}").status_code == 200
        world.password = new
        assert who(caller.get("/api/closed/")) == str(world.ada.pk), kind
        for other in others:
            assert other.get("/api/closed/").status_code == 401
        if kind == "jwt":
            again = stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh})
            assert again.status_code == 200
            assert bearer(again.json()["access"]).get("/api/closed/").status_code == 200
        world.ada.refresh_from_db()
    assert world.personal.get("/api/closed/").status_code == 401


def test_somebody_elses_request_keeps_nothing_when_it_changes_a_password(world: World):
    """An administrator, say, who sets it for somebody: no sign-in of theirs goes on."""
    person: Any = get_user_model()._default_manager.get(pk=world.ada.pk)
    person.set_password("another")
    person.save()
    assert not UserSession.objects.filter(user_id=person.pk, revoked_at=None).exists()


def test_a_person_who_is_activated_again_has_to_sign_in_again(world: World):
    deactivated_by_save(world)
    world.ada.is_active = True
    world.ada.save()
    for (kind, door), caller in world.devices.items():
        if kind != "jwt" and door in CLOSED:
            assert is_refused(caller.get(door))
    for caller in world.of_kind("jwt"):
        refresh = stranger().post("/auth/jwt/refresh/", {"refresh": caller.refresh})
        assert is_refused(refresh)
