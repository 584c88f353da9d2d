"""What a conditional decision still owes while its request is being answered.

"Allowed for these objects" lets a request enter, and then somebody has to apply it: filter
the list, check the object, check what was written. An Obligation stands until that is
done; if it is not, the answer does not go out and what was written is taken back.
"""

from __future__ import annotations

import contextvars
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DatabaseError, models, router, transaction
from django.db.models import signals

from authkit.access import acting, added, looked_at, row_locks
from authkit.access.looked_at import LookedAt
from authkit.access.reach import Reach
from authkit.exceptions import ConditionNotApplied, NotPermitted, StoreUnavailable
from authkit.kernel.decision import Decision
from authkit.kernel.patterns import Access, has_action
from authkit.models.kinds import is_told, part_keys, plain_keys

#: On a row that is being saved: the keys that it, and each part, was found and looked at by.
_LOOKED_AT = "_authkit_looked_at"


class Obligation:
    """One conditional decision, about one request.

    Attributes:
        access: what was asked.
        decision: the conditional answer.
        reach: the rows for which it is.
        is_met: whether it has been applied to a list, an object or something written.
        is_safe: whether the request only reads, so that applying it means filtering.
        is_over: whether the answer is being sent, so that nothing can be taken back.
    """

    def __init__(
        self, access: Access, decision: Decision, user: Any, model: type[models.Model] | None
    ) -> None:
        """`model` is that of the endpoint; only its rows are watched."""
        self.access = access
        self.decision = decision
        self.reach = Reach(decision, user, model)
        self.is_met = False
        self.is_safe = False
        self.is_over = False
        self._is_broken = False
        self._is_settled = False
        self._connection: Any = None
        self._written: dict[tuple[str | None, type[models.Model]], set[Any]] = {}
        self._looked_at = LookedAt()

    def watch(self, obj: models.Model, using: str | None = None) -> None:
        """Check this row, which was checked before or has just been written, at the end."""
        if self.reach.is_about(type(obj)):
            alias = using or router.db_for_write(type(obj), instance=obj)
            self.watch_rows(alias, type(obj), [obj.pk])

    def watch_rows(
        self, using: str | None, model: type[models.Model], keys: Collection[Any]
    ) -> None:
        """Check these at the end; nothing is checked by a write of no row."""
        self._require_open(using)
        self._known(using, model).update(keys)
        if not row_locks.are_taken(using):  # as it was looked at, so it stays
            self.remember(using, model, keys)
        # What a request that reads happens to write says nothing of what it shows.
        self.is_met |= bool(keys) and not self.is_safe
        if self._is_settled and self.reach.is_left(using, model, keys):
            self.lose_track()

    def look_before(
        self,
        using: str | None,
        model: type[models.Model],
        keys: Collection[Any],
        *,
        is_removal: bool = False,
    ) -> set[Any]:
        """Check stored rows that are about to be written and that nobody has checked yet.

        Returns the keys of those that may be written: what else may be stored by then, nobody
        has looked at.
        """
        self._require_open(using)
        every = plain_keys(model, keys)
        known = self._looked_at.among((using, self.reach.named(model)), every)
        found = self.reach.hold(using, model, every - known, wholly=is_removal)
        if found is None:
            self.lose_track()
            return known
        return known | found

    def remember(self, using: str | None, model: type[models.Model], keys: Collection[Any]) -> None:
        """Rows that were looked at and written change no more."""
        if not self.is_safe and not self._is_settled:  # else the transaction ends with the write
            place = (using, self.reach.named(model))
            self._looked_at.remember(place, plain_keys(model, keys))

    def lose_track(self) -> None:
        """A row out of reach was written, or nobody can tell which: so all is taken back.

        Raises:
            ConditionNotApplied: the rest has been committed already.
            NotPermitted: the request is one that reads, and has no transaction.
        """
        if self._is_settled:
            raise ConditionNotApplied(f"{self.access}: a row was out of reach after the commit")
        self._is_broken = True
        if self.is_safe:
            raise NotPermitted(f"{self.access}: a row was out of reach")

    def settle(self) -> None:
        """Check what was written, inside the transaction that wrote it.

        Raises:
            NotPermitted: a row is now out of the caller's reach, or was before.
            ConditionNotApplied: nothing was ever filtered, checked or written.
            StoreUnavailable: nobody can tell.
        """
        if self._is_broken:
            raise NotPermitted(f"{self.access}: a row was out of reach")
        if self._has_moved_rows():
            raise NotPermitted(f"{self.access}: a row was moved out of reach")
        if not self.is_met:
            raise ConditionNotApplied(str(self.access))
        self._is_settled = not self.is_safe
        self._looked_at.forget()

    @contextmanager
    def taking_back(self) -> Iterator[None]:
        """Within a transaction that ends well only if all that was written was in reach."""
        model = self.reach.model
        alias = "default" if model is None else router.db_for_write(model)
        with transaction.atomic(using=alias):
            self._connection = transaction.get_connection(alias)
            yield
            self.settle()

    def own_transaction(self, using: str | None) -> AbstractContextManager[Any]:
        """One around a look and a write, where none is open: the request only reads, say."""
        self._require_open(using)
        return row_locks.own_transaction(using)

    def _require_open(self, using: str | None) -> None:
        """Refuse a write that nobody could take back.

        Raises:
            ConditionNotApplied: the answer is being sent, or another database or thread writes.
        """
        if self.is_safe:
            return
        if self.is_over:
            raise ConditionNotApplied(f"{self.access}: written while the answer was sent")
        if self._connection not in (None, transaction.get_connection(using)):
            raise ConditionNotApplied(f"{self.access}: written by another connection ({using})")

    def _has_moved_rows(self) -> bool:
        try:
            return any(
                self.reach.is_left(alias, model, keys)
                for (alias, model), keys in self._written.items()
            )
        except DatabaseError as error:  # a view may have gone on after a failure, for one
            raise StoreUnavailable(f"{self.access}: what was written cannot be checked") from error

    def _known(self, using: str | None, model: type[models.Model]) -> set[Any]:
        return self._written.setdefault((using, self.reach.named(model)), set())


_owed: contextvars.ContextVar[Obligation | None] = contextvars.ContextVar(
    "authkit_obligation", default=None
)


def owed() -> Obligation | None:
    """What the request that is being answered owes."""
    return _owed.get()


def owed_for_writes() -> Obligation | None:
    """The same, but where the project's own code answers for what is written."""
    return None if acting.is_system() else _owed.get()


def met(key: str, word: str) -> None:
    """Note that the decision about this action, or a group of which it is, has been applied."""
    obligation = _owed.get()
    if obligation is not None and obligation.access.key == key:
        obligation.is_met |= has_action((word,), obligation.access.action)


@contextmanager
def reading(obligation: Obligation) -> Iterator[None]:
    """Around the answer to a safe request."""
    before = _owed.get()
    obligation.is_safe = True
    _owed.set(obligation)
    try:
        yield
        obligation.settle()
    finally:
        _owed.set(before)  # and not by its token: an async chain changes contexts on the way


@contextmanager
def writing(obligation: Obligation) -> Iterator[None]:
    """Around the answer to a request that may write: all of it, or nothing."""
    before = _owed.get()
    _owed.set(obligation)
    try:
        with obligation.taking_back():
            yield
    finally:
        _owed.set(before)  # and not by its token: an async chain changes contexts on the way


@contextmanager
def sending(obligation: Obligation) -> Iterator[None]:
    """Around each part of an answer that is made while it is being sent."""
    before = _owed.get()
    obligation.is_over = True
    _owed.set(obligation)
    try:
        yield
    finally:
        _owed.set(before)


def listen() -> None:
    """Notice what is written while something is owed; called once."""
    added.listen()
    looked_at.listen()
    signals.pre_save.connect(_about_to_be_saved, dispatch_uid="authkit.access.obligations")
    signals.post_save.connect(_saved, dispatch_uid="authkit.access.obligations")


def end_save(instance: models.Model) -> None:
    """Leave nothing on a row whose save failed, of which Django tells nobody."""
    instance.__dict__.pop(_LOOKED_AT, None)


def _about_to_be_saved(instance: models.Model, using: str, **_: object) -> None:
    obligation = owed_for_writes()
    if obligation is None:
        return
    looks = {
        kind: obligation.look_before(using, kind, part_keys(instance, kind))
        for kind in obligation.reach.kinds_of(type(instance))
    }
    if looks:
        instance.__dict__[_LOOKED_AT] = looks


def _saved(instance: models.Model, using: str, created: bool, **_: object) -> None:
    looks = instance.__dict__.pop(_LOOKED_AT, {})
    obligation = owed_for_writes()
    if obligation is None:
        return
    for kind, found in looks.items():
        is_new = created if kind is type(instance) else added.is_added(instance, kind)
        _require_looked_at(
            obligation, (using, kind), part_keys(instance, kind), found, is_new=is_new
        )
    obligation.watch(instance, using)


def _require_looked_at(
    obligation: Obligation,
    place: tuple[str, type[models.Model]],
    keys: set[Any],
    found: set[Any],
    *,
    is_new: bool,
) -> None:
    """Take back a save that met with a row which was not there a moment before."""
    using, kind = place
    is_looked_at = is_new or plain_keys(kind, keys) <= found
    if is_looked_at and all(is_told(key) for key in keys):
        obligation.watch_rows(using, kind, keys)
        obligation.remember(using, kind, keys)
    else:
        obligation.lose_track()
