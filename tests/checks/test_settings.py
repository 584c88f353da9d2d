"""What ``manage.py check`` says of the AUTHKIT setting."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import checks
from django.test import override_settings

from tests.ground import ROOT

pytestmark = pytest.mark.any_user_model

_PROCESS = """
from django.conf import settings
from tests import settings as ours
right = {name: getattr(ours, name) for name in dir(ours) if name.isupper()}
settings.configure(**{**right, "AUTHKIT": {"ACESS_TOKEN_LIFETIME": 60}})
import django
django.setup()
from django.core.management import call_command
call_command("check")
"""
DAY = timedelta(days=1)
SECRET = "a secret of thirty-two octets, or rather more"


def said(authkit: Any) -> list[checks.CheckMessage]:
    with override_settings(AUTHKIT=authkit):
        return checks.run_checks(tags=["authkit"])


def ids(authkit: Any) -> list[str | None]:
    return [message.id for message in said(authkit)]


def test_the_test_run_itself_has_nothing_to_complain_of():
    assert checks.run_checks() == []


@pytest.mark.parametrize(
    ("authkit", "check_id", "named", "hint"),
    [
        ({"ACESS_TOKEN_LIFETIME": 60}, "E001", "ACESS_TOKEN_LIFETIME", "'ACCESS_TOKEN_LIFETIME'"),
        ({"jwt_issuer": "x"}, "E001", "jwt_issuer", "'JWT_ISSUER'"),
        ({1: 2}, "E001", "1", "The keys are"),
        ({"ACCESS_TOKEN_LIFETIME": "60"}, "E002", "ACCESS_TOKEN_LIFETIME", "number of seconds"),
        ({"ACCESS_TOKEN_LIFETIME": 2 * DAY}, "E002", "ACCESS_TOKEN_LIFETIME", "from 0:00:01 to"),
        ({"JWT_REVOCATION": "never"}, "E002", "JWT_REVOCATION", '"stateful"'),
        ([], "E003", "AUTHKIT", "AUTHKIT = {...}"),
        (None, "E003", "AUTHKIT", "AUTHKIT = {...}"),
        ({"JWT_SIGNING_KEYS": [{"alg": "HS256", "key": "x"}]}, "E004", "[0]", "keys generate"),
        ({"JWT_USER_CLAIMS": ["password"]}, "E005", "'password'", "claim"),
        ({"JWT_USER_CLAIMS": ["sub"]}, "E005", "'sub'", "claim"),
        ({"JWT_USER_CLAIMS": ["shoe_size"]}, "E005", "'shoe_size'", "columns"),
        ({"PROFILE_FIELDS": ["shoe_size"]}, "E006", "'shoe_size'", "user model"),
        ({"PROFILE_FIELDS": ["is_superuser"]}, "E006", "'is_superuser'", "Take"),
    ],
)
def test_a_problem_is_an_error_that_names_the_key_and_the_mend(authkit, check_id, named, hint):
    (message,) = said(authkit)
    assert (message.id, message.level) == (f"authkit.{check_id}", checks.ERROR)
    assert named in message.msg
    assert hint in str(message.hint)


@pytest.mark.slow
def test_a_process_with_wrong_settings_starts_and_says_so_in_its_checks():
    """Whatever is installed: nothing that starts with Django reads them before."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROCESS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "SystemCheckError" in ended.stderr
    assert "(authkit.E001)" in ended.stderr
    assert "'ACCESS_TOKEN_LIFETIME'" in ended.stderr


def test_each_problem_is_said_at_once():
    assert ids({"A": 1, "B": 2, "JWT_ISSUER": 3}) == [
        "authkit.E001",
        "authkit.E001",
        "authkit.E002",
    ]


@pytest.mark.parametrize(
    "name",
    ["password", "is_active", "is_staff", "is_superuser", "groups", "user_permissions", "id"],
)
def test_what_gives_power_is_no_profile_field(name):
    assert ids({"PROFILE_FIELDS": [name]}) == ["authkit.E006"]


def test_what_people_sign_in_with_is_a_profile_field_with_a_warning():
    names = {"email", get_user_model().USERNAME_FIELD}
    messages = said({"PROFILE_FIELDS": list(names)})
    assert {(message.id, message.level) for message in messages} == {
        ("authkit.W002", checks.WARNING)
    }
    assert len(messages) == len(names)


def test_no_key_is_shown():
    weak, shared = {"alg": "ES256", "key": SECRET}, {"alg": "HS256", "kid": "x", "key": SECRET}
    messages = said({"JWT_SIGNING_KEYS": [weak, shared, shared]})
    assert [message.id for message in messages] == ["authkit.E004", "authkit.E004"]
    assert SECRET not in str(messages)


def test_an_access_token_outlives_no_refresh_token():
    lifetimes = {"ACCESS_TOKEN_LIFETIME": 3600, "REFRESH_TOKEN_LIFETIME": 600}
    assert ids(lifetimes) == ["authkit.E007"]


@pytest.mark.parametrize("key", ["REFRESH_TOKEN_LIFETIME", "TOKEN_LIFETIME"])
def test_a_lifetime_that_the_session_cuts_short_is_worth_a_warning(key):
    (message,) = said({key: 8 * DAY, "SESSION_LIFETIME": 7 * DAY})
    assert (message.id, message.level) == ("authkit.W001", checks.WARNING)
    assert key in message.msg


def test_a_short_session_beside_defaults_is_nothing_to_warn_of():
    assert ids({"SESSION_LIFETIME": DAY}) == []
