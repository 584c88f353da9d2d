"""``manage.py authkit breakglass``."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authkit.access import can
from authkit.accounts import retired
from authkit.models import AuditEvent, Role, Rule
from tests.people import make_person

pytestmark = pytest.mark.django_db


def break_glass(name: str) -> str:
    out = io.StringIO()
    call_command("authkit", "breakglass", name, stdout=out)
    return out.getvalue()


def test_somebody_becomes_an_active_superuser(person: Any):
    person.is_active = False
    person.save()
    said = break_glass(person.get_username())
    again = type(person).objects.get(pk=person.pk)
    assert (again.is_active, again.is_staff, again.is_superuser) == (True, True, True)
    assert str(person) in said
    assert "is_superuser" in said
    event = AuditEvent.objects.get(kind="access.glass_broken")
    assert event.subject == str(person.pk)
    assert event.data["set"] == ["is_active", "is_staff", "is_superuser"]


def test_it_works_while_the_rules_are_broken(person: Any):
    role = Role.objects.create(slug="r", name="R")
    Rule.objects.create(role=role, endpoints="no pattern!")
    assert not can(person, "api.person:list")
    break_glass(person.get_username())
    Rule.objects.all().delete()
    assert type(person).objects.get(pk=person.pk).is_superuser


def test_a_second_time_changes_nothing(person: Any):
    break_glass(person.get_username())
    assert "nothing" in break_glass(person.get_username())


def test_nobody_is_made_up():
    with pytest.raises(CommandError, match="nobody-here"):
        break_glass("nobody-here")
    assert make_person("ada").is_superuser is False


def test_who_has_no_password_that_works_is_told(person: Any, capsys: Any):
    break_glass(person.get_username())
    assert "changepassword" not in capsys.readouterr().err
    person.password = retired.retire(person)
    person.save()
    break_glass(person.get_username())
    assert "changepassword" in capsys.readouterr().err
