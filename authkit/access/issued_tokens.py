"""A token that somebody made for another person does not grow beyond its maker.

Whoever made it may know its text. So it ends when its owner comes to hold more than they
do: when the one is promoted, or when the other is demoted, deactivated or deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import router
from django.db.models import Q, QuerySet
from django.utils import timezone

from authkit import tokens
from authkit.access import acting, guards
from authkit.access.acting import Actor
from authkit.models import BearerToken

#: Whose it is, and by which text.
_WHOSE = frozenset({"user", "user_id", "session", "session_id", "digest"})


def before_saved(instance: BearerToken, using: str, **_: object) -> None:
    """Nobody makes a token for who holds more; whoever makes one for another is noted."""
    actor = acting.current()
    if actor is None:
        return
    if instance._state.adding:
        _require_maker(actor, instance)
        return
    before = BearerToken._base_manager.using(using).filter(pk=instance.pk).first()
    names = _WHOSE & instance.__dict__.keys()
    if before is not None and any(vars(instance)[n] != vars(before).get(n) for n in names):
        guards.require_superuser(actor, str(instance.pk))


class Road:
    """Many tokens at once (see `gates.unsignalled`)."""

    def adding(
        self, objs: Collection[Any], using: str, updating: Collection[str]
    ) -> AbstractContextManager[None] | None:
        """Tokens are added."""
        actor = acting.current()
        if actor is not None:
            for token in objs:
                _require_maker(actor, token)
        return _require_same(updating)

    def rewriting(
        self, objs: Collection[Any], using: str, names: Collection[str]
    ) -> AbstractContextManager[None] | None:
        """Each gets values of its own."""
        return _require_same(names)

    def updating(
        self, stored: QuerySet[Any], values: dict[str, Any]
    ) -> AbstractContextManager[None] | None:
        """All get the same values."""
        return _require_same(values)

    def removing(self, stored: QuerySet[Any]) -> AbstractContextManager[None] | None:
        """Nobody gains by that."""
        return None


def _require_maker(actor: Actor, token: BearerToken) -> None:
    if token.session_id is None and actor.person.pk != token.user_id:
        guards.require_touch(actor, token.user)
        token.issued_by = actor.person


def _require_same(names: Iterable[str]) -> AbstractContextManager[None] | None:
    """A token under another text, or of somebody else, is another token."""
    changed = _WHOSE.intersection(names)
    actor = acting.current() if changed else None  # each use of a token is noted on its row
    if actor is None:
        return None
    guards.require_superuser(actor, ", ".join(sorted(changed)))
    return nullcontext()


def end_those_that_grew() -> None:
    """Revoke the tokens whose owner holds more than who made them."""
    for token in _issued().select_related("user", "issued_by"):
        if not guards.holds_at_least(token.issued_by, token.user):
            _revoke(token)


def end_those_made_by(person: Any) -> None:
    """Revoke the tokens that a person, who is about to be deleted, made for others."""
    for token in _issued().filter(issued_by=person.pk):
        _revoke(token)


def _issued() -> Any:
    now = timezone.now()
    live = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    rows = BearerToken._base_manager.using(router.db_for_write(BearerToken))
    return rows.filter(live, revoked_at__isnull=True, issued_by__isnull=False)


def _revoke(token: BearerToken) -> None:
    actor = acting.current() or acting.Actor(None)
    tokens.revoke(token.pk, now=timezone.now(), actor=actor.person, client=actor.client)
