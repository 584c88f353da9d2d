"""How a process learns what other processes changed.

Each change is a row of the feed (`models.Change`). A process reads on from the last row
that it saw, at most once per MAX_STALENESS, in one small query (`feed` says how).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError
from django.db.models import QuerySet

from authkit import announcements, conf, feed
from authkit.feed_rows import CLOCK_LEEWAY
from authkit.models import Change

_CLEAN_UP_ONCE_IN = 50


def announce_ended(session_ids: Iterable[UUID], *, now: float) -> None:
    """Tell every process that these sessions have ended, once the transaction commits.

    `now` is Unix time in seconds. An entry stays for as long as an access token that
    was minted just before could live.
    """
    until = int(now + conf.get().access_token_lifetime.total_seconds()) + CLOCK_LEEWAY
    ended = dict.fromkeys(session_ids, until)
    if not ended:
        return
    kind = Change.Kind.SESSION_ENDED
    Change.objects.bulk_create(
        Change(kind=kind, subject=str(session_id), expires_at=until) for session_id in ended
    )
    announcements.Announcement(ended, _learn).await_commit()


def look() -> None:
    """Learn what has changed, unless this process looked within MAX_STALENESS.

    Raises:
        django.db.Error: the feed cannot be read; the caller must refuse the request.
    """
    _feed.look(max_staleness=conf.get().max_staleness.total_seconds())


def is_on_denylist(session_id: UUID) -> bool:
    """Whether this session has ended, as far as a look within MAX_STALENESS tells.

    Raises:
        django.db.Error: the feed cannot be read; the caller must refuse the request.
    """
    _feed.look(max_staleness=conf.get().max_staleness.total_seconds())
    return _feed.has_ended(session_id)


def is_current() -> bool:
    """Whether `look` would return without asking the database."""
    return _feed.is_current(max_staleness=conf.get().max_staleness.total_seconds())


def hear_of(latest_id: int | None) -> None:
    """Take a hint, read along with something else, of how long the feed is by now."""
    _feed.hear_of(latest_id)


def has_ended(session_id: UUID) -> bool:
    """Whether this session is known to have ended (as of the last `look`)."""
    return _feed.has_ended(session_id)


def over(*, now: float) -> QuerySet[Change]:
    """Entries that no process can need any more; `now` is Unix time in seconds."""
    long_over = int(now) - 2 * CLOCK_LEEWAY
    return Change.objects.filter(expires_at__lt=long_over)


def _learn(ended: dict[UUID, int]) -> None:
    _feed.learn(ended)
    if random.random() * _CLEAN_UP_ONCE_IN < 1:  # noqa: S311 - not a secret
        with suppress(DatabaseError):  # the sessions have ended, cleaned up or not
            _clean_up()


def _clean_up() -> None:
    """Delete some of what is over. By its keys: a range would wait for rows next to it."""
    keys = list(over(now=time.time()).order_by("pk").values_list("pk", flat=True)[:500])
    Change.objects.filter(pk__in=keys).delete()


_feed = feed.Feed()
os.register_at_fork(after_in_child=_feed.__init__)  # type: ignore[misc]
