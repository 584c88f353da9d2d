"""What a project asks: may they, which objects, what may they do, who may do this?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, models
from django.db.models import QuerySet
from django.utils import timezone

from authkit.access import callers, discovery, objects, obligations, policies
from authkit.access.loading import Policy
from authkit.kernel import explanation, judgement
from authkit.kernel.decision import Caller, Decision
from authkit.kernel.grant import Grant
from authkit.kernel.language import parse_access

M = TypeVar("M", bound=models.Model)

_UNAVAILABLE = Decision(False, "rules_unavailable")


@dataclass(frozen=True, slots=True)
class Reach:
    """One thing that somebody may do.

    Attributes:
        access: as it is written: ``api.article:create``.
        methods: HTTP methods by which it is asked.
        routes: where, as the URLconf writes them.
        conditional: whether it is for some objects only.
    """

    access: str
    methods: tuple[str, ...]
    routes: tuple[str, ...]
    conditional: bool


def decide(user: Any, access: str, obj: models.Model | None = None) -> Decision:
    """Decide whether this user may do this, at all or with one object.

    For `request.user` the credential counts as well: its scopes, and how long ago the
    person proved who they are.

    Args:
        user: a user, or an AnonymousUser.
        access: one endpoint and one action or group: ``"api.article:update"``.
        obj: a stored object of the endpoint's model.

    Raises:
        PatternError: `access` is not of the language.
    """
    key, action = parse_access(access)
    if obj is not None:
        obligations.met(key, action)
    return ask(user, key, action, obj, grant=callers.grant_of(user))


def can(user: Any, access: str, obj: models.Model | None = None) -> bool:
    """Whether this user may do this.

    Raises:
        ConditionalDecision: it depends on the object, and none was given.
        PatternError: `access` is not of the language.
    """
    return bool(decide(user, access, obj))


def visible(queryset: QuerySet[M], user: Any, access: str) -> QuerySet[M]:
    """The rows of a queryset with which this user may do this.

    Raises:
        PatternError: `access` is not of the language.
        TypeError: the queryset has been sliced.
    """
    obligations.met(*parse_access(access))
    return objects.visible_by(decide(user, access), queryset, user)


def ask(
    user: Any,
    key: str,
    action: str,
    obj: models.Model | None = None,
    *,
    grant: Grant | None,
    is_heard: bool = False,
) -> Decision:
    """Decide about an action that is known by its parts; `is_heard`: see `policies.current`."""
    policy = policies.current(is_heard=is_heard)
    now = timezone.now()
    try:
        caller = callers.caller_of(user, grant, policy, now=now)
        decision = judgement.decide(policy.snapshot, caller, key, action, now=now)
        return decision if obj is None else objects.settle(decision, obj, user)
    except DatabaseError:
        return without_database(policy, key, action)


def without_database(policy: Policy, key: str, action: str) -> Decision:
    """What is decided when the database cannot say who somebody is: public, or not at all."""
    cell = policy.snapshot.cell_of(key, action)
    is_public = cell is not None and cell.is_public
    return Decision(True, "public") if is_public else _UNAVAILABLE


def access_of(user: Any) -> list[Reach]:
    """All that this user may do, by endpoint and action, in alphabetical order.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    policy, caller, now = _standing(user)
    return list(_reached(policy, caller, now))


def explain(user: Any, access: str) -> explanation.Explanation:
    """Explain a decision: every step, every rule that matches, what would change it.

    Raises:
        PatternError: `access` is not of the language.
        django.db.Error: the database cannot be asked.
    """
    key, action = parse_access(access)
    policy, caller, now = _standing(user)
    return explanation.explain(policy.snapshot, caller, key, action, now=now)


def _standing(user: Any) -> tuple[Policy, Caller, datetime]:
    policy = policies.current()
    now = timezone.now()
    return policy, callers.caller_of(user, callers.grant_of(user), policy, now=now), now


def _reached(policy: Policy, caller: Caller, now: datetime) -> Iterator[Reach]:
    found = discovery.registry(settings.ROOT_URLCONF).endpoints
    for key in sorted(policy.snapshot.endpoints):
        endpoint = found.get(key)
        for action in sorted(policy.snapshot.endpoints[key].cells):
            decision = judgement.decide(policy.snapshot, caller, key, action, now=now)
            if endpoint is not None and decision.may_enter:
                yield Reach(
                    f"{key}:{action}",
                    tuple(endpoint.methods.get(action, ())),
                    tuple(endpoint.routes_of.get(action, ())),
                    decision.conditional,
                )
