"""What conditions answer, also about people who have not signed in or where they go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q

from authkit.access import conditions, visible
from tests.access.writing import give, role
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

User: Any = get_user_model()
STRANGER = AnonymousUser()
NAME = User.USERNAME_FIELD


@pytest.fixture(autouse=True)
def _none_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_registered", {})


def register(predicate: Callable[[Any], Any]) -> None:
    conditions.condition("so", model=User)(predicate)


def seen_by(user: Any) -> set[Any]:
    return set(visible(User.objects.all(), user, "api.person:list"))


#: Where it can be told of whom it is true, that a stranger has no key is no obstacle.
OF_ONESELF: list[Callable[[Any], Any]] = [
    lambda user: Q(pk=user.pk),
    lambda user: Q(pk__exact=user.id),
    lambda user: Q(authkit_assignments__user=user.pk),
    lambda user: Q(pk=user.pk) | Q(pk=user.pk, is_active=True),
    lambda user: Q(pk=user.pk) & Q(is_active=True),
    lambda user: Q(is_active=False) | Q(pk=user.pk),
    lambda user: Q(**{NAME: user.username}),
]

OF_OTHERS: list[Callable[[Any], Any]] = [
    lambda user: ~Q(pk=user.pk),
    lambda user: Q(is_active=True) & ~Q(pk=user.pk),
    lambda user: ~(Q(pk=user.pk) | Q(is_active=False)),
    lambda user: ~Q(**{NAME: user.username}),
]

#: Here it cannot.
UNTOLD: list[Callable[[Any], Any]] = [
    lambda user: Q(pk__in=[user.pk]),
    lambda user: Q(pk__lt=user.pk),
    lambda user: Q(pk__gt=int(user.pk)),
    lambda user: Q(**{f"{NAME}__startswith": user.username[:1]}),
    lambda user: Q(**{f"{NAME}__contains": f"{user.username}"}),
    lambda user: Q(email=user.email),
    lambda user: Q(pk=user),
    lambda user: Q(is_active=bool(user.pk)),
    lambda user: Q(Exists(User.objects.filter(pk=OuterRef("pk")).exclude(pk=user.pk))),
]


@pytest.mark.parametrize("predicate", OF_ONESELF)
def test_what_is_denied_about_oneself_is_denied_to_no_stranger(predicate):
    register(predicate)
    person = make_person("alice")
    role("anyone", "allow api.person:read", "deny api.person:read when so")
    assert seen_by(STRANGER) == {person}


@pytest.mark.parametrize("predicate", OF_OTHERS)
def test_what_is_denied_about_others_is_denied_to_strangers(predicate):
    register(predicate)
    make_person("alice")
    role("anyone", "allow api.person:read", "deny api.person:read when so")
    assert seen_by(STRANGER) == set()


@pytest.mark.parametrize("predicate", UNTOLD)
def test_where_nobody_can_tell_everything_is_denied(predicate):
    register(predicate)
    make_person("alice")
    role("anyone", "allow api.person:read", "deny api.person:read when so")
    assert seen_by(STRANGER) == set()


@pytest.mark.parametrize("predicate", [*OF_ONESELF, *OF_OTHERS, *UNTOLD])
def test_what_asks_who_somebody_is_allows_strangers_nothing(predicate):
    register(predicate)
    make_person("alice")
    role("anyone", "allow api.person:read when so")
    assert seen_by(STRANGER) == set()


def test_what_does_not_ask_who_somebody_is_holds_for_strangers_too():
    register(lambda user: Q(is_staff=False))
    person, boss = make_person("alice"), make_person("boss", is_staff=True)
    role("anyone", "allow api.person:read when so")
    assert seen_by(STRANGER) == {person}
    role("anyone", "allow api.person:read")
    role("anyone", "deny api.person:read when so")
    assert seen_by(STRANGER) == {boss}


@pytest.mark.parametrize("answer", [None, True, False, {}, [], ""])
@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_a_condition_that_answers_nothing_opens_nothing(answer, effect):
    register(lambda user: answer)
    person = make_person("alice")
    give(person, role("clerk", f"{effect} api.person:read when so"))
    if effect == "deny":
        give(person, role("boss", "allow api.person:read"))
    with pytest.raises(TypeError, match="condition 'so' of User"):
        list(seen_by(person))
    role(
        "anyone",
        f"{effect} api.person:read when so",
        *["allow api.person:read"][: effect == "deny"],
    )
    assert seen_by(STRANGER) == set()


def test_a_condition_may_be_an_expression():
    register(lambda user: Exists(User.objects.filter(pk=OuterRef("pk"), is_staff=True)))
    person, boss = make_person("alice"), make_person("boss", is_staff=True)
    give(person, role("clerk", "allow api.person:read when so"))
    assert seen_by(person) == {boss}
