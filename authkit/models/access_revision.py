"""How often access has changed: one small row that every process compares with."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Literal

from django.db import DEFAULT_DB_ALIAS, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

Part = Literal["policy", "people"]


class AccessRevision(models.Model):
    """Counted up inside the transaction of each change of access.

    The row stays locked until that transaction ends, so numbers commit in their order: a
    process that knows the newest number knows everything. Numbers are also times, so
    that a database which was restored or flushed does not count through the same ones
    again. It is the only row; where it is missing, nothing has ever changed.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0, help_text=_("Of the last change of access."))
    policy = models.BigIntegerField(
        default=0, help_text=_("Of the last change of roles, rules or endpoints.")
    )
    people = models.BigIntegerField(
        default=0, help_text=_("Of the last change of who has which role.")
    )

    class Meta:
        verbose_name = _("access revision")

    def __str__(self) -> str:
        return str(self.number)


class PendingChange:
    """A change of access in a transaction that has not been committed yet.

    It hangs from the transaction's `on_commit` list, which Django clears when the
    transaction or savepoint is rolled back: what was rolled back is never believed.
    Whoever asks inside the transaction finds the newest one by `pending_in`.
    """

    #: How many changes this process has committed.
    committed_here = 0
    #: Those of any thread. While it is empty, nobody need look into a transaction.
    alive: ClassVar[set[int]] = set()

    def __init__(self, part: Part) -> None:
        """`remembered` is for what was worked out from exactly this state."""
        self.alive.add(id(self))
        self.part = part
        self.remembered: dict[str, Any] = {}

    def __del__(self) -> None:
        self.alive.discard(id(self))

    def __call__(self) -> None:
        """Committed: this process need not wait to hear of it."""
        PendingChange.committed_here += 1


def database() -> str:
    """Where the row is. Routers are asked only where a project has any: this is asked often."""
    return router.db_for_write(AccessRevision) if router.routers else DEFAULT_DB_ALIAS


def changed(part: Part, *, using: str | None = None) -> None:
    """Note that access has changed; inside the transaction that changes it."""
    alias = using or database()
    following = Greatest(models.F("number") + 1, models.Value(time.time_ns() // 1000))
    # No savepoint: a change that was not counted must not stand, and rows that go bring many.
    with transaction.atomic(using=alias, savepoint=False):
        row = AccessRevision._base_manager.using(alias).filter(pk=1)
        values: dict[str, Any] = {"number": following, part: following}
        if not row.update(**values):
            AccessRevision._base_manager.using(alias).bulk_create(
                [AccessRevision(pk=1)], ignore_conflicts=True
            )
            row.update(**values)
        transaction.on_commit(PendingChange(part), using=alias)


def pending_in(alias: str, part: Part | None = None) -> PendingChange | None:
    """The newest change in the transaction that is open here, if there is one."""
    if not PendingChange.alive:  # finding this thread's connection takes longer than deciding
        return None
    connection = connections[alias]
    return _hanging_in(connection, part) if connection.in_atomic_block else None


def lingers_in(alias: str) -> bool:
    """Whether, without autocommit, a change made here may not be committed yet."""
    if not PendingChange.alive:
        return False
    connection = connections[alias]
    return not connection.in_atomic_block and _hanging_in(connection) is not None


def _hanging_in(connection: BaseDatabaseWrapper, part: Part | None = None) -> PendingChange | None:
    for entry in reversed(connection.run_on_commit):
        change = entry[1]
        if isinstance(change, PendingChange) and part in (None, change.part):
            return change
    return None


class AccessModel(models.Model):
    """A row on which access depends: saving and deleting count up, in one transaction.

    Many rows at once count up where they are guarded (`access.gates`).
    """

    part: Part = "policy"

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Store the row, and tell."""
        alias = options.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            super().save(*args, **options)
            changed(self.part, using=alias)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, and tell."""
        alias = options.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            deleted = super().delete(*args, **options)
            changed(self.part, using=alias)
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
