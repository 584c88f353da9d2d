"""Django's session, saved where it can still be answered for that the database fails.

Django saves it last of all, in a middleware outside of ours: whatever fails there is an
error page. Worse, its store says of every failure that the session was deleted meanwhile.
Here it is saved earlier, by Django's own `save`, and failures are told apart. The later
`save` then has nothing to do, unless the session has changed, or what was saved was
rolled back.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.contrib.sessions.backends.base import SessionBase, UpdateError
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

from authkit.exceptions import StoreUnavailable

_logger = logging.getLogger("authkit")

_OF_DATABASE = (
    *(DataError, IntegrityError, InternalError),
    *(NotSupportedError, OperationalError, ProgrammingError),
)


def is_in_database(store: object) -> bool:
    """Whether Django keeps this session in the database; perhaps in the cache as well."""
    return isinstance(store, DatabaseSessionStore)


def save(store: SessionBase) -> None:
    """Save a session; where it is in the database, Django does not do it once more.

    Raises:
        StoreUnavailable: the database does not take it.
        django.contrib.sessions.exceptions.SessionInterrupted: it was deleted meanwhile;
            Django answers with 400.
    """
    known = vars(store).get("save")
    if isinstance(known, _Saved) and known.holds():
        return
    try:
        store.save()
    except (UpdateError, DatabaseFailure) as failure:
        if isinstance(failure, UpdateError) and not _is_of_database(failure.__context__):
            raise SessionInterrupted from failure
        _logger.exception("Django's session could not be saved.")
        raise StoreUnavailable("the session could not be saved") from failure
    if isinstance(store, DatabaseSessionStore) and _is_told_by_content(store):
        vars(store)["save"] = _Saved(store)


class _Saved:
    """Stands in the place of a session's `save` as long as there is nothing to save."""

    def __init__(self, store: DatabaseSessionStore) -> None:
        self._store: Any = store
        self._key = store.session_key
        self._content = _content(store)
        self._alias = router.db_for_write(store.model)
        self._heard: list[bool] = []
        self._hear = partial(self._heard.append, True)
        if connections[self._alias].in_atomic_block:
            transaction.on_commit(self._hear, using=self._alias)
        else:
            self._hear()

    def __call__(self, must_create: bool = False) -> None:
        """Save it after all, if there is something to save."""
        if must_create or not self.holds():
            vars(self._store).pop("save", None)
            self._store.save(must_create)

    def holds(self) -> bool:
        """Whether what the session holds is what was saved, and that was not rolled back."""
        is_same = self._key == self._store.session_key and self._content == _content(self._store)
        return is_same and (bool(self._heard) or self._is_open())

    def _is_open(self) -> bool:
        """Whether the transaction in which it was saved has not ended yet."""
        waiting = connections[self._alias].run_on_commit
        return any(entry[1] is self._hear for entry in waiting)


def _is_told_by_content(store: SessionBase) -> bool:
    """Whether what is stored is what Django stores: a class of a project's own may differ."""
    return type(store).encode is SessionBase.encode


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
