"""``manage.py authkit prune``: delete what is over and needed by nobody."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure
from django.db import OperationalError, connections, router, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from authkit import audit, changes, conf, sessions
from authkit.accounts import lockouts, outdated, tally
from authkit.management.subcommands.base import Subcommand
from authkit.models import AuditEvent, BearerToken, PausedSignIn, SpentState
from authkit.models.audit_event import older_than

_LARGEST_BATCH = 10_000
_SECONDS_BETWEEN_REPORTS = 5.0
_SECONDS_BETWEEN_ATTEMPTS = 0.1
_ATTEMPTS = 5

Rows = QuerySet[Any]
Report = Callable[[Counter[type[Model]]], None]


class Prune(Subcommand):
    """Cleans up. Once a day is enough; several at once get in nobody's way."""

    name = "prune"
    help = (
        "Deletes sessions and tokens that ended longer ago than SESSION_LIFETIME, entries of the"
        " change feed that no process needs any more, keys of links and invitations that ended"
        " a month ago, counts and lock-outs that are over, and audit events older than"
        " AUDIT_RETENTION."
    )

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """How, or only how much."""
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")
        parser.add_argument(
            "--batch",
            type=_batch,
            default=1000,
            help=f"rows to delete in one transaction (default: 1000, at most {_LARGEST_BATCH})",
        )

    def run(self, *, dry_run: bool, batch: int, verbosity: int, **options: Any) -> None:
        """Delete batch by batch; what is deleted stays deleted if a later one fails."""
        counts: Counter[type[Model]] = Counter()
        report = _Reporter(self.say if verbosity else None)
        now = timezone.now()
        try:
            prunable = over(now)
            if not dry_run:
                lockouts.end_expired(now=now)
            for rows in prunable:
                counts[rows.model] += rows.count() if dry_run else 0
                if not dry_run:
                    delete_in_batches(rows, batch, counts, report)
            _record(counts[AuditEvent], now, dry_run=dry_run)
        except DatabaseFailure as failure:
            self._show(counts, dry_run=dry_run, verbosity=verbosity)
            raise CommandError(f"The database failed, not all is pruned: {failure}") from failure
        self._show(counts, dry_run=dry_run, verbosity=verbosity)

    def _show(self, counts: Counter[type[Model]], *, dry_run: bool, verbosity: int) -> None:
        if not verbosity:
            return
        rows = [(str(model._meta.verbose_name_plural), f"{n:,}") for model, n in counts.items()]
        self.show_table(("", "would be deleted" if dry_run else "deleted"), rows)


def over(now: datetime) -> list[Rows]:
    """What may go, of each model; tokens before the sessions that would take them along."""
    events = older_than(now - conf.get().audit_retention)
    found: list[Rows] = [
        *sessions.over(now=now),
        changes.over(now=now.timestamp()),
        *outdated.over(now=now),
        tally.over(now=now),
        *(model.objects.filter(expires_at__lt=now) for model in (SpentState, PausedSignIn)),
        events,
    ]
    return [rows.using(router.db_for_write(rows.model)) for rows in found]


def delete_in_batches(rows: Rows, size: int, counts: Counter[type[Model]], report: Report) -> None:
    """Walk once along the primary key and delete; add to `counts` what was deleted."""
    last: Any = None
    models: set[type[Model]] = {rows.model, BearerToken}
    while True:
        keys, deleted = _delete_batch(rows, size, after=last)
        if not keys:
            return
        last = keys[-1]
        for model in models:
            counts[model] += deleted.get(model._meta.label, 0)
        report(counts)


def _delete_batch(rows: Rows, size: int, *, after: Any) -> tuple[list[Any], dict[str, int]]:
    """The keys that were looked at, and how many rows of each model were deleted.

    Several that delete at once may lock each other out; a database then lets one go on
    and fails the others, who try again.
    """
    for attempt in range(1, _ATTEMPTS):
        try:
            return _try_batch(rows, size, after)
        except OperationalError:
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS * attempt)
    return _try_batch(rows, size, after)


def _try_batch(rows: Rows, size: int, after: Any) -> tuple[list[Any], dict[str, int]]:
    """Where the database can, pass over rows that another process is just deleting."""
    may_lock = connections[rows.db].features.has_select_for_update_skip_locked
    some = rows.order_by("pk") if after is None else rows.order_by("pk").filter(pk__gt=after)
    if may_lock:
        some = some.select_for_update(skip_locked=True)
    with transaction.atomic(using=rows.db) if may_lock else nullcontext():
        keys = list(some.values_list("pk", flat=True)[:size])
        return keys, rows.filter(pk__in=keys).delete()[1] if keys else {}


class _Reporter:
    """Says from time to time how far it has come."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self._say = say
        self._said_at = time.monotonic()

    def __call__(self, counts: Counter[type[Model]]) -> None:
        if self._say and time.monotonic() - self._said_at >= _SECONDS_BETWEEN_REPORTS:
            self._said_at = time.monotonic()
            self._say(f"{counts.total():,} rows deleted so far ...")


def _record(events: int, now: datetime, *, dry_run: bool) -> None:
    """An event that tells that there were others."""
    if events and not dry_run:
        before = now - conf.get().audit_retention
        audit.record("audit.pruned", data={"events": events, "before": before.isoformat()})


def _batch(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST_BATCH:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number from 1 to {_LARGEST_BATCH}")
