"""Rows of the project of papers: people, roles, rules, and papers by the hundred thousand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from guardian.models import UserObjectPermission

from authkit.models import Assignment, Endpoint, Role, Rule
from benchmarks.papers.models import Paper

_WORDS = ("read", "create", "update", "delete", "publish", "list", "create,update", "*")
_CONDITIONS = ("", "", "", "own", "shared")


def make_roles() -> None:
    """Ada is a reader, who may see all lists, her own papers, and those shared with her."""
    reader = Role.objects.create(slug="reader", name="Reader")
    ours = (
        ("papers.list", "read", ""),
        ("papers.governed", "read", ""),
        ("papers.own", "read", "own"),
        ("papers.shared", "read", "shared"),
    )
    Rule.objects.bulk_create(
        Rule(role=reader, endpoints=endpoints, actions=actions, condition=condition)
        for endpoints, actions, condition in ours
    )
    Assignment.objects.create(role=reader, user=User.objects.get(username="ada"))
    fill_up_to(rules=10, roles=10)
    Endpoint.objects.update(state="active")


def fill_up_to(*, rules: int, roles: int) -> None:
    """Add roles, of which each third includes the two before, and rules of theirs."""
    chance = random.Random(2026)
    known = Role.objects.count()
    made = Role.objects.bulk_create(
        Role(slug=f"role-{n:04}", name=f"Role {n}") for n in range(known, roles)
    )
    including = Role.includes.through
    including.objects.bulk_create(
        including(from_role=made[place], to_role=made[place - back])
        for place in range(2, len(made), 3)
        for back in (1, 2)
    )
    missing = rules - Rule.objects.count()
    found = list(_invented(made, missing, chance))
    Rule.objects.bulk_create(found, batch_size=5000)


def _invented(roles: list[Role], count: int, chance: random.Random) -> Iterator[Rule]:
    """Rules of which one in eleven is about a whole app; none of them twice."""
    keys = [f"app{n % 30}.thing{n}" for n in range(300)] + [f"app{n}.*" for n in range(30)]
    seen = set()
    while len(seen) < count:
        rule = (chance.choice(roles).pk, chance.choice(keys), chance.choice(_WORDS))
        if rule not in seen:
            seen.add(rule)
            yield Rule(
                role_id=rule[0],
                effect="deny" if chance.randrange(20) == 0 else "allow",
                endpoints=rule[1],
                actions=rule[2],
                condition=chance.choice(_CONDITIONS),
            )


def make_papers(count: int, *, seen: int) -> None:
    """So many papers. Ada owns `seen` of them, reads others, and guardian knows of hers."""
    ada = User.objects.get(username="ada")
    others = list(User.objects.exclude(pk=ada.pk))
    chance = random.Random(2026)
    numbers = chance.sample(range(count), 2 * seen)
    hers, shared = set(numbers[:seen]), set(numbers[seen:])
    for start in range(0, count, 5000):
        some = range(start, min(start + 5000, count))
        papers = Paper.objects.bulk_create(
            Paper(owner=ada if n in hers else chance.choice(others), title=f"Paper {n}")
            for n in some
        )
        readers = [
            (paper, ada if n in shared else chance.choice(others))
            for n, paper in zip(some, papers, strict=True)
        ]
        reading = Paper.readers.through
        reading.objects.bulk_create(reading(paper=p, user=u) for p, u in readers)
        _tell_guardian(papers)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _tell_guardian(papers: Any) -> None:
    kind = ContentType.objects.get_for_model(Paper)
    permission = kind.permission_set.get(codename="view_paper")
    UserObjectPermission.objects.bulk_create(
        UserObjectPermission(
            permission=permission, content_type=kind, object_pk=str(paper.pk), user=paper.owner
        )
        for paper in papers
    )


def forget_when_last_seen() -> None:
    """The use of a sign-in is noted once a minute; that is not what is measured here."""
    from authkit.models import UserSession  # noqa: PLC0415

    UserSession.objects.update(last_seen_at=timezone.now())
