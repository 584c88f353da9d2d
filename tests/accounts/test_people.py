"""A new password or a closed account ends what was begun before, by whatever road."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core import serializers
from django.core.management import call_command
from django.db import transaction
from django.db.models import F

from authkit import signals
from authkit.models import AuditEvent, UserSession
from tests.api.callers import SIGN_INS, personal, sign_in, who
from tests.people import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)


def people() -> Any:
    return get_user_model()._default_manager


def live() -> int:
    return UserSession.objects.filter(revoked_at=None).count()


def signed_in_everywhere(person: AbstractUser) -> Any:
    for kind in SIGN_INS:
        sign_in(kind, person)
    return people().get(pk=person.pk)


def _deactivate(person: Any) -> None:
    person.is_active = False
    person.save()


def _deactivate_by_field(person: Any) -> None:
    person.is_active = False
    person.save(update_fields=["is_active"])


def _deactivate_deferred(person: Any) -> None:
    loaded = people().only("pk").get(pk=person.pk)
    loaded.is_active = False
    loaded.save()


def _deactivate_and_change_password(person: Any) -> None:
    person.is_active = False
    person.set_password("another")
    person.save()


def _set_password(person: Any) -> None:
    person.set_password("another")
    person.save()


def _set_password_by_field(person: Any) -> None:
    person.set_password("another")
    person.save(update_fields={"password"})


def _set_password_deferred(person: Any) -> None:
    loaded = people().defer("password").get(pk=person.pk)
    loaded.password = make_password("another")
    loaded.save()


def _set_the_same_password(person: Any) -> None:
    """Salted anew: somebody said "new password", and it is one."""
    person.set_password(PASSWORD)
    person.save()


def _empty_the_password(person: Any) -> None:
    person.password = ""
    person.save()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_deactivate, "deactivated"),
        (_deactivate_by_field, "deactivated"),
        (_deactivate_deferred, "deactivated"),
        (_deactivate_and_change_password, "deactivated"),
        (_set_password, "password_changed"),
        (_set_password_by_field, "password_changed"),
        (_set_password_deferred, "password_changed"),
        (_set_the_same_password, "password_changed"),
        (_empty_the_password, "password_changed"),
    ],
)
def test_saving_such_a_change_ends_every_sign_in_and_says_why(
    change: Callable[[Any], None], reason: str, person: AbstractUser
):
    change(signed_in_everywhere(person))
    assert live() == 0
    assert set(UserSession.objects.values_list("revoked_reason", flat=True)) == {reason}
    event = AuditEvent.objects.get(kind=f"account.{reason}")
    assert event.subject == str(person.pk)
    assert AuditEvent.objects.filter(kind="session.ended").count() == 3


def test_saving_anything_else_ends_nothing(person: AbstractUser):
    loaded = signed_in_everywhere(person)
    loaded.email = "new@example.com"
    loaded.save()
    loaded.save(update_fields=["email"])
    loaded.save()
    loaded.set_password("never saved")
    loaded.save(update_fields=["email"])
    people().filter(pk=person.pk).update(email="newer@example.com")
    assert live() == 3
    assert not AuditEvent.objects.filter(kind__startswith="account.").exists()


def test_a_change_that_is_rolled_back_ends_nothing(person: AbstractUser):
    callers = [sign_in(kind, person) for kind in SIGN_INS]
    loaded = people().get(pk=person.pk)
    with transaction.atomic():
        _deactivate(loaded)
        transaction.set_rollback(True)
    assert live() == 3
    for caller in callers:
        assert who(caller.get("/api/closed/")) == str(person.pk)


def test_making_a_person_ends_nothing_and_asks_nothing(person: AbstractUser):
    sign_in("token", person)
    people().create_user(**_fields("new"))
    people().bulk_create([people().model(**_fields("newer", password="x"))])
    assert live() == 1


def _fields(name: str, **more: Any) -> dict[str, Any]:
    fields = {"email": f"{name}@example.com", **more}
    if get_user_model().USERNAME_FIELD != "email":
        fields["username"] = name
    return fields


@pytest.mark.parametrize("how", ["delete", "queryset", "management"])
def test_deleting_a_person_ends_what_others_may_still_believe(how: str, person: AbstractUser):
    loaded = signed_in_everywhere(person)
    if how == "delete":
        loaded.delete()
    elif how == "queryset":
        people().filter(pk=person.pk).delete()
    else:
        people().all().delete()
    assert not UserSession.objects.exists()
    ended = AuditEvent.objects.filter(kind="session.ended")
    assert ended.count() == 3
    assert {event.data["reason"] for event in ended} == {"deleted"}
    assert AuditEvent.objects.get(kind="account.deleted").data == {"name": str(person)}


def test_what_a_deleted_person_did_is_still_told(person: AbstractUser):
    sign_in("token", person)
    name, pk = person.get_username(), person.pk
    people().get(pk=pk).delete()
    event = AuditEvent.objects.get(kind="login.succeeded")
    assert event.actor_id is None
    assert name in event.actor_name


@committed
def test_the_project_is_told_of_each_end_once(person: AbstractUser):
    told: list[tuple[Any, str]] = []

    def on_signed_out(**said: Any) -> None:
        told.append((said["session_id"], said["reason"]))

    loaded = signed_in_everywhere(person)
    signals.signed_out.connect(on_signed_out)
    try:
        _deactivate(loaded)
        loaded.save()
    finally:
        signals.signed_out.disconnect(on_signed_out)
    assert len(told) == len({session_id for session_id, _ in told}) == 3
    assert {reason for _, reason in told} == {"deactivated"}


def test_a_fixture_that_is_loaded_ends_no_sign_in_of_who_did_not_change(person: AbstractUser):
    caller = sign_in("token", person)
    stored = serializers.serialize("json", people().filter(pk=person.pk))
    [loaded] = serializers.deserialize("json", stored)
    loaded.save()
    assert who(caller.get("/api/closed/")) == str(person.pk)


def test_a_fixture_with_another_password_ends_sign_ins_at_their_next_use(person: AbstractUser):
    callers = [sign_in(kind, person) for kind in ("session", "token")]
    stored = serializers.serialize("json", people().filter(pk=person.pk))
    [loaded] = serializers.deserialize("json", stored)
    held: Any = loaded.object
    held.password = make_password("another")
    loaded.save()
    for caller in callers:
        assert caller.get("/api/closed/").status_code == 401


def test_changepassword_on_the_command_line_ends_every_sign_in(
    person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    signed_in_everywhere(person)
    monkeypatch.setattr("getpass.getpass", lambda **_: "an entirely different passphrase")
    call_command("changepassword", person.get_username(), stdout=io.StringIO())
    assert live() == 0


def test_a_password_set_by_an_expression_is_noticed_when_a_credential_is_used(
    person: AbstractUser,
):
    callers = [sign_in("session", person), sign_in("token", person), personal(person)]
    people().filter(pk=person.pk).update(password=F("email"))
    for caller in callers:
        assert caller.get("/api/closed/").status_code == 401


@pytest.mark.default_user_only
def test_the_admins_password_form_ends_every_sign_in_of_that_person(
    person: AbstractUser, superuser: AbstractUser
):
    signed_in_everywhere(person)
    script = personal(person)
    root = sign_in("session", superuser)
    path = f"/admin/auth/user/{person.pk}/password/"
    root.get(path)
    fields = {
        "password1": "an entirely different passphrase",
        "password2": "an entirely different passphrase",
        "usable_password": "true",
        "csrfmiddlewaretoken": root.client.cookies["csrftoken"].value,
    }
    assert root.client.post(path, fields).status_code == 302
    assert not UserSession.objects.filter(user_id=person.pk, revoked_at=None).exists()
    assert script.get("/api/closed/").status_code == 401
    assert root.get("/admin/").status_code == 200


@pytest.mark.default_user_only
def test_a_proxy_of_the_user_model_is_the_same_person(person: AbstractUser):
    signed_in_everywhere(person)
    fresh = people().get(pk=person.pk)
    fresh.is_active = False
    fresh.save_base()
    assert live() == 0
