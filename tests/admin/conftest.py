"""A delegated administrator, and what she has not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from authkit.models import Role
from tests.access.writing import give, permission, role
from tests.people import make_person, make_superuser


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
