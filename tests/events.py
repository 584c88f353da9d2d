"""Audit events for tests, by roads that no project has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from authkit.models import AuditEvent


def forget_events() -> None:
    """Nothing has happened yet."""
    QuerySet(AuditEvent).delete()


def date_events(at: datetime, **which: Any) -> None:
    """These events happened at another time."""
    QuerySet(AuditEvent).filter(**which).update(at=at)
