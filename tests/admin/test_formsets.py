"""A page takes no more new rows at once than it can draw."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from authkit.models import Role
from tests.admin.delegated import management
from tests.people import make_person, make_superuser

pytestmark = pytest.mark.django_db


def test_thousands_of_rows_are_refused_in_words(client: Client):
    root: Any = make_superuser()
    client.force_login(root)
    role = Role.objects.create(slug="clerk", name="Clerk")
    ada: Any = make_person("ada")
    role.assignments.create(user=ada)
    form = {"slug": "clerk", "name": "Clerk"}
    form |= management("rules", 0, 2000) | management("assignments", 0, 2000)
    page = client.post(reverse("admin:authkit_role_change", args=[role.pk]), form)
    assert page.status_code == 200
    assert "Please submit at most 100 forms." in page.text
    assert "Please submit at most 101 forms." in page.text
    assert 'name="rules-99-effect"' in page.text
    assert 'name="rules-100-effect"' not in page.text


def test_a_hundred_rows_are_taken(client: Client):
    root: Any = make_superuser()
    client.force_login(root)
    role = Role.objects.create(slug="clerk", name="Clerk")
    form = {"slug": "clerk", "name": "Clerk"} | management("rules", 0, 100)
    form |= management("assignments")
    for number in range(100):
        form |= {
            f"rules-{number}-effect": "allow",
            f"rules-{number}-endpoints": f"api.thing{number}",
            f"rules-{number}-actions": "read",
            f"rules-{number}-is_enabled": "on",
        }
    address = reverse("admin:authkit_role_change", args=[role.pk])
    page = client.post(address, form | {"_confirmed": "1"})
    assert page.status_code in (200, 302)
    assert "Please submit" not in page.text
