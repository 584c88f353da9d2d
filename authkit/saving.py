"""Django's session, saved where it can still be answered for that the database fails.

Django saves it last of all, in a middleware outside of ours: whatever fails there is an
error page. Worse, its store says of every failure that the session was deleted meanwhile.
Here it is saved earlier, by Django's own `save`, and failures are told apart. The later
`save` then has nothing to do, unless the session has changed, its row was written by
somebody else in this process, or what was saved was rolled back.

Without a query it cannot be seen that SQL, a `QuerySet` or another process wrote the row
in between, or that anything but the session itself deleted it. What was written so stays.
Where the row was deleted Django's answer would be 400; here a cookie goes out that leads to
no row, and with `cached_db` to what the cache still holds.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from django.apps import apps
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.cached_db import SessionStore as CachedSessionStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import (
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connections,
    router,
    transaction,
)
from django.db import Error as DatabaseFailure
from django.db.models import signals

from authkit.exceptions import StoreUnavailable

if TYPE_CHECKING:
    from django.contrib.sessions.base_session import AbstractBaseSession

_logger = logging.getLogger("authkit")

_OF_DATABASE = (
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)


def is_in_database(store: object) -> bool:
    """Whether Django keeps this session in the database; perhaps in the cache as well."""
    return isinstance(store, DatabaseSessionStore)


def save(store: SessionBase) -> None:
    """Save a session; where it is in the database, Django does not do it once more.

    Raises:
        StoreUnavailable: the database does not take it. It does not name its cause, in
            which PostgreSQL tells the whole row: with its key, that is the cookie's secret.
        django.contrib.sessions.exceptions.SessionInterrupted: it was deleted meanwhile;
            Django answers with 400.
    """
    if isinstance(store, _SavedOnce) and store.is_saved():
        return
    try:
        store.save()
    except (UpdateError, DatabaseFailure) as failure:
        if isinstance(failure, UpdateError) and not _is_of_database(failure.__context__):
            raise SessionInterrupted from failure
        why = _reason(failure, store)
        _logger.error("Django's session could not be saved: %s", why)  # noqa: TRY400
        raise StoreUnavailable("the session could not be saved") from None
    _remember(store)


class _Saved:
    """What was saved of a session, as long as nobody else writes its row."""

    def __init__(self, store: DatabaseSessionStore) -> None:
        self._key = str(store.session_key)
        self._content = _content(store)
        self._alias = router.db_for_write(store.model)
        self._heard: list[bool] = []
        self._hear = partial(self._heard.append, True)
        if connections[self._alias].in_atomic_block:
            transaction.on_commit(self._hear, using=self._alias)
        else:
            self._hear()
        _last[self._key] = self

    def holds(self, store: SessionBase) -> bool:
        """Whether what the session holds is what was saved, and that was not rolled back."""
        is_same = self._key == store.session_key and self._content == _content(store)
        is_last = _last.get(self._key) is self
        return is_same and is_last and (bool(self._heard) or self._is_open())

    def _is_open(self) -> bool:
        """Whether the transaction in which it was saved has not ended yet."""
        waiting = connections[self._alias].run_on_commit
        return any(entry[1] is self._hear for entry in waiting)


#: By its key, what wrote the row of a session last; as long as its session is in use.
_last: WeakValueDictionary[str, _Saved] = WeakValueDictionary()


def listen() -> None:
    """Hear of every row of a session that Django writes, whoever asked for it."""
    if apps.is_installed("django.contrib.sessions"):
        rows = DatabaseSessionStore.get_model_class()
        signals.post_save.connect(_on_written, sender=rows, dispatch_uid="authkit.saving")


def _on_written(instance: AbstractBaseSession, **_: object) -> None:
    _last.pop(instance.session_key, None)


class _SavedOnce(DatabaseSessionStore):
    """Django's session in the database, that saves only what is not saved yet.

    It takes the place of a session's class: so a copy of the session saves itself.
    """

    key_salt = f"django.contrib.sessions.{DatabaseSessionStore.__qualname__}"
    saved: _Saved | None = None

    def is_saved(self) -> bool:
        """Whether there is nothing to save."""
        return self.saved is not None and self.saved.holds(self)

    def save(self, must_create: bool = False) -> None:
        """Save it, if there is something to save."""
        if must_create or not self.is_saved():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        """Delete it: what was saved is not there any more."""
        _last.pop(session_key or self.session_key or "", None)
        super().delete(session_key)

    async def adelete(self, session_key: str | None = None) -> None:
        """Delete it: what was saved is not there any more."""
        _last.pop(session_key or self.session_key or "", None)
        await super().adelete(session_key)


class _CachedAndSavedOnce(_SavedOnce, CachedSessionStore):
    """The same, for sessions that are in the cache as well."""


#: Only of Django's own: how long a session of a project's class lasts, and what is stored
#: of it, its content alone may not tell. Those are saved whenever Django says so.
_SAVED_ONCE: dict[type[SessionBase], type[_SavedOnce]] = {
    DatabaseSessionStore: _SavedOnce,
    CachedSessionStore: _CachedAndSavedOnce,
}


def _remember(store: SessionBase) -> None:
    kind = _SAVED_ONCE.get(type(store))
    if kind is not None:
        store.__class__ = kind
    if isinstance(store, _SavedOnce):
        store.saved = _Saved(store)


def _content(store: Any) -> bytes:
    content: bytes = store.serializer().dumps(store._session)
    return content


def _is_of_database(failure: BaseException | None) -> bool:
    """Whether a database failed, and did not just find no row to update.

    Of that, Django tells by an error of its own, which no driver has caused.
    """
    if not isinstance(failure, DatabaseFailure):
        return False
    return isinstance(failure, _OF_DATABASE) or failure.__cause__ is not None


def _reason(failure: BaseException, store: SessionBase) -> str:
    """What may be logged of a failure: not the row, which the driver's text may tell."""
    of_django = failure if isinstance(failure, DatabaseFailure) else failure.__context__
    of_driver = getattr(of_django, "__cause__", None) or of_django
    told = getattr(of_driver, "diag", None)  # of psycopg
    text = getattr(told, "message_primary", None) or str(of_driver).partition("\n")[0]
    if store.session_key:
        text = text.replace(store.session_key, "(the key)")
    code = getattr(told, "sqlstate", None)
    return " ".join(filter(None, (type(of_django).__name__, code, text)))
