"""Export and import change nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from authkit.access import loading
from authkit.access.policy_file import export_policy, import_policy
from authkit.access.sync import sync
from authkit.kernel.difference import stances
from authkit.models import Assignment, Endpoint, Role, Rule
from tests.access.some_roles import role
from tests.people import make_person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.default_user_only,
]


def a_world() -> None:
    """Everything that a file can say."""
    sync()
    Endpoint.objects.filter(key="api.person").update(state="active")
    reader = role("reader", "allow api.*:read")
    author = role("author", "allow api.report:GET", "deny api.person:destroy when of age")
    author.name, author.description = 'The "author"', "Writes.\nTabs\tand \\ and \x07 and ü.\n"
    author.save()
    author.includes.add(reader)
    author.permissions.set(Permission.objects.filter(codename__in=["view_group", "add_group"]))
    role("author", "allow api.vault:*", is_enabled=False)
    Rule.objects.filter(role=author, default="api.person:create").update(
        actions="create,list", source="admin"
    )
    Rule.objects.filter(role=author, default__contains="when").update(
        is_enabled=False, source="admin"
    )
    role("anyone", "allow api.person:list")
    role("empty")


def everything() -> list[list[tuple[Any, ...]]]:
    """Each row, but for when it was looked at."""
    return [
        sorted(Role.objects.values_list("slug", "name", "description", "includes__slug")),
        sorted(Role.permissions.through.objects.values_list("role__slug", "permission")),
        sorted(
            Rule.objects.values_list(
                "role__slug", "effect", "endpoints", "actions", "condition", "is_enabled", "source",
                "default",
            )
        ),
        sorted(Endpoint.objects.values_list("key", "state")),
    ]  # fmt: skip


def empty() -> None:
    Role.objects.all().delete()
    Endpoint.objects.all().delete()


def decided() -> list[Any]:
    return list(stances(loading.load("default", django_settings.ROOT_URLCONF).snapshot))


def test_importing_what_was_exported_changes_nothing():
    a_world()
    text, before = export_policy(), everything()
    ids = list(Rule.objects.order_by("pk").values_list("pk", flat=True))
    imported = import_policy(text.encode())
    assert imported.difference == ()
    assert imported.changes == ()
    assert everything() == before
    assert list(Rule.objects.order_by("pk").values_list("pk", flat=True)) == ids
    assert export_policy() == text


def test_an_empty_database_says_the_same_afterwards_byte_for_byte():
    a_world()
    text, before, verdicts = export_policy(), everything(), decided()
    empty()
    assert export_policy() != text
    import_policy(text.encode())
    assert export_policy() == text
    assert decided() == verdicts
    assert everything()[:3] == before[:3]
    sync()
    assert export_policy() == text
    assert everything() == before


def test_nothing_at_all_is_a_policy_too():
    empty()
    text = export_policy()
    assert import_policy(text.encode()).difference == ()
    assert export_policy() == text


def test_people_are_not_part_of_it_and_groups_only_when_asked_for():
    a_world()
    author = Role.objects.get(slug="author")
    person: Any = make_person("ada")
    Assignment.objects.create(role=author, user=person)
    temps, editors = Group.objects.create(name='"Temps"'), Group.objects.create(name="Editors")
    end = datetime(2030, 12, 31, 12, 30, 1, 5, tzinfo=UTC)
    Assignment.objects.create(role=author, group=temps, ends_at=end)
    Assignment.objects.create(role=author, group=editors)
    assert "Temps" not in export_policy()
    text = export_policy(with_groups=True)
    assert "ada" not in text
    Assignment.objects.filter(group__isnull=False).delete()
    Assignment.objects.create(role=Role.objects.get(slug="reader"), group=editors)
    import_policy(export_policy().encode())
    assert Assignment.objects.count() == 2
    import_policy(text.encode())
    assert export_policy(with_groups=True) == text
    assert Assignment.objects.get(group=temps).ends_at == end
    assert Assignment.objects.filter(user=person).exists()
    assert not Assignment.objects.filter(role__slug="reader").exists()


SLUGS = ("reader", "author", "anyone", "staff")
LINES = st.sampled_from(
    [
        f"{effect} {access}{when}"
        for effect in ("allow", "deny")
        for access in ("api.person:read", "api.person:*", "api.*:list,create", "*:*", "gone:GET")
        for when in ("", " when themselves", " when of age")
    ]
)
roles = st.dictionaries(
    st.sampled_from(SLUGS),
    st.tuples(st.sets(LINES, max_size=5), st.sets(LINES, max_size=2), st.text(max_size=20)),
)


@settings(deadline=None)
@given(roles=roles, looked_at=st.booleans())
def test_whatever_the_policy_an_import_decides_the_same(roles, looked_at):
    with transaction.atomic():
        empty()
        sync()
        if looked_at:
            Endpoint.objects.update(state="active")
        for slug, (rules, switched_off, description) in roles.items():
            made = role(slug, *rules)
            role(slug, *(switched_off - rules), is_enabled=False)
            made.description = description.replace("\0", "")
            made.save()
        for one, other in zip(sorted(roles), sorted(roles)[1:], strict=False):
            Role.objects.get(slug=one).includes.add(Role.objects.get(slug=other))
        text, verdicts = export_policy(), decided()
        empty()
        import_policy(text.encode())
        assert export_policy() == text
        assert decided() == verdicts
        transaction.set_rollback(True)
