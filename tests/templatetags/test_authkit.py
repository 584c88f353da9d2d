"""``{% can %}`` in templates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone

from authkit.access import callers, conditions
from authkit.kernel.grant import Grant
from authkit.kernel.language import PatternError
from tests.access.some_roles import give, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls_of_policies")]


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_registered", {})
    conditions.condition("themselves", model=get_user_model())(lambda user: Q(pk=user.pk))


def render(tag: str, **context: Any) -> str:
    text = f"{{% load authkit %}}{{% {tag} as it %}}{{% if it %}}yes{{% else %}}no{{% endif %}}"
    return Template(text).render(Context(context))


CREATE = 'can "api.person:create"'
UPDATE = 'can "api.person:update" obj'


def test_it_answers_for_the_user_of_the_request_or_of_the_context(person):
    give(person, role("clerk", "allow api.person:create"))
    bob = make_person("bob")
    assert render(CREATE, user=person) == "yes"
    assert render(CREATE, request=SimpleNamespace(user=person), user=bob) == "yes"
    assert render(CREATE, request=SimpleNamespace(user=bob), user=person) == "no"
    assert render(CREATE, user=AnonymousUser()) == "no"
    assert render(CREATE) == "no"
    assert render(CREATE, request=SimpleNamespace()) == "no"


def test_an_object_is_asked_about_and_without_one_some_are_enough(person):
    give(person, role("clerk", "allow api.person:update when themselves"))
    assert render('can "api.person:update"', user=person) == "yes"
    assert render(UPDATE, user=person, obj=person) == "yes"
    assert render(UPDATE, user=person, obj=make_person("bob")) == "no"
    assert render(UPDATE, user=person, obj=None) == "no"
    assert render(UPDATE, user=person) == "no"


def test_the_scopes_of_the_credential_count():
    root = make_person("root", is_superuser=True)
    grant = Grant(kind="token", user_id=root.pk, scopes=("api.person:read",), session_id=None,
                  authenticated_at=timezone.now())  # fmt: skip
    callers.bind(root, grant)
    assert render(CREATE, user=root) == "no"


def test_the_access_may_come_from_the_context(person):
    give(person, role("clerk", "allow api.person:create"))
    assert render("can which", user=person, which="api.person:create") == "yes"
    assert render("can which", user=person) == "no"
    with pytest.raises(PatternError):
        render("can which", user=person, which="nonsense")


@pytest.mark.parametrize(
    "tag",
    [
        "can",
        'can "api.person:create"',
        'can "api.person:create" it',
        'can "api.person:create" obj more as it',
        'can "api.person" as it',
        'can "api.*:create" as it',
    ],
)
def test_what_is_written_wrong_is_told_at_once(tag):
    with pytest.raises(TemplateSyntaxError):
        Template(f"{{% load authkit %}}{{% {tag} %}}")
