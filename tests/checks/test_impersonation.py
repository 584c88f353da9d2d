"""Checks about signing in as somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

ON = {"IMPERSONATION": True}


def ids(*, deploy: bool = False, **settings: Any) -> set[str]:
    with override_settings(**settings):
        found = run_checks(tags=["authkit"], include_deployment_checks=deploy)
    return {str(each.id) for each in found} & {"authkit.E040", "authkit.W140", "authkit.W141"}


def test_a_way_back_is_asked_for():
    assert ids(AUTHKIT=ON, ROOT_URLCONF="tests.impersonation.urls_without") == {"authkit.E040"}
    assert ids(AUTHKIT=ON) == set()
    assert ids(ROOT_URLCONF="tests.impersonation.urls_without") == set()


@pytest.mark.django_db
def test_what_lasts_long_is_told_before_it_is_deployed():
    long = {**ON, "IMPERSONATION_LIFETIME": 2 * 3600}
    assert ids(deploy=True, AUTHKIT=long) == {"authkit.W140"}
    assert ids(deploy=True, AUTHKIT={**long, "IMPERSONATION": False}) == set()


@pytest.mark.django_db
def test_sessions_in_the_cookie_are_told_before_it_is_deployed():
    engine = "django.contrib.sessions.backends.signed_cookies"
    assert ids(deploy=True, AUTHKIT=ON, SESSION_ENGINE=engine) == {"authkit.W141"}
