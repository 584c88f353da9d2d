"""Whom a user name or an e-mail address names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.db import connection

from authkit.accounts import identify
from tests.api.world import Queries
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db


def _has_user_names() -> bool:
    return get_user_model().USERNAME_FIELD != "email"


def test_a_user_name_names_its_person(person: AbstractUser):
    make_person("bob")
    assert identify.person_named(person.get_username()) == person


def test_an_address_names_its_person_in_any_case(person: AbstractUser):
    make_person("bob")
    for address in (person.email, person.email.upper(), person.email.title()):
        assert identify.person_named(address) == person


def test_a_user_name_wins_over_an_address():
    if not _has_user_names():
        return
    bob = make_person("bob")
    named_like_bobs_address = make_person(bob.email, email="x@example.com")
    assert identify.person_named(bob.email) == named_like_bobs_address


def test_an_address_of_two_accounts_names_nobody(person: AbstractUser):
    if not _has_user_names():
        return
    make_person("twin", email=person.email.upper())
    assert identify.person_named(person.email) is None
    assert identify.person_named(person.get_username()) == person


@pytest.mark.parametrize("is_active", [False, True])
def test_a_deactivated_twin_makes_an_address_ambiguous_all_the_same(
    is_active: bool, person: AbstractUser
):
    """Which of the two is meant is not for us to guess."""
    if not _has_user_names():
        return
    make_person("twin", email=person.email, is_active=is_active)
    assert identify.person_named(person.email) is None


def test_an_empty_address_names_nobody():
    if not _has_user_names():
        return
    make_person("without", email="")
    for name in ("", "@", " "):
        assert identify.person_named(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "nobody@example.com",
        "%",
        "_da",
        "ada%",
        "%@example.com",
        "ada@example.co_",
        "ada\0",
        "ada\n",
        "\ud800",
        "a" * 255,
        "ada@example.com,bob@example.com",
        "ada@example.com\\",
        "' OR '1'='1",
        "🦊@example.com",
    ],
)
def test_what_names_nobody_names_nobody(name: str, person: AbstractUser):
    make_person("bob")
    assert identify.person_named(name) is None


def test_an_address_that_only_looks_alike_names_nobody():
    """Letters of other alphabets that fold to the same (CVE-2019-19844)."""
    make_person("mike", email="mike@example.org")
    for address in ("m\u0131ke@example.org", "mike@ex\u0430mple.org", "m\u0456ke@example.org"):
        assert identify.person_named(address) is None


@pytest.mark.parametrize(
    "name",
    ["mike", "MIKE", "Mike", " mike ", "\uff4d\uff49\uff4b\uff45", "mi\u212ae", "mike\u3000"],
)
def test_case_width_and_spaces_around_do_not_matter(name: str):
    """For an address too, and for any database."""
    mike = make_person("mike", email="mike@example.org")
    assert identify.person_named(f"{name.strip()}@example.org ") == mike
    if _has_user_names():
        assert identify.person_named(name) == mike


def test_of_two_who_differ_by_case_only_the_exact_name_tells():
    if not _has_user_names() or connection.vendor == "mysql":  # where they cannot differ so
        return
    make_person("bob", email="1@example.com")
    other = make_person("BOB", email="2@example.com")
    assert identify.person_named("BOB") == other
    assert identify.person_named("Bob") is None


def test_an_account_that_is_called_something_else_now_is_found_by_that(person: AbstractUser):
    field = get_user_model().get_email_field_name()
    setattr(person, field, "new@example.com")
    person.save()
    assert identify.person_named("New@Example.com") == person
    assert identify.person_named("ada@example.com") is None


def test_a_name_that_was_changed_past_the_model_names_nobody(person: AbstractUser):
    get_user_model()._default_manager.filter(pk=person.pk).update(email="new@example.com")
    assert identify.person_named("ada@example.com") is None


def test_known_and_unknown_names_cost_as_many_queries(person: AbstractUser):
    counts = set()
    for name in (person.get_username(), person.email, person.email.upper(), "x", "x@example.com"):
        with Queries() as queries:
            identify.person_named(name)
        counts.add(len(queries))
    assert len(counts) == 1


def test_names_that_no_database_could_hold_cost_no_query():
    with Queries() as queries:
        for name in ("", "a\0", "\ud800", "a" * 255, "a\nb"):
            assert identify.person_named(name) is None
    assert len(queries) == 0


def test_authenticate_takes_the_name_under_any_of_its_names(person: AbstractUser):
    field = get_user_model().USERNAME_FIELD
    ways: list[dict[str, Any]] = [
        {"username": person.get_username()},
        {"username": person.email},
        {"email": person.email},
        {field: person.get_username()},
    ]
    for way in ways:
        assert authenticate(None, password=PASSWORD, **way) == person
        assert authenticate(None, password="wrong", **way) is None
        assert authenticate(None, password=None, **way) is None
    assert authenticate(None, password=PASSWORD) is None
