"""The answer to "may they do this?", with a reason that programs may rely on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from authkit.kernel.policy import Rule

Reason = Literal[
    "rules_unavailable",
    "public",
    "anonymous",
    "inactive",
    "unknown_endpoint",
    "unknown_action",
    "endpoint_not_active",
    "requirement_not_met",
    "second_factor_required",
    "recent_sign_in_required",
    "scope_insufficient",
    "superuser",
    "denied_by_rule",
    "allowed_by_rule",
    "allowed_if",
    "condition_not_met",
    "condition_unknown",
    "no_rule",
]


class ConditionalDecision(TypeError):
    """Somebody asked for yes or no where the answer is "for these objects"."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """For which objects a conditional decision allows.

    An object is reached when in each group of `any_of` one condition holds at least, and
    none of `none_of`. No group at all means every object.

    One decision has at most one group. Asking about several actions at once
    (``api.article:read``) has one for each that is conditional.
    """

    any_of: tuple[tuple[str, ...], ...] = ()
    none_of: tuple[str, ...] = ()

    def hold(self, is_true: Callable[[str], bool]) -> bool:
        """Whether one object is reached, asking `is_true` about each condition."""
        return all(any(map(is_true, group)) for group in self.any_of) and not any(
            map(is_true, self.none_of)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, refused, or allowed for some objects.

    Attributes:
        allowed: True, False, or None when it depends on the object.
        reason: a stable code.
        conditions: on which objects it depends; None when it does not.
        find_rule: names the deciding rule; asked through `rule`.
    """

    allowed: bool | None
    reason: Reason
    conditions: Conditions | None = None
    find_rule: Callable[[], Rule | None] | None = field(default=None, repr=False, compare=False)

    @property
    def conditional(self) -> bool:
        """Whether the answer is "for these objects"."""
        return self.allowed is None

    @property
    def may_enter(self) -> bool:
        """Whether the request may reach the view, which then filters and checks objects."""
        return self.allowed is not False

    @property
    def rule(self) -> Rule | None:
        """The rule that decided, if one did. Of several equal ones, always the same."""
        return self.find_rule() if self.find_rule else None

    def settle(self, *, holds: bool) -> Decision:
        """Answer a conditional decision for one object, for which its conditions hold or not."""
        if self.allowed is not None:
            return self
        if holds:
            return Decision(True, "allowed_if", self.conditions, self.find_rule)
        return Decision(False, "condition_not_met", self.conditions, self.find_rule)

    def __bool__(self) -> bool:
        """Answer yes or no, or raise ConditionalDecision when there is no such answer."""
        if self.allowed is None:
            raise ConditionalDecision(
                "this decision depends on the object: filter by it, or check one object"
            )
        return self.allowed


def _holds_nothing(permission: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Caller:
    """All that a decision needs to know of who asks.

    Attributes:
        roles: ids of the roles assigned to them or to a group of theirs, in force now.
            Built-in roles follow from the flags below.
        is_authenticated, is_active, is_staff, is_superuser: of the user.
        scopes: of the credential; None when nothing narrows it.
        authenticated_at: when the person last proved who they are; None when the
            credential proves only itself.
        has_second_factor: whether a second factor was part of that.
        has_permission: asks for a Django permission; only called when code requires one.
    """

    roles: frozenset[str] = frozenset()
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    scopes: tuple[str, ...] | None = None
    authenticated_at: datetime | None = None
    has_second_factor: bool = False
    has_permission: Callable[[str], bool] = field(default=_holds_nothing, repr=False)


STRANGER = Caller(is_authenticated=False)
