"""A delegated administrator, and what she has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from authkit.access import acting
from authkit.models import Role
from tests.access.writing import give, permission, role
from tests.people import make_person, make_superuser


@pytest.fixture
def root():
    return make_superuser()


@pytest.fixture
def ada(root) -> Any:
    """A delegated administrator: staff, all permissions to change access, no payroll."""
    ada = make_person("ada", is_staff=True)
    names = [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in MODELS]
    ada.user_permissions.set(permission(MODELS[name.split("_")[1]] + name) for name in names)
    return get_user_model().objects.get(pk=ada.pk)


MODELS = {
    "role": "authkit.",
    "rule": "authkit.",
    "assignment": "authkit.",
    "endpoint": "authkit.",
    "group": "auth.",
}


@pytest.fixture
def desk(ada) -> Role:
    """The role that Ada has."""
    made = role("desk", "allow api.person:read", "deny api.person:destroy", "allow plain:*")
    give(ada, made)
    return made


@pytest.fixture
def payroll(root) -> Role:
    made = role("payroll", "allow api.report:*")
    give(root, made)
    return made


@pytest.fixture
def as_ada(ada, desk, payroll) -> Iterator[None]:
    with acting.as_person(ada):
        yield
