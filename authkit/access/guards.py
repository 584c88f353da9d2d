"""Nobody gives what they don't have, and nobody reaches up.

These are the questions. `gates` asks them on every road by which access changes, below
forms and serializers. They bind whoever is acting (`acting`), and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from authkit import audit
from authkit.access import power
from authkit.access.acting import Actor
from authkit.access.power import Power
from authkit.access.refusals import (
    AccountHoldsMore,
    BrokenPolicy,
    ExceedsOwnAccess,
    GuardRefusal,
    WhileImpersonating,
)
from authkit.kernel.cover import Bundle, first_uncovered, uncovered_loss
from authkit.kernel.language import PatternError
from authkit.kernel.policy import EndpointDecl, Rule

_PERSON = "person"


@dataclass(frozen=True, slots=True)
class _Nobody:
    """Somebody whose account is gone holds nothing."""

    pk: Any
    is_active: bool = False


def holds_at_least(actor: Any, other: Any) -> bool:
    """Whether `actor` holds all that `other` holds, and so may act on that account.

    To end somebody's sign-ins, to set their password or to make a token in their name is
    to hold their access for a moment; whoever holds less must not. People may always act
    on themselves. A deactivated account counts for what it would hold if it were
    activated again, and roles count that begin later.

    Rules and permissions are asked about, those of all roles and groups included. Where a
    user model cannot tell permissions, only superusers hold as much as somebody else.
    """
    if not actor.is_active:
        return False
    if _is_superuser(actor) or (actor.pk is not None and actor.pk == other.pk):
        return True
    if _is_superuser(other) or (_is_staff(other) and not _is_staff(actor)):
        return False
    return _covers(power.of_giver(actor, until=None), other)


def may_touch(actor: Actor, account: Any) -> bool:
    """Whether this person may change this account."""
    person = person_of(actor)
    if is_superuser(actor) or person.pk == account.pk:
        return True
    if _is_superuser(account) or (_is_staff(account) and not _is_staff(person)):
        return False
    return _covers(power_of(actor), account)


def require_touch(actor: Actor, account: Any) -> None:
    """Refuse to change the account of somebody who holds more.

    Raises:
        AccountHoldsMore: they do.
    """
    if not may_touch(actor, account):
        raise refuse(actor, AccountHoldsMore(str(account)))


def require_own_hand(actor: Actor) -> None:
    """Refuse an administrator who acts in somebody else's name.

    Raises:
        WhileImpersonating: they do.
    """
    if actor.is_impersonated:
        raise refuse(actor, WhileImpersonating())


def require_rules(
    actor: Actor,
    wanted: Bundle,
    *,
    until: datetime | None = None,
    endpoints: Iterable[EndpointDecl] | None = None,
) -> None:
    """Refuse to give rules that reach further than the person's own.

    `endpoints`: as they will be; as they are, if not given.

    Raises:
        ExceedsOwnAccess: they do.
    """
    if is_superuser(actor) or not wanted.allows:
        return
    held = power_of(actor, until=until).rules
    known = power.endpoints() if endpoints is None else endpoints
    rule = first_uncovered(wanted, held, known)
    if rule is not None:
        raise refuse(actor, ExceedsOwnAccess(_access_of(rule)))


def require_loss(
    actor: Actor, denies: Iterable[Rule], remaining: Bundle, *, is_all_known: bool = False
) -> None:
    """Refuse to end deny rules that keep somebody from what the person does not hold.

    Raises:
        ExceedsOwnAccess: they do.
    """
    denies = tuple(denies)
    if is_superuser(actor) or not denies:
        return
    held = power_of(actor).rules
    known = power.endpoints()
    rule = uncovered_loss(denies, remaining, held, known, is_all_known=is_all_known)
    if rule is not None:
        raise refuse(actor, ExceedsOwnAccess(_access_of(rule)))


def require_permissions(
    actor: Actor, names: Iterable[str], *, until: datetime | None = None
) -> None:
    """Refuse to give Django permissions that the person does not have.

    Raises:
        ExceedsOwnAccess: one of them is not theirs.
    """
    wanted = frozenset(names)
    if is_superuser(actor) or not wanted:
        return
    missing = wanted - (power_of(actor, until=until).permissions or frozenset())
    if missing:
        raise refuse(actor, ExceedsOwnAccess(", ".join(sorted(missing))))


def require_superuser(actor: Actor, what: str) -> None:
    """Refuse what only a superuser may do.

    Raises:
        ExceedsOwnAccess: the person is none.
    """
    if not is_superuser(actor):
        raise refuse(actor, ExceedsOwnAccess(what))


def require_staff(actor: Actor, what: str) -> None:
    """Refuse what only staff may do.

    Raises:
        ExceedsOwnAccess: the person is not staff.
    """
    if not is_superuser(actor) and not power_of(actor).is_staff:
        raise refuse(actor, ExceedsOwnAccess(what))


def is_superuser(actor: Actor) -> bool:
    """Whether nothing is refused to this person for holding too little."""
    person = person_of(actor)
    return bool(person.is_active) and _is_superuser(person)


def person_of(actor: Actor) -> Any:
    """The person as they are stored, whatever has been set on the instance at hand."""
    if _PERSON not in actor.remembered:
        model: Any = get_user_model()
        actor.remembered[_PERSON] = model._base_manager.filter(pk=actor.person.pk).first()
    return actor.remembered[_PERSON] or _Nobody(actor.person.pk)


def power_of(actor: Actor, *, until: datetime | None = None) -> Power:
    """What the person held when they began to change things.

    It is worked out once: whatever they have gained since was within it.
    """
    if until not in actor.remembered:
        actor.remembered[until] = power.of_giver(person_of(actor), until=until)
    found: Power = actor.remembered[until]
    return found


def refuse(actor: Actor, refusal: GuardRefusal) -> GuardRefusal:
    """Note that somebody tried, and hand the refusal back to be raised."""
    audit.record(
        "access.refused",
        actor=actor.person,
        subject=refusal.what,
        session_id=actor.session_id,
        client=actor.client,
        data={"code": refusal.code},
    )
    return refusal


def broken(actor: Actor, error: Exception) -> GuardRefusal:
    """The refusal of a change after which nobody would get in."""
    return refuse(actor, BrokenPolicy(error))


def _covers(ours: Power, account: Any) -> bool:
    try:
        theirs = power.of_account(account)
    except PatternError:
        return False
    if ours.permissions is None or theirs.permissions is None:
        return False
    is_covered = theirs.permissions <= ours.permissions
    return is_covered and first_uncovered(theirs.rules, ours.rules, power.endpoints()) is None


def _is_superuser(person: Any) -> bool:
    return bool(getattr(person, "is_superuser", False))


def _is_staff(person: Any) -> bool:
    return bool(getattr(person, "is_staff", False))


def _access_of(rule: Rule) -> str:
    when = f" when {rule.condition}" if rule.condition else ""
    return f"{rule.endpoints}:{','.join(rule.actions)}{when}"
