"""Objects: one that is checked, and a page of those that somebody may see."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from guardian.shortcuts import get_objects_for_user

from authkit.access import decide, visible
from benchmarks.papers.models import Paper
from benchmarks.rounds import Contender
from benchmarks.wsgi import Answer, Statements


def everyone(person: User) -> list[Contender]:
    """Each way of asking, by direct call. Who asks is read anew, as for each request."""
    hers = Paper.objects.filter(owner=person).order_by("pk")[50]
    lent = Paper.objects.filter(readers=person).order_by("pk")[50]
    papers = Paper.objects.order_by("pk")
    ways: dict[str, Any] = {
        "check: authkit, own": lambda: bool(decide(_anew(person), "papers.own:retrieve", hers)),
        "check: authkit, shared": lambda: bool(
            decide(_anew(person), "papers.shared:retrieve", lent)
        ),
        "check: guardian": lambda: _anew(person).has_perm("papers.view_paper", hers),
    }
    querysets: dict[str, Any] = {
        "authkit, own": lambda: visible(papers, _anew(person), "papers.own:list"),
        "authkit, shared": lambda: visible(papers, _anew(person), "papers.shared:list"),
        "guardian": lambda: get_objects_for_user(_anew(person), "papers.view_paper", papers),
    }
    for name, ask in querysets.items():
        ways[f"first 20: {name}"] = lambda ask=ask: len(list(ask()[:20])) == 20
        ways[f"count: {name}"] = lambda ask=ask: ask().count() == 10_000
    return [_contender(name, ask) for name, ask in ways.items()]


def queries_of(contender: Contender) -> int:
    """How many queries a question makes; it must be answered with yes."""
    counts = []
    for _ in range(3):
        with Statements() as statements:
            answer = contender.application({})
        if answer.body != b"True":
            raise RuntimeError(f"{contender.name}: {answer.body!r}")
        counts.append(statements.count)
    return min(counts)


def _contender(name: str, ask: Any) -> Contender:
    return Contender(name, lambda _: Answer("", str(ask()).encode()), dict)


def _anew(person: User) -> User:
    """The person without anything that an earlier question has left on them."""
    fields = {f.attname: getattr(person, f.attname) for f in User._meta.concrete_fields}
    return User.from_db("default", list(fields), list(fields.values()))
