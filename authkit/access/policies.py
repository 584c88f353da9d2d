"""The policy that a process decides by, kept as new as what it has heard of.

A process compiles anew when the number that came along with a look-up is another than
that of what it has compiled. A policy of very many rules is compiled beside the requests:
they are answered by the one before until it is there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace

from django.conf import settings
from django.core.signals import setting_changed
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.asyncio import async_unsafe

from authkit import changes, freshness, snapshots
from authkit.access import aside, loading
from authkit.access.loading import AccessChanging, Policy, Revision
from authkit.models.access_revision import database, lingers_in, pending_in

#: A policy of more rules is compiled beside the requests. So many take about 0.1 s.
MANY_RULES = 5_000
#: For so many seconds the one before goes on deciding while the next is compiled.
PATIENCE = 30.0

_logger = logging.getLogger("authkit")


def current(*, is_heard: bool = False) -> Policy:
    """The policy to decide by.

    `is_heard` tells that a look-up made for this request has just read the number of the
    last change; otherwise the change feed is looked at, once per MAX_STALENESS.

    It never raises for what is wrong with the rules or the database: such a policy is
    there and not available, and decides for nobody but what code makes public.
    """
    alias = database()
    urlconf = settings.ROOT_URLCONF
    try:
        if not is_heard:
            changes.look()
        if pending_in(alias) is not None:
            return _in_transaction(alias, urlconf)
        known = _shelf.policy
        if (
            known is not None
            and known.revision.number == freshness.heard()
            and known.urlconf == urlconf
        ):
            return known
        return _shelf.catch_up(alias, urlconf)
    except DatabaseError as error:  # each request says so, hence without the traceback
        _logger.error("The access rules cannot be read: %s", error)  # noqa: TRY400
        return loading.without_rules(urlconf)


def forget() -> None:
    """Know nothing, as a new process does."""
    _shelf.__init__()  # type: ignore[misc]


def _in_transaction(alias: str, urlconf: str) -> Policy:
    """The policy as it will be if the open transaction is committed; kept with its changes."""
    if snapshots.is_by_hand(connections[alias]):
        return _load(alias, urlconf)  # nothing tells how long it could be kept
    keeper = pending_in(alias, "policy") or pending_in(alias)
    if keeper is None:
        return _shelf.catch_up(alias, urlconf)
    kept: dict[str, Policy] = keeper.remembered.setdefault("policies", {})
    if urlconf not in kept:
        policy = _shelf.unchanged(alias, urlconf) or _load(alias, urlconf)
        kept[urlconf] = replace(policy, is_private=True)
    return kept[urlconf]


def _load(alias: str, urlconf: str, revision: Revision | None = None) -> Policy:
    try:
        return loading.load(alias, urlconf)
    except (ValueError, AccessChanging):
        _logger.exception("The access rules are not whole and valid; nobody but public is let in.")
        closed = loading.without_rules(urlconf)
        return closed if revision is None else replace(closed, revision=revision)


class _Shelf:
    """What this process has compiled. One thread compiles; the others wait or go on."""

    def __init__(self) -> None:
        self.policy: Policy | None = None
        self._lock = threading.Lock()
        self._behind_since: float | None = None
        self._is_compiling = threading.Event()

    @async_unsafe  # refused before the lock: whoever holds it waits for the database
    def catch_up(self, alias: str, urlconf: str) -> Policy:
        """The policy of the newest revision, or for a while the one before."""
        with self._lock:
            may_be_old = snapshots.may_be_old(connections[alias])
            since = freshness.asked()
            revision = loading.revision_in(alias)
            if not may_be_old:
                freshness.settle(revision.number, since=since)
            known = self.policy
            is_ours = known is not None and known.urlconf == urlconf
            if is_ours and known is not None:
                if may_be_old and revision.number < known.revision.number:
                    return _load(alias, urlconf)
                if known.revision.policy == revision.policy and not lingers_in(alias):
                    return self._publish(replace(known, revision=revision))
                if self._may_go_on(known) and not may_be_old:
                    self._compile_beside(alias, urlconf, revision, known.revision.policy)
                    return self._go_on(known, revision)
            policy = _load(alias, urlconf, revision)
            return policy if lingers_in(alias) else self._publish(policy)

    def unchanged(self, alias: str, urlconf: str) -> Policy | None:
        """What is known, if nothing of it has changed, here or in the open transaction."""
        known = self.policy
        if known is None or known.urlconf != urlconf:
            return None
        return known if known.revision.policy == loading.revision_in(alias).policy else None

    def after_fork(self) -> None:
        """Keep what is known; locks that another process's threads held are nobody's."""
        self._lock = threading.Lock()
        self._is_compiling = threading.Event()

    def _publish(self, policy: Policy) -> Policy:
        self.policy = policy
        self._behind_since = None
        return policy

    def _may_go_on(self, known: Policy) -> bool:
        """Whether the policy before decides for a while longer."""
        if known.rules <= MANY_RULES:
            return False
        if self._behind_since is None:
            self._behind_since = time.monotonic()
        return time.monotonic() - self._behind_since < PATIENCE

    def _go_on(self, known: Policy, revision: Revision) -> Policy:
        """The policy before; but who has which role is known at once all the same."""
        self.policy = replace(known, revision=replace(known.revision, people=revision.people))
        return self.policy

    def _compile_beside(self, alias: str, urlconf: str, revision: Revision, before: int) -> None:
        if self._is_compiling.is_set():
            return
        self._is_compiling.set()
        threading.Thread(
            target=self._compile,
            args=(alias, urlconf, revision, before),
            name="authkit-policy",
            daemon=True,
        ).start()

    def _compile(self, alias: str, urlconf: str, revision: Revision, before: int) -> None:
        old: list[object] = []
        try:
            with aside.working():
                policy = _load(alias, urlconf, revision)
            old = self._replace(before, policy)
        except DatabaseError:
            _logger.exception("The access rules could not be read; they will be asked for again.")
        finally:
            self._is_compiling.clear()
            BaseDatabaseWrapper.close(connections[alias])  # SQLite's keeps one in memory open
        aside.let_go(old)

    def _replace(self, before: int, policy: Policy) -> list[object]:
        """Put a policy in the place of the one `before`, unless another stands there.

        Returns what the old one is made of.
        """
        with self._lock:
            known = self.policy
            if known is None or known.revision.policy != before:
                return []
            self._publish(policy)
        return [rules for by_role in known.snapshot.rules.values() for rules in by_role.values()]


_shelf = _Shelf()
os.register_at_fork(after_in_child=_shelf.after_fork)


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"ROOT_URLCONF", "DATABASES", "INSTALLED_APPS"}:
        forget()


setting_changed.connect(_forget, dispatch_uid="authkit.access.policies")
