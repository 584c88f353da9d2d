"""The test run keeps its own promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.db import models

from tests.ground import ROOT
from tests.people import PASSWORD, make_person


def test_hypothesis_is_bounded():
    profile = hypothesis.settings()
    assert profile.deadline is None
    assert profile.max_examples <= 5_000


@pytest.mark.any_user_model
def test_the_user_model_is_the_one_that_was_asked_for():
    asked_for = os.environ.get("AUTHKIT_TEST_USER_MODEL") or "default"
    assert get_user_model()._meta.label == settings.USER_MODELS[asked_for][1]


@pytest.mark.any_user_model
def test_the_three_user_models_differ_in_key_and_name():
    key = type(get_user_model()._meta.pk)
    name = get_user_model().USERNAME_FIELD
    assert (key, name) == {
        "default": (models.AutoField, "username"),
        "uuid": (models.UUIDField, "username"),
        "email": (models.BigAutoField, "email"),
    }[settings.USER_MODEL]


@pytest.mark.django_db
def test_a_made_person_can_sign_in_whatever_the_user_model():
    ada = make_person("ada")
    assert authenticate(username=ada.get_username(), password=PASSWORD) == ada


@pytest.mark.django_db
def test_a_person_may_be_made_without_a_password_or_inactive():
    assert not make_person("ada", password=None).has_usable_password()
    assert not make_person("bob", is_active=False).is_active


@pytest.mark.slow
@pytest.mark.default_user_only
def test_people_who_are_active_by_a_property_are_asked():
    environment = {**os.environ, "AUTHKIT_TEST_USER_MODEL": "told", "DATABASE_URL": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_told.py"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


@pytest.mark.slow
@pytest.mark.default_user_only
@pytest.mark.parametrize(("required", "code"), [("0", 0), ("1", 1)])
def test_a_skipped_test_is_a_failure_where_all_are_required(tmp_path: Path, required, code):
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_it(): pytest.skip('a reason')\ndef test_that(): pass\n"
    )
    arguments = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "AUTHKIT_REQUIRE_ALL": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    assert "a reason" in run.stdout
