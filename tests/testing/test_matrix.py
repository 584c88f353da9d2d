"""A project pins its matrix."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q

from authkit.access import conditions
from authkit.access.sync import sync
from authkit.kernel.language import PatternError
from authkit.models import Endpoint, Rule
from authkit.testing import assert_access, current_matrix, write_matrix
from tests.access.some_roles import role

pytestmark = pytest.mark.django_db

PINNED = {
    "anyone": ["api.health:*"],
    "author": ["api.person:create", "api.person:update,delete when themselves"],
}


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.access.urls_of_policies"
    monkeypatch.setattr(conditions, "_registered", {})
    conditions.condition("themselves", model=get_user_model())(lambda user: Q(pk=user.pk))
    sync()


def refused(matrix: Any) -> list[str]:
    with pytest.raises(AssertionError) as said:
        assert_access(matrix)
    return str(said.value).splitlines()


def test_what_code_declares_is_pinned():
    assert_access(PINNED)
    assert current_matrix() == PINNED


def test_a_new_open_endpoint_is_told():
    role("author", "allow api.report:*")
    assert refused(PINNED) == [
        "Access is not what the matrix says.",
        "author:",
        "    + api.report:*: is there, and not in the matrix",
    ]


def test_what_is_gone_or_never_was_is_told():
    Rule.objects.filter(actions="create").delete()
    assert refused({**PINNED, "boss": ["api.gone:read"]})[1:] == [
        "author:",
        "    - api.person:create: is in the matrix, and not there",
        "boss:",
        "    ? api.gone:read: there is no such endpoint or action",
    ]


def test_another_condition_is_another_access():
    matrix = {**PINNED, "author": ["api.person:create", "api.person:update,delete"]}
    assert refused(matrix)[1:] == [
        "author:",
        "    + api.person:update,delete when themselves: is there, and not in the matrix",
        "    - api.person:update,delete: is in the matrix, and not there",
    ]


def test_inclusion_denial_and_every_role_count():
    boss = role("boss", "deny api.person:destroy", "allow api.person:list")
    assert refused(PINNED)[1] == "boss:"
    boss.includes.add(role("author"))
    matrix = {**PINNED, "boss": [*PINNED["author"], "api.person:list", "deny api.person:delete"]}
    assert_access(matrix)
    assert current_matrix()["boss"] == [
        "api.person:create,list",
        "api.person:update,delete when themselves",
        "deny api.person:delete",
    ]


def test_a_pattern_stands_for_what_there_is():
    role("reader", "allow api.*:read")
    assert refused({**PINNED, "reader": ["api.*:read"]})[1] == "reader:"
    Endpoint.objects.exclude(key="api.vault").update(state="active")
    pinned = ["api.person:read", "api.report:read"]
    assert_access({**PINNED, "reader": pinned})


def test_what_is_written_out_is_what_is_pinned():
    role("reader", "allow api.person:read,create", "deny api.report:GET when themselves")
    namespace: dict[str, Any] = {"assert_access": assert_access}
    exec(write_matrix(), namespace)  # noqa: S102 - our own output
    assert_access(current_matrix())


@pytest.mark.parametrize("entry", ["api.person", "allow api.person:read", "api.person:re*d"])
def test_what_is_not_of_the_language_is_refused(entry):
    with pytest.raises(PatternError):
        assert_access({"anyone": [entry]})


def test_one_text_is_no_list():
    with pytest.raises(TypeError):
        assert_access({"anyone": "api.health:*"})


def test_rules_that_cannot_be_read_are_no_matrix():
    Rule.objects.update(endpoints="not a pattern!")
    assert "cannot be read" in refused(PINNED)[0]
