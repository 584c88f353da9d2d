"""The one hand that writes `AuditEvent`.

An event is part of the transaction in which it happens: what is rolled back did not
happen. But that someone *tried* must not be lost with a view's transaction. So within a
request each event is remembered until the request is over, and one that went down with
its transaction is then written again, marked ``"rolled_back": true``.

Once an event is stored for good, the project hears of it: by the signal
`authkit.signals.event_recorded`, and by the logger ``authkit.audit`` at level INFO. A
project's own events are recorded with `authkit.events.record`.
"""

from __future__ import annotations

import contextvars
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import connections, router, transaction
from django.db.models import Model
from django.utils import timezone

from authkit import signals
from authkit.kernel.client import NOBODY, Client
from authkit.kernel.visible import one_line
from authkit.models import AuditEvent

FindImpersonator = Callable[[], tuple[Any, str] | None]

_NAME_LENGTH = 254
_USER_AGENT_LENGTH = 300

_logger = logging.getLogger("authkit.audit")


def record(
    kind: str,
    *,
    actor: AbstractBaseUser | Model | None = None,
    actor_name: str = "",
    subject: object = "",
    session_id: UUID | None = None,
    client: Client = NOBODY,
    data: Mapping[str, Any] | None = None,
    is_attempt: bool = True,
) -> None:
    """Write what happened.

    Args:
        kind: stable dotted name, such as ``login.succeeded``.
        actor: the person who did it, if known.
        actor_name: the name given, where there is no such person.
        subject: to whom or what it was done; kept as text.
        session_id: the sign-in by which it was done, or that it was done to.
        client: from where.
        data: details, of JSON's types; never a secret.
        is_attempt: whether it is worth telling even if its transaction is rolled back.
    """
    impersonator_id, impersonator_name = _impersonator()
    event = AuditEvent(
        at=timezone.now(),
        kind=kind,
        actor_id=None if actor is None else actor.pk,
        actor_name=one_line(actor_name or ("" if actor is None else str(actor)))[:_NAME_LENGTH],
        impersonator_id=impersonator_id,
        impersonator_name=one_line(impersonator_name)[:_NAME_LENGTH],
        subject=one_line(str(subject))[:_NAME_LENGTH],
        session_id=session_id,
        ip=client.ip,
        user_agent=one_line(client.user_agent)[:_USER_AGENT_LENGTH],
        data=_storable(dict(data or {})),
    )
    Written(event).write(is_attempt=is_attempt)


class by_impersonator:  # noqa: N801 - read as `with audit.by_impersonator(find)`
    """Around a request: `find` tells, when it is asked, who makes it in somebody else's name.

    It answers with primary key and name, or None. Every event within carries both.
    """

    __slots__ = ("_find", "_token")

    def __init__(self, find: FindImpersonator) -> None:
        """Keep whom to ask."""
        self._find = find

    def __enter__(self) -> None:
        """Ask from now on."""
        self._token = _find_impersonator.set(self._find)

    def __exit__(self, *_: object) -> None:
        """Stop, whatever happened."""
        _find_impersonator.reset(self._token)


def tells_impersonators() -> bool:
    """Whether events that are written now say who acts in somebody else's name."""
    return _find_impersonator.get() is not None


class of_request:  # noqa: N801 - read as `with audit.of_request(written)`
    """Around a request, outside of its transaction: adds to `written` what is written in it.

    Hand the list to `rescue` when the request is over, however it ended.
    """

    __slots__ = ("_token", "_written")

    def __init__(self, written: list[Written]) -> None:
        """Keep the list."""
        self._written = written

    def __enter__(self) -> None:
        """Begin to listen."""
        self._token = _of_request.set(self._written)

    def __exit__(self, *_: object) -> None:
        """Stop, whatever happened."""
        _of_request.reset(self._token)


def rescue(written: list[Written]) -> None:
    """Write again what went down with its transaction."""
    for entry in written:
        entry.rescue()


class Written:
    """An event that was written in a transaction whose end is not known yet."""

    def __init__(self, event: AuditEvent) -> None:
        self._event = event
        self._is_committed = False

    def __call__(self) -> None:
        """Hear that the transaction has been committed."""
        self._is_committed = True
        self.tell()

    def tell(self) -> None:
        """Tell the project of what is certain now."""
        tell(self._event)

    def write(self, *, is_attempt: bool = True) -> None:
        """Write it now, in whatever transaction there is."""
        connection = connections[_alias()]
        is_watched = is_attempt and watch(self, connection.alias)
        if connection.needs_rollback and is_watched:
            return
        self._event.save()
        self.hear()

    def hear(self, alias: str = "") -> None:
        """Hear of the commit of the transaction that is open; if none is, it is done already."""
        connection = connections[alias or _alias()]
        if not connection.in_atomic_block:
            self()
        elif not connection.needs_rollback:
            transaction.on_commit(self, using=connection.alias)

    def rescue(self) -> None:
        """Write it again if its transaction was rolled back."""
        if self._is_committed or is_open(self, _alias()) or self._is_stored():
            return
        self._event.pk = None
        self._event._state.adding = True
        self._event.data = {**self._event.data, "rolled_back": True}
        self._event.save()
        self.hear()

    def _is_stored(self) -> bool:
        """Whether it was committed after all, and something failed before we heard of it."""
        event = self._event
        if event.pk is None:
            return False
        stored = AuditEvent.objects.using(_alias())
        return stored.filter(pk=event.pk, at=event.at, kind=event.kind).exists()


def watch(entry: Written, alias: str) -> bool:
    """Have `entry` rescued after the request, if a transaction is open; whether it will be."""
    of_request = _of_request.get()
    if of_request is None or not connections[alias].in_atomic_block:
        return False
    of_request.append(entry)
    return True


def is_open(entry: Written, alias: str) -> bool:
    """Whether the transaction of `entry` has not ended yet."""
    return any(waiting[1] is entry for waiting in connections[alias].run_on_commit)


def tell(event: AuditEvent) -> None:
    """Hand a stored event on to the project; whatever fails there spoils nothing here."""
    signals.event_recorded.send_robust(sender=AuditEvent, event=event)
    if not _logger.isEnabledFor(logging.INFO):
        return
    facts = facts_of(event)
    try:
        _logger.info("%s %s", event.kind, json.dumps(facts), extra={"authkit_event": facts})
    except Exception:
        logging.getLogger("authkit").exception("An audit event could not be logged.")


def facts_of(event: AuditEvent) -> dict[str, Any]:
    """An event as JSON's types, under the names of its columns."""
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "actor": None if event.actor_id is None else str(event.actor_id),
        "actor_name": event.actor_name,
        "impersonator": None if event.impersonator_id is None else str(event.impersonator_id),
        "impersonator_name": event.impersonator_name,
        "subject": event.subject,
        "session": None if event.session_id is None else str(event.session_id),
        "ip": event.ip,
        "user_agent": event.user_agent,
        "data": event.data,
    }


_of_request: contextvars.ContextVar[list[Written] | None] = contextvars.ContextVar(
    "authkit_audit_of_request", default=None
)


_find_impersonator: contextvars.ContextVar[FindImpersonator | None] = contextvars.ContextVar(
    "authkit_audit_impersonator", default=None
)


def _impersonator() -> tuple[Any, str]:
    find = _find_impersonator.get()
    found = None if find is None else find()
    return (None, "") if found is None else found


def _alias() -> str:
    return router.db_for_write(AuditEvent)


def _storable(value: Any) -> Any:
    """Escape what no database takes in JSON; whoever writes JSON out escapes the rest."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    if isinstance(value, Mapping):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value
