"""What would change: rules, and who gains and who loses by it; for the preview page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from authkit.access import conditions, discovery, matrix
from authkit.access.gains import RoleGain, Turn, gains_by_role
from authkit.access.grid_edits import RuleChange, with_changes
from authkit.access.matrix import Plan
from authkit.admin.matrix.texts import Labels, change_text, stance_text, words_text
from authkit.kernel.policy import ANYONE, AUTHENTICATED
from authkit.wording import role_name


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """One rule that changes. `refusal`: what the guards say to it, if they refuse."""

    role: str
    where: str
    kind: str
    text: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a role's holders gain or lose at one endpoint."""

    kind: str
    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RoleOutcome:
    """What changes for the holders of one role."""

    role: str
    everyone: str
    people: int
    names: tuple[str, ...]
    more: int
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """All of it."""

    rules: tuple[ChangedRule, ...]
    roles: tuple[RoleOutcome, ...]

    @property
    def is_refused(self) -> bool:
        """Whether saving would save nothing."""
        return any(rule.refusal for rule in self.rules)


def preview_of(plan: Plan, *, now: datetime) -> Preview:
    """Work out what a plan does; to rules, and to people by their roles."""
    names = {role.id: role_name(role) for role in plan.policy.snapshot.roles}
    after = with_changes(plan.policy.snapshot, plan.changes)
    refused = matrix.refused(plan)
    gains = gains_by_role(plan.policy, after, now=now) if plan.changes else []
    return Preview(
        tuple(_rule(c, names[c.spot.role], refused.get(c, "")) for c in plan.changes),
        tuple(map(_role, gains)),
    )


def _rule(change: RuleChange, role: str, refusal: str) -> ChangedRule:
    spot = change.spot
    where = f"{spot.key}: {words_text(spot.actions)}"
    return ChangedRule(role, where, change.kind, change_text(change, _labels_of(spot.key)), refusal)


def _role(gain: RoleGain) -> RoleOutcome:
    everyone = {
        ANYONE: _("everybody, strangers included"),
        AUTHENTICATED: _("everybody who has signed in"),
    }.get(gain.role.id, "")
    outcomes = tuple(outcome for turn in gain.turns for outcome in _outcomes(turn))
    return RoleOutcome(role_name(gain.role), everyone, gain.people, gain.names, gain.more, outcomes)


def _outcomes(turn: Turn) -> Iterator[Outcome]:
    labels = _labels_of(turn.key)
    where = f"{turn.key}: {', '.join(turn.actions)}"
    before, after = stance_text(turn.before, labels), stance_text(turn.after, labels)
    for kind, is_so in (("gains", turn.gains), ("loses", turn.loses)):
        if is_so:
            yield Outcome(kind, where, before, after)


def _labels_of(key: str) -> Labels:
    found = discovery.registry(settings.ROOT_URLCONF).endpoints.get(key)
    known = conditions.of_model(found.model if found is not None else None)
    return {name: str(condition.verbose_name) for name, condition in known.items()}
