"""A small world for policy files."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q

from authkit.access import conditions


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.access.urls_of_policies"
    monkeypatch.setattr(conditions, "_registered", {})
    for name in ("themselves", "of age"):
        conditions.condition(name, model=get_user_model())(_by_key)


def _by_key(user: Any) -> Q:
    return Q(pk=user.pk)
