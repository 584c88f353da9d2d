"""What one process knows of the change feed, and when it looks at it again."""

from __future__ import annotations

import threading
import time
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.asyncio import async_unsafe

from authkit import announcements, conf, feed_rows, snapshots
from authkit.feed_rows import CLOCK_LEEWAY, Answer
from authkit.kernel.place import Place
from authkit.models.change import database

#: If the clock has moved so far against one that nobody sets, in seconds, it has been set.
#: Half the leeway: the other half is for what it was wrong by before.
_CLOCK_WAS_SET = CLOCK_LEEWAY / 2
#: Once in so many seconds, what is over is dropped. With 100,000 sessions that takes 20 ms,
#: too long for each look; and what a minute leaves behind is little beside what still lives.
_TIDY_EVERY = 60.0


class Feed:
    """What one process knows of the feed."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start from nothing, as a new process does."""
        self._looked_at = self._tidied_at = float("-inf")
        self._heard_of = 0
        self._place = Place()
        self._clock = _clock_beside_monotonic()
        self._ended: dict[int, int] = {}  # by number: a UUID is slow to hash

    def has_ended(self, session_id: UUID) -> bool:
        """Whether this session is known to have ended, here or in our own transaction."""
        if session_id.int in self._ended:
            return True
        if not announcements.open_ones:  # finding this thread's connection takes longer
            return False
        return session_id in announcements.ended_in(connections[database()])

    def learn(self, ended: dict[UUID, int]) -> None:
        """Take what was committed here, without waiting for the next look."""
        self._ended.update({session_id.int: until for session_id, until in ended.items()})

    def hear_of(self, latest_id: int | None) -> None:
        """Look again at the next occasion, if the feed is longer than we have ever heard of."""
        if latest_id is None or latest_id <= self._heard_of:
            return
        self._heard_of = latest_id
        last = self._place.last
        if last is None or latest_id > last[0]:
            self._looked_at = float("-inf")

    def is_current(self, *, max_staleness: float) -> bool:
        """Whether the last look is recent enough; `max_staleness` in seconds."""
        return time.monotonic() - self._looked_at < max_staleness

    def look(self, *, max_staleness: float) -> None:
        """Read on, unless the last look is recent enough; `max_staleness` in seconds.

        Raises:
            SynchronousOnlyOperation: it is not, and an event loop would have to wait.
            django.db.Error: the feed cannot be read.
        """
        asked_at = time.monotonic()
        if asked_at - self._looked_at < max_staleness:
            return
        self._look(asked_at, max_staleness)

    @async_unsafe  # refused before the lock: whoever holds it waits for the database
    def _look(self, asked_at: float, max_staleness: float) -> None:
        connection = connections[database()]
        may_be_old = snapshots.may_be_old(connection)
        if may_be_old and announcements.has_looked_in(
            connection, asked_at, max_staleness=max_staleness
        ):
            return
        if may_be_old and not snapshots.can_tell(connection):
            answer = feed_rows.find(connection, self._place, asks_level=False)
            self._take_for_itself(connection, answer, asked_at)
            return
        with self._lock:
            if asked_at - self._looked_at < max_staleness:  # another thread, while we waited
                return
            started_at = time.monotonic()
            was_set = self._start_anew_if_clock_was_set()
            answer = feed_rows.find(connection, self._place, asks_level=may_be_old)
            if may_be_old and not answer.is_newest:
                self._take_for_itself(connection, answer, asked_at)
                return
            self._take_for_all(connection, answer)
            if not was_set and started_at - self._tidied_at > _TIDY_EVERY:
                self._tidy(started_at)
            self._looked_at = started_at

    def _take_for_all(self, connection: BaseDatabaseWrapper, answer: Answer) -> None:
        """Read on to the end: this process knows all that is committed by now."""
        if answer.is_whole:
            self._place.leave()
        own = announcements.ended_in(connection)
        until = _until_it_matters_no_more(time.time())
        for row in answer.rows:
            session_id = UUID(row.subject)
            if session_id not in own:
                self._ended[session_id.int] = row.matters_until
                self._place.pass_by(row.number, row.subject, matters_until=until)

    def _take_for_itself(
        self, connection: BaseDatabaseWrapper, answer: Answer, asked_at: float
    ) -> None:
        """Take what an old state shows: not all, but what it shows is committed, or our own."""
        ended = {UUID(row.subject): row.matters_until for row in answer.rows}
        own = announcements.ended_in(connection)
        self.learn({session_id: ended[session_id] for session_id in ended.keys() - own})
        announcements.looked_in(connection, asked_at)

    def _start_anew_if_clock_was_set(self) -> bool:
        """Read all again after that: who judged by a wrong clock has dropped what is live."""
        clock = _clock_beside_monotonic()
        if abs(clock - self._clock) <= _CLOCK_WAS_SET:
            return False
        self._clock = clock
        self._place.leave()
        return True

    def _tidy(self, now_monotonic: float) -> None:
        """Drop what is over."""
        self._tidied_at, now = now_monotonic, time.time()
        self._place.gaps.drop_over(now)
        for session_id, until in list(self._ended.items()):  # `learn` may add meanwhile
            if until < now:
                self._ended.pop(session_id, None)


def _until_it_matters_no_more(now: float) -> float:
    """Until when a row that is being written now could say anything that matters."""
    return now + conf.get().access_token_lifetime.total_seconds() + 2 * CLOCK_LEEWAY


def _clock_beside_monotonic() -> float:
    """How far the clock is from one that nobody sets."""
    return time.time() - time.monotonic()
