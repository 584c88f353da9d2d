"""Writes each change of access to the audit: before, after, and who.

An event is part of the transaction of its change. One that was rolled back did not
happen, so unlike an attempt it is not written again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model

from authkit import audit
from authkit.access import acting
from authkit.models import Assignment, Endpoint, Role, Rule

Facts = dict[str, Any]

_NOUNS: dict[type[Model], str] = {
    Rule: "rule",
    Role: "role",
    Assignment: "assignment",
    Endpoint: "endpoint",
}
_LAST_WORDS = "_authkit_last_words"
#: As many rows of a bulk change are told one by one.
MOST = 100


def saved(before: Model | None, after: Model) -> None:
    """A role, rule or assignment was added or changed."""
    was, becomes = None if before is None else facts_of(before), facts_of(after)
    if was != becomes:
        verb = "added" if before is None else "changed"
        record(f"{_noun_of(type(after))}_{verb}", _subject_of(after), before=was, after=becomes)


def about_to_go(row: Model) -> None:
    """Note what there is to tell while all of it is still there."""
    row.__dict__[_LAST_WORDS] = _subject_of(row), facts_of(row)


def deleted(row: Model) -> None:
    """A role, rule or assignment was removed."""
    subject, facts = row.__dict__.pop(_LAST_WORDS)
    record(f"{_noun_of(type(row))}_removed", subject, before=facts)


def changed_in_bulk(model: type[Model], before: Sequence[Model], after: Sequence[Model]) -> None:
    """Many rows were added or changed at once."""
    record(
        f"{_noun_of(model)}s_changed",
        "",
        count=max(len(before), len(after)),
        before=[facts_of(row) for row in before[:MOST]],
        after=[facts_of(row) for row in after[:MOST]],
    )


def endpoint_saved(before: Endpoint | None, after: Endpoint) -> None:
    """An endpoint was looked at, or its state is another."""
    if before is not None and before.state != after.state:
        is_review = after.state == Endpoint.State.ACTIVE
        kind = "endpoint_reviewed" if is_review else "endpoint_changed"
        record(kind, after.key, before=before.state, after=after.state)


def flags_changed(person: Any, before: Any, names: Collection[str]) -> None:
    """A person was deactivated, made staff, and the like."""
    record(
        "person_flags_changed",
        person.pk,
        name=str(person),
        before=None if before is None else {n: getattr(before, n) for n in sorted(names)},
        after={n: getattr(person, n) for n in sorted(names)},
    )


def relation_changed(
    kind: str, subject: object, added: Iterable[str], removed: Iterable[str], **more: Any
) -> None:
    """What hangs from something by a relation is more, or less."""
    record(kind, subject, added=sorted(added), removed=sorted(removed), **more)


def group_deleted(group: Group) -> None:
    """A group was removed, and with it what its members had by it."""
    record("group_removed", group.name)


def record(kind: str, subject: object, **data: Any) -> None:
    """Write an event of whoever is acting."""
    actor = acting.current() or acting.Actor(None)
    audit.record(
        f"access.{kind}",
        actor=actor.person,
        subject=subject,
        session_id=actor.session_id,
        client=actor.client,
        data=data,
        is_attempt=False,
    )


def facts_of(row: Model) -> Facts:
    """What there is to tell about a row."""
    if isinstance(row, Rule):
        return {
            "role": row.role.slug,
            "rule": str(row),
            "is_enabled": row.is_enabled,
            "source": row.source,
        }
    if isinstance(row, Role):
        return {"slug": row.slug, "name": row.name, "description": row.description}
    if isinstance(row, Assignment):
        return {
            "role": row.role.slug,
            "person": None if row.user_id is None else str(row.user),
            "group": None if row.group is None else row.group.name,
            "starts_at": row.starts_at and row.starts_at.isoformat(),
            "ends_at": row.ends_at and row.ends_at.isoformat(),
        }
    return {"pk": str(row.pk), "state": getattr(row, "state", None)}


def _noun_of(model: type[Model]) -> str:
    """What rows of a model are called, whatever name it has itself."""
    nouns = (noun for kind, noun in _NOUNS.items() if issubclass(model, kind))
    return next(nouns, str(model._meta.model_name))


def _subject_of(row: Model) -> object:
    if isinstance(row, Assignment):
        return row.user_id if row.user_id is not None else f"group {row.group}"
    return row.role.slug if isinstance(row, Rule) else getattr(row, "slug", row.pk)
