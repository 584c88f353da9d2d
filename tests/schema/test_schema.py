"""OpenAPI, by drf-spectacular."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.ground import ROOT

pytestmark = pytest.mark.slow


def described(urlconf: str) -> dict[str, Any]:
    """What ``manage.py spectacular`` writes, without a warning and without a database."""
    run = subprocess.run(
        [
            *(sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"),
            *("--settings", "tests.schema.settings"),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "sqlite://:memory:", "SCHEMA_URLCONF": urlconf},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = yaml.safe_load(run.stdout)
    return found


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return described("tests.schema.urls")


def test_the_three_schemes_are_known_by_name(schema):
    schemes = schema["components"]["securitySchemes"]
    assert {name: its["type"] for name, its in schemes.items()} == {
        "bearerToken": "http",
        "jwt": "http",
        "session": "apiKey",
    }
    assert schemes["jwt"]["bearerFormat"] == "JWT"
    assert schemes["session"]["name"] == settings.SESSION_COOKIE_NAME
    listed = [next(iter(each), None) for each in schema["paths"]["/api/people/"]["get"]["security"]]
    assert listed[:3] == ["jwt", "bearerToken", "session"]


def test_each_operation_says_what_access_it_needs(schema):
    said = {
        (path, method): operation.get("x-authkit-access")
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    assert said == {
        ("/api/people/", "get"): "api.person:list",
        ("/api/people/", "post"): "api.person:create",
        ("/api/people/{id}/", "get"): "api.person:retrieve",
        ("/api/people/{id}/", "put"): "api.person:update",
        ("/api/people/{id}/", "patch"): "api.person:partial_update",
        ("/api/people/{id}/", "delete"): "api.person:destroy",
        ("/api/health/", "get"): "api.health:GET",
        ("/api/report/{year}/", "get"): "api.report:GET",
        ("/api/report/{year}/", "post"): "api.report:POST",
        ("/api/nameless/", "get"): None,
    }


def test_the_description_names_it_for_people(schema):
    create = schema["paths"]["/api/people/"]["post"]["description"]
    assert create == "People.\n\nAccess: `api.person:create`."
    health = schema["paths"]["/api/health/"]["get"]["description"]
    assert health.endswith("Access: `api.health:GET`, open to all.")
    report = schema["paths"]["/api/report/{year}/"]["get"]["description"]
    assert report == "Access: `api.report:GET`; permissions: `auth.view_group`."


def test_refusals_are_described_in_the_one_shape_of_errors(schema):
    responses = schema["paths"]["/api/people/"]["post"]["responses"]
    assert set(responses) == {"201", "401", "403"}
    ref = responses["401"]["content"]["application/json"]["schema"]["$ref"]
    error = schema["components"]["schemas"][ref.rpartition("/")[2]]
    assert error["required"] == ["code", "detail"]
    assert set(schema["paths"]["/api/health/"]["get"]["responses"]) == {"200", "401"}


@pytest.mark.default_user_only
def test_the_demo_is_described_without_a_warning():
    demo = described("tests.schema.urls_of_demo")
    assert demo["paths"]["/api/articles/"]["post"]["x-authkit-access"] == "api.article:create"


@pytest.mark.default_user_only
def test_nothing_of_it_is_needed_where_it_is_not_installed():
    code = (
        "import sys; sys.modules['drf_spectacular'] = None\n"
        "import django; django.setup()\n"
        "import authkit.urls\n"
        "assert 'authkit.schema' not in sys.modules\n"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr.decode()
