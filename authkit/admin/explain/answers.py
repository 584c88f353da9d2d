"""The answer of the explain page, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from authkit import wording
from authkit.access import callers, conditions, discovery, objects, policies
from authkit.access.explanation_in_words import (
    ANSWERS,
    REASONS,
    STANDINGS,
    STEPS,
    remedy_text,
    rule_text,
    way_text,
)
from authkit.access.holders import given_to
from authkit.admin.base import Text, key_in
from authkit.kernel.decision import Decision
from authkit.kernel.explanation import Explanation, Match, explain
from authkit.kernel.language import parse_access
from authkit.kernel.policy import ANYONE, AUTHENTICATED, STAFF, Requirement
from authkit.models import Assignment


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One of the nine steps. `place` is "before", "decides" or "after" the one that decided."""

    name: Text
    answer: Text
    place: str


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule that matches, and how the person came by its role."""

    role: str
    text: str
    standing: Text
    counts: bool
    source: Text
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Verdict and chain. `verdict` is "yes", "some" or "no"."""

    access: str
    verdict: str
    title: Text
    reason: Text
    conditions: str
    notes: tuple[Text, ...]
    requirements: tuple[Text, ...]
    steps: tuple[ShownStep, ...]
    rules: tuple[ShownRule, ...]
    remedies: tuple[str, ...]


class NoSuchObject(Exception):
    """The endpoint is about no model, or there is no such object."""


def answer(person: Any, access: str, object_pk: str, *, now: datetime) -> Answer:
    """Explain a decision about a person as if they had just signed in.

    Raises:
        NoSuchObject: there is no such object.
        PatternError: `access` is not of the language.
    """
    key, action = parse_access(access)
    policy = policies.current()
    caller = callers.caller_of(person, None, policy, now=now)
    if caller.is_authenticated:
        caller = replace(caller, authenticated_at=now, has_second_factor=True)
    found = explain(policy.snapshot, caller, key, action, now=now)
    decision = found.decision
    if object_pk:
        decision = objects.settle(decision, _object(key, object_pk), person)
    labels = _labels(key)
    cell = policy.snapshot.cell_of(key, found.action)
    requirement = cell.requirement if cell is not None else None
    assignments = _assignments(person, now)
    return Answer(
        access=f"{key}:{found.action}",
        verdict={True: "yes", False: "no", None: "some"}[decision.allowed],
        title=_title(decision),
        reason=REASONS[decision.reason],
        conditions=_conditions(decision, labels),
        notes=tuple(_notes(found, action, has_object=bool(object_pk))),
        requirements=tuple(_requirements(requirement)),
        steps=tuple(_steps(found)),
        rules=tuple(_rule(match, labels, assignments) for match in found.matches),
        remedies=(
            *(remedy_text(remedy, labels) for remedy in found.remedies),
            *_for_object(decision, labels),
        ),
    )


def _object(key: str, object_pk: str) -> Model:
    found = discovery.registry(settings.ROOT_URLCONF).endpoints.get(key)
    model = found.model if found is not None else None
    if model is None:
        raise NoSuchObject(_("This endpoint is about no objects that are known."))
    value = key_in(model, object_pk)
    row = model._base_manager.filter(pk=value).first() if value is not None else None
    if row is None:
        raise NoSuchObject(_("There is no such object."))
    return row


def _labels(key: str) -> dict[str, str]:
    found = discovery.registry(settings.ROOT_URLCONF).endpoints.get(key)
    known = conditions.of_model(found.model if found is not None else None)
    return {name: str(condition.verbose_name) for name, condition in known.items()}


def _title(decision: Decision) -> str:
    if decision.allowed is None:
        return _("For some objects")
    return _("Yes") if decision.allowed else _("No")


def _conditions(decision: Decision, labels: dict[str, str]) -> str:
    its = decision.conditions
    if its is None or decision.allowed is not None:
        return ""
    groups = [_(" or ").join(labels.get(name, name) for name in group) for group in its.any_of]
    text = _(" and ").join(groups)
    without = _(" or ").join(labels.get(name, name) for name in its.none_of)
    if not without:
        return _("if %(conditions)s") % {"conditions": text}
    if not text:
        return _("unless %(conditions)s") % {"conditions": without}
    words = {"conditions": text, "without": without}
    return _("if %(conditions)s, but not if %(without)s") % words


def _for_object(decision: Decision, labels: dict[str, str]) -> Iterator[str]:
    """What would have to change where only this one object is out of reach."""
    if decision.reason == "condition_not_met" and decision.conditions is not None:
        wanted = _conditions(replace(decision, allowed=None), labels)
        words = {"conditions": wanted}
        yield (
            _(
                "It would do for an object %(conditions)s; for this one it takes a rule without a"
                " condition, or with another."
            )
            % words
        )


def _notes(found: Explanation, asked: str, *, has_object: bool) -> Iterator[str]:
    if found.action != asked:
        words = {"word": asked, "action": found.action}
        yield _("“%(word)s” is about several actions; this explains “%(action)s”.") % words
    if found.decision.allowed is None and not has_object:
        yield _("Name an object to learn whether it is among them.")


def _requirements(requirement: Requirement | None) -> Iterator[str]:
    if requirement is None:
        return
    for permission in requirement.permissions:
        yield _("the permission %(permission)s") % {"permission": permission}
    if requirement.recent is not None:
        minutes = int(requirement.recent.total_seconds() // 60)
        yield _("a sign-in at most %(minutes)d minutes ago") % {"minutes": minutes}
    if requirement.second_factor:
        yield _("a second factor")


def _steps(found: Explanation) -> Iterator[ShownStep]:
    place = "before"
    for step in found.steps:
        is_deciding = step is found.deciding_step
        place = "decides" if is_deciding else ("after" if place != "before" else "before")
        reason = f" — {REASONS[step.reason]}" if step.reason else ""
        yield ShownStep(STEPS[step.name], f"{ANSWERS[step.answer]}{reason}", place)


def _assignments(person: Any, now: datetime) -> list[Assignment]:
    if person is None or person.pk is None:
        return []
    rows = given_to(person).select_related("group", "role").order_by("pk")
    return [row for row in rows if row.is_in_force(now=now)]


def _rule(match: Match, labels: dict[str, str], assignments: list[Assignment]) -> ShownRule:
    given, *included = match.path
    names = [wording.role_name(role) for role in included]
    chain = "".join(" " + _("→ which includes %(role)s") % {"role": name} for name in names)
    first = _ways(given.id, wording.role_name(given), assignments)
    return ShownRule(
        role=wording.role_name(match.path[-1]),
        text=rule_text(match.rule, labels),
        standing=STANDINGS[match.standing],
        counts=match.standing == "counts",
        source=_("default of code") if match.rule.source == "code" else _("administrator"),
        ways=tuple(way + chain for way in first),
    )


def _ways(role: str, name: str, assignments: list[Assignment]) -> list[str]:
    built_in = {
        ANYONE: _("everybody has it"),
        AUTHENTICATED: _("everybody who has signed in has it"),
        STAFF: _("all staff have it"),
    }
    ways = [f"{name}: {built_in[role]}"] if role in built_in else []
    ways += [f"{name}: {_way(row)}" for row in assignments if row.role.slug == role]
    return ways or [name]


def _way(row: Assignment) -> str:
    until = date_format(localtime(row.ends_at), "DATETIME_FORMAT") if row.ends_at else ""
    return way_text("" if row.group is None else str(row.group), until)
