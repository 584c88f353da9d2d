"""A token that somebody made for another person does not grow beyond its maker.

Whoever made it may know its text. So it ends when its owner comes to hold more than they
do: when the one is promoted, or when the other is demoted, deactivated or deleted.
"""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.models import Q
from django.utils import timezone

from authkit import tokens
from authkit.access import acting, guards
from authkit.models import BearerToken


def before_saved(instance: BearerToken, **_: object) -> None:
    """Nobody makes a token for who holds more; whoever makes one for another is noted."""
    actor = acting.current()
    if actor is None or not instance._state.adding or instance.session_id is not None:
        return
    if actor.person.pk != instance.user_id:
        guards.require_touch(actor, instance.user)
        instance.issued_by = actor.person


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
