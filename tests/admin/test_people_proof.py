"""What Django's own pages do to people takes a recent sign-in as well."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from authkit.models import Assignment, BearerToken
from tests.access.writing import role
from tests.admin.delegated import management
from tests.admin.pages import url
from tests.admin.people_pages import URLS, long_signed_in, people_url
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]

PROOF = {"authkit_answer": "yes", "authkit_password": PASSWORD}
GUESS = {"authkit_answer": "yes", "authkit_password": "guess"}


@pytest.fixture
def uma() -> Any:
    return make_person("uma")


@pytest.fixture
def client(superuser: Any) -> Any:
    return long_signed_in(superuser)


def form_of(person: Any, **changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"email": person.email, "is_active": "on"}
    if hasattr(person, "username"):
        form |= {
            "username": person.username,
            "date_joined_0": "2026-01-01",
            "date_joined_1": "12:00",
        }
    return form | management("authkit_assignments", 0) | changes


def asks(response: Any) -> bool:
    return response.status_code == 200 and 'name="authkit_password"' in response.text


@pytest.mark.parametrize(
    "change", [{"email": "other@example.com"}, {"is_staff": "on"}, {"is_active": ""}]
)
def test_what_somebody_is_changes_once_it_is_proved_who_changes_it(client, uma, change):
    address, form = people_url("change", uma.pk), form_of(uma, **change)
    model: Any = get_user_model()
    before = model._default_manager.filter(pk=uma.pk).values().get()
    for more in ({}, GUESS):
        page = client.post(address, form | more)
        assert asks(page)
        for name, value in change.items():
            assert f'name="{name}" value="{value}"' in page.text
        assert model._default_manager.filter(pk=uma.pk).values().get() == before
    assert client.post(address, form | PROOF).status_code == 302
    assert model._default_manager.filter(pk=uma.pk).values().get() != before


def test_the_proof_holds_for_a_while(client, uma):
    address = people_url("change", uma.pk)
    client.post(address, form_of(uma, is_staff="on") | PROOF)
    assert client.post(address, form_of(uma)).status_code == 302
    uma.refresh_from_db()
    assert not uma.is_staff


@pytest.mark.default_user_only
def test_how_somebody_is_called_is_nothing_grave(client, uma):
    form = form_of(uma, first_name="Uma")
    assert client.post(people_url("change", uma.pk), form).status_code == 302
    uma.refresh_from_db()
    assert uma.first_name == "Uma"


def test_roles_are_given_once_it_is_proved_who_gives_them(client, uma):
    given = {
        **management("authkit_assignments", 0, 1),
        "authkit_assignments-0-role": role("editor").pk,
        "authkit_assignments-0-user": uma.pk,
    }
    address = people_url("change", uma.pk)
    assert asks(client.post(address, form_of(uma) | given))
    assert not Assignment.objects.exists()
    assert client.post(address, form_of(uma) | given | PROOF).status_code == 302
    assert Assignment.objects.filter(user_id=uma.pk).exists()


def test_somebody_is_deleted_once_it_is_proved_who_does(client, uma):
    address, model = people_url("delete", uma.pk), get_user_model()
    assert asks(client.post(address, {"post": "yes"}))
    assert model._default_manager.filter(pk=uma.pk).exists()
    assert client.post(address, {"post": "yes"} | PROOF).status_code == 302
    assert not model._default_manager.filter(pk=uma.pk).exists()


def test_many_are_deleted_once_it_is_proved_who_does(client, uma):
    model: Any = get_user_model()
    form = {"action": "delete_selected", "_selected_action": [uma.pk], "post": "yes"}
    assert asks(client.post(people_url(), form))
    assert model._default_manager.filter(pk=uma.pk).exists()
    assert client.post(people_url(), form | PROOF).status_code == 302
    assert not model._default_manager.filter(pk=uma.pk).exists()


@pytest.mark.default_user_only  # the page is Django's
def test_a_password_is_set_once_it_is_proved_who_sets_it_and_never_shown(client, uma):
    address, secret = people_url("change", uma.pk).replace("change", "password"), "kept to myself!"
    form = {"password1": secret, "password2": secret, "usable_password": "true"}
    assert asks(client.get(address))
    for more in ({}, GUESS):
        page = client.post(address, form | more)
        assert asks(page)
        assert secret not in page.text
    assert client.post(address, form | PROOF)["Location"] == address
    uma.refresh_from_db()
    assert uma.check_password(PASSWORD)
    assert "password1" in client.get(address).text
    client.post(address, form)
    uma.refresh_from_db()
    assert uma.check_password(secret)


def test_a_token_is_made_for_somebody_once_it_is_proved_who_makes_it(client, uma):
    form = {"user": uma.get_username(), "name": "backup", "scopes": ""}
    assert asks(client.post(url(BearerToken, "add"), form))
    assert not BearerToken.objects.exists()
    assert client.post(url(BearerToken, "add"), form | PROOF).status_code == 200
    assert BearerToken.objects.filter(user=uma).exists()


def test_who_edits_people_in_the_list_proves_it_too(superuser):
    uma, opts = make_person("uma"), get_user_model()._meta
    url = f"/editing/{opts.app_label}/{opts.model_name}/"
    client = long_signed_in(superuser)
    people = get_user_model()._default_manager.order_by("email")
    form = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for number, person in enumerate(people):
        form |= {f"form-{number}-id": str(person.pk), f"form-{number}-is_staff": "on"}
    assert "authkit_password" in client.post(url, form).text
    uma.refresh_from_db()
    assert not uma.is_staff
    done = client.post(url, {**form, "authkit_answer": "yes", "authkit_password": PASSWORD})
    assert done.status_code == 302
    uma.refresh_from_db()
    assert uma.is_staff
