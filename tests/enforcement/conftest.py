"""Rules, people and articles for the tests of enforcement."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User

from authkit.access import conditions
from authkit.models import Assignment, Role, Rule
from tests.people import make_person

# The articles belong to Django's own user model.
collect_ignore_glob = [] if django_settings.USER_MODEL == "default" else ["test_*.py"]

if not collect_ignore_glob:
    from demo_project.articles.models import Article
    from tests.enforcement import urls


@pytest.fixture(autouse=True)
def _governed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.enforcement.urls"
    monkeypatch.setattr(conditions, "_registered", {})
    urls.register_conditions()


class World:
    """Alice and Bob, an article of each, and rules as a test wants them."""

    def __init__(self) -> None:
        self.alice: Any = make_person("alice")
        self.bob: Any = make_person("bob")
        self.hers = Article.objects.create(title="hers", body="b", author_id=self.alice.pk)
        self.his = Article.objects.create(
            title="his", body="b", author_id=self.bob.pk, published=True
        )

    def rules(self, slug: str, *rules: str) -> Role:
        """Give a role rules such as ``allow api.article:update when own``."""
        role, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug})
        for text in rules:
            effect, access, *when = text.split()
            endpoints, _, actions = access.partition(":")
            Rule.objects.create(
                role=role,
                effect=effect,
                endpoints=endpoints,
                actions=actions,
                condition=when[1] if when else "",
            )
        return role

    def give(self, user: User, *rules: str) -> None:
        """Give a person these rules, by a role of their own."""
        role = self.rules(f"of-{user.username}", *rules)
        Assignment.objects.get_or_create(user=user, role=role)


@pytest.fixture
def world(db: None) -> World:
    return World()
