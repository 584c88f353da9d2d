"""``manage.py authkit matrix``."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authkit.models import Role, Rule
from tests.access.some_roles import role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.access.urls_of_policies"


def matrix(*arguments: str) -> str:
    out = io.StringIO()
    call_command("authkit", "matrix", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def a_world() -> None:
    clerk = role("clerk", "allow api.person:read", "deny api.person:destroy")
    role("boss", "allow api.person:create").includes.add(clerk)


def test_it_is_a_table_of_endpoints_and_roles():
    a_world()
    head, *rows = matrix().splitlines()
    assert head.split() == [
        "access", "methods", "code", "anyone", "authenticated", "staff", "boss", "clerk",
    ]  # fmt: skip
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert cells["api.person:create"] == ["POST", "new", "allow"]
    assert cells["api.person:list"] == ["GET", "HEAD", "new", "allow", "allow"]
    assert cells["api.person:destroy"] == ["DELETE", "new", "deny", "deny"]
    assert cells["api.health:GET"] == ["GET", "new;", "public;", "locked"]
    assert cells["api.report:GET"][1:] == ["new;", "requires", "auth.view_group"]


def test_it_is_json_for_programs():
    a_world()
    found = json.loads(matrix("--format", "json"))
    assert {each["slug"]: each["includes"] for each in found["roles"]}["boss"] == ["clerk"]
    row = next(each for each in found["matrix"] if each["access"] == "api.person:list")
    assert row["routes"][0].startswith("api/")
    assert row["roles"]["boss"] == {
        "allow": True, "allow_when": [], "deny": False, "deny_when": [],
    }  # fmt: skip


def test_it_is_csv_that_runs_nothing_in_a_spreadsheet():
    Role.objects.create(slug="=cmd|' /C calc'!A1", name="evil")
    text = matrix("--format", "csv")
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][-1] == "'=cmd|' /C calc'!A1"
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_rules_that_cannot_be_read_are_no_matrix():
    a_world()
    Rule.objects.update(endpoints="not a pattern!")
    with pytest.raises(CommandError, match="cannot be read"):
        matrix()
