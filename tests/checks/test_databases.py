"""Databases that authkit cannot rely on are refused at start."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import checks
from django.test import override_settings

pytestmark = pytest.mark.any_user_model


def said(**changed: Any) -> list[tuple[str | None, int]]:
    with override_settings(**changed):
        return [(each.id, each.level) for each in checks.run_checks(tags=["authkit"])]


def test_moments_without_a_time_zone_are_an_error():
    assert said(USE_TZ=True) == []
    assert said(USE_TZ=False) == [("authkit.E011", checks.ERROR)]


@pytest.mark.parametrize("engine", ["django_tenants.postgresql_backend", "django_pgschemas.x"])
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES:UserWarning")
def test_a_schema_for_each_tenant_is_an_error(engine: str):
    databases = {**settings.DATABASES, "default": {"ENGINE": engine}}
    assert said(DATABASES=databases) == [("authkit.E012", checks.ERROR)]
