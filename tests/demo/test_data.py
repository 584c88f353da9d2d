"""The demo's people and texts, and what the database is asked."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from authkit.models import Assignment, Role, Rule
from demo_project.articles.models import Article, Report
from demo_project.showcase import articles, people

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("demo_project.urls"),
    pytest.mark.default_user_only,
]


@pytest.fixture
def users() -> dict[str, User]:
    """Everybody, loaded."""
    loaded = people.load()
    articles.load(loaded)
    return loaded


def _everything() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (User, Role, Rule, Assignment, Article, Report)
    ]


def test_loading_twice_changes_nothing_not_even_a_password_hash(users: dict[str, User]):
    before = _everything()
    articles.load(people.load())
    assert _everything() == before


def test_loading_puts_people_back_as_they_were(users: dict[str, User]):
    users["alice"].is_superuser = True
    users["alice"].set_password("another")
    users["alice"].save()
    users["alice"].authkit_assignments.all().delete()
    alice = people.load()["alice"]
    assert alice.check_password(people.PASSWORD)
    assert not alice.is_superuser
    assert [given.role.slug for given in alice.authkit_assignments.all()] == ["author"]


def test_the_people_are_who_they_should_be(users: dict[str, User]):
    roles = {
        user.username: [given.role.slug for given in user.authkit_assignments.all()]
        for user in users.values()
    }
    assert roles == {
        "root": [],
        "ada": ["administrator"],
        "ed": ["editor"],
        "alice": ["author"],
        "bob": ["author"],
        "uma": [],
    }
    assert {name for name, user in users.items() if user.is_staff} == {"root", "ada"}
    assert {name for name, user in users.items() if user.is_superuser} == {"root"}
    assert {name for name, user in users.items() if user.has_perm("demo.view_report")} == {
        "root",
        "ada",
    }


def test_the_people_are_not_loaded_without_debug(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        call_command("demo", "--no-serve")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("person", "path", "queries"),
    [
        ("uma", "/api/articles/", 2),  # count, page
        ("ed", "/api/articles/", 2),
        ("ada", "/api/users/", 4),  # count, page, what they were given, which roles that is
        ("ada", "/reports/sales/", 4),  # two for has_perm, total, months
    ],
)
def test_a_list_asks_the_same_few_queries_however_long_it_is(
    person, path, queries, users, django_assert_max_num_queries
):
    Article.objects.bulk_create(
        Article(title=str(number), body="…", author=users["bob"], published=True)
        for number in range(20)
    )
    client = APIClient()
    client.force_authenticate(User.objects.get(username=person))
    if path == "/reports/sales/":
        client.force_login(User.objects.get(username=person))
        queries += 1  # the session
    client.get(path)  # the first one reads the rules
    with django_assert_max_num_queries(queries):
        assert client.get(path).status_code == 200


def test_changing_a_profile_leaves_alone_what_changes_meanwhile(users: dict[str, User]):
    client = APIClient()
    stale = User.objects.get(username="uma")
    users["uma"].set_password("a new one")
    users["uma"].save()
    client.force_authenticate(stale)
    assert client.patch("/api/profile/", {"first_name": "U."}, format="json").status_code == 200
    now = User.objects.get(username="uma")
    assert now.first_name == "U."
    assert now.check_password("a new one")
