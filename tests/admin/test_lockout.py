"""Lock-outs in the admin site and at the terminal: seen, searched, lifted; the admin's own door."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from authkit.models import AuditEvent, Throttle
from tests.admin.pages import act, make_staff, press, signed_in, url
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db

HOME = "192.0.2.1"
HELPDESK = ("view_throttle", "change_throttle", "view_auditevent")
LIST = url(Throttle, "changelist")


def lock_out(person: Any, ip: str = HOME) -> Throttle:
    for _ in range(5):
        request = RequestFactory().post("/", REMOTE_ADDR=ip)
        authenticate(request, username=person.get_username(), password="wrong")
    return Throttle.objects.get(scope="person_from_address", user_id=person.pk)


def gets_in(person: Any, ip: str = HOME) -> bool:
    request = RequestFactory().post("/", REMOTE_ADDR=ip)
    return authenticate(request, username=person.get_username(), password=PASSWORD) is not None


@pytest.fixture
def locked(person: AbstractUser) -> Throttle:
    return lock_out(person)


def test_who_is_locked_out_is_one_row_with_address_count_and_times(superuser, person, locked):
    for _ in range(5):
        authenticate(RequestFactory().post("/"), username="nobody", password="x")
    client = signed_in(superuser)
    page = client.get(LIST)
    assert str(person) in page.text
    assert HOME in page.text
    assert "1 lock-out" in page.text
    assert client.get(url(Throttle, "change", locked.pk)).status_code == 200


@pytest.mark.parametrize(
    ("query", "found"), [("192.0.2", True), ("ada", True), ("198.51", False), ("\x00", False)]
)
def test_they_are_found_by_person_and_address(superuser, locked, query, found):
    page = signed_in(superuser).get(LIST, {"q": query}, follow=True)
    assert page.status_code == 200
    assert (url(Throttle, "change", locked.pk) in page.text) is (found or query == "\x00")


@pytest.mark.parametrize("how", ["action", "button"])
def test_to_unlock_lets_the_person_in_again_and_is_recorded(person, locked, how):
    helpdesk = make_staff("helpdesk", *HELPDESK)
    client = signed_in(helpdesk)
    assert not gets_in(person)
    if how == "action":
        act(client, Throttle, "unlock", [locked])
    else:
        assert press(client, locked, "unlock")["Location"] == LIST
    assert gets_in(person)
    event = AuditEvent.objects.get(kind="lockout.ended")
    assert (event.actor_id, event.subject) == (helpdesk.pk, str(person.pk))
    assert event.data["reason"] == "unlocked"


@pytest.mark.parametrize("how", ["action", "button"])
def test_nobody_unlocks_who_holds_more(how):
    boss = make_person("boss", is_superuser=True)
    row = lock_out(boss)
    client = signed_in(make_staff("helpdesk", *HELPDESK))
    response = act(client, Throttle, "unlock", [row]) if how == "action" else None
    response = response or press(client, row, "unlock")
    assert response.status_code == 403
    assert not gets_in(boss)


def test_who_may_only_look_cannot_unlock(person, locked):
    client = signed_in(make_staff("viewer", "view_throttle"))
    assert client.get(LIST).status_code == 200
    assert press(client, locked, "unlock").status_code == 403
    act(client, Throttle, "unlock", [locked])
    assert not gets_in(person)


@override_settings(AUTHKIT={"LIMITS": {"sign_in_from_address": (3, 900)}})
def test_an_address_is_a_row_that_can_be_unlocked(superuser, person):
    for number in range(4):
        request = RequestFactory().post("/", REMOTE_ADDR=HOME)
        authenticate(request, username=f"name-{number}", password="x")
    row = Throttle.objects.get(scope="address")
    client = signed_in(superuser)
    assert HOME in client.get(LIST).text
    assert client.get(url(Throttle, "change", row.pk)).status_code == 200
    assert not gets_in(person)
    act(client, Throttle, "unlock", [row])
    assert gets_in(person)


def test_a_list_of_many_costs_the_same_queries(superuser, django_assert_max_num_queries):
    for number in range(8):
        lock_out(make_person(f"p{number}"), ip=f"192.0.2.{number}")
    client = signed_in(superuser)
    with django_assert_max_num_queries(10):
        assert client.get(LIST).status_code == 200


# The door of the admin site


@pytest.mark.parametrize("path", ["/admin/login/", "/login/"])
@pytest.mark.urls("tests.api.urls")
def test_djangos_forms_say_that_there_were_too_many_and_let_nobody_in(path):
    boss = make_person("boss", is_staff=True, is_superuser=True)
    client = Client(REMOTE_ADDR=HOME)
    form = {"username": boss.get_username(), "password": "wrong"}
    for _ in range(5):
        assert "Too many" not in client.post(path, form).text
    response = client.post(path, {**form, "password": PASSWORD})
    assert "Too many attempts. Please try again in 15 minutes." in response.text
    assert "_auth_user_id" not in client.session
    strange = {**form, "username": "nobody@example.com"}
    for _ in range(5):
        client.post(path, strange)
    assert "Too many attempts. Please try again in 15 minutes." in client.post(path, strange).text


def test_an_owner_who_is_signed_in_stays_signed_in(superuser, person):
    client = signed_in(superuser)
    lock_out(superuser, ip="127.0.0.1")
    assert client.get(reverse("admin:index")).status_code == 200


# At the terminal


def unlock(*arguments: str) -> str:
    out = io.StringIO()
    call_command("authkit", "unlock", *arguments, stdout=out)
    return out.getvalue()


def test_unlock_lets_a_person_in_again(person, locked):
    assert "may try again" in unlock(person.get_username())
    assert gets_in(person)
    with pytest.raises(CommandError, match="is not locked out"):
        unlock(person.get_username())


@override_settings(AUTHKIT={"LIMITS": {"sign_in_from_address": (3, 900)}})
@pytest.mark.parametrize("ip", [HOME, "2001:db8::1"])
def test_unlock_lets_an_address_in_again(person, ip):
    for number in range(4):
        request = RequestFactory().post("/", REMOTE_ADDR=ip)
        authenticate(request, username=f"name-{number}", password="x")
    assert not gets_in(person, ip)
    unlock("--address", ip)
    assert gets_in(person, ip)


@pytest.mark.parametrize("arguments", [["nobody"], ["--address", "x"], ["--address", HOME], []])
def test_unlock_fails_where_there_is_nothing_to_unlock(db, arguments):
    with pytest.raises(CommandError):
        unlock(*arguments)
