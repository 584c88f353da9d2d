"""Whom events are about, by the names that these people have today."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model

from authkit import event_kinds
from authkit.admin.base import key_in
from authkit.models import AuditEvent


def add_subject_names(events: Iterable[AuditEvent]) -> None:
    """Give each event `subject_name`: that of the person it is about, or nothing."""
    model: Any = get_user_model()
    about = {event: _person_key(model, event) for event in events}
    keys = {key for key in about.values() if key is not None}
    names = {person.pk: str(person) for person in model._base_manager.filter(pk__in=keys)}
    for event, key in about.items():
        event.subject_name = names.get(key, "")  # type: ignore[attr-defined]


def _person_key(model: Any, event: AuditEvent) -> Any:
    if not event.subject or not event_kinds.is_about_person(event.kind):
        return None
    return key_in(model, event.subject)
