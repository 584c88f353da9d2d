"""Nobody gives what they don't have: whether one set of rules is within another.

Worked out from what the rules say and not from the endpoints that there are today, so
that it also holds for those of tomorrow. Where that leaves a doubt, the answer is no:
``api.a:*`` and ``api.b:*`` together do not cover ``api.*:*``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from authkit.kernel.patterns import AccessPattern, has_action, words_in
from authkit.kernel.policy import EndpointDecl, Rule, standing_of


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rules that come together: those of a person, or of a role with all that it includes."""

    allows: tuple[Rule, ...] = ()
    denies: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Bundle:
        """Sort rules by their effect."""
        rules = tuple(rules)
        return cls(
            tuple(rule for rule in rules if rule.effect == "allow"),
            tuple(rule for rule in rules if rule.effect == "deny"),
        )


def first_uncovered(
    wanted: Bundle, held: Bundle, endpoints: Iterable[EndpointDecl] = ()
) -> Rule | None:
    """Name an allow rule of `wanted` that may reach further than `held` does.

    An allow rule is covered by another that is wider and has no condition, or the same
    one; but not where a deny rule of `held` takes something out that no deny rule of
    `wanted` takes out as well.

    Args:
        wanted: what somebody would get; all of its deny rules come along.
        held: what the giver holds.
        endpoints: those that are not simply active. There, a rule counts or does not by
            how it is written, so the one that covers it must count there too.
    """
    unusual = tuple(
        endpoint for endpoint in endpoints if endpoint.state != "active" or endpoint.locked
    )
    for rule in wanted.allows:
        regions = list(_regions(rule))
        if not all(_is_covered(region, wanted, held) for region in regions):
            return rule
        if not all(_counts_too(rule, held, endpoint) for endpoint in unusual):
            return rule
    return None


def uncovered_loss(
    denies: Iterable[Rule],
    remaining: Bundle,
    held: Bundle,
    endpoints: Iterable[EndpointDecl] = (),
    *,
    is_all_known: bool = False,
) -> Rule | None:
    """Name a deny rule whose end may open more than `held` reaches.

    One with a condition counts as one without: where its condition is unknown, it denies
    every object.

    Args:
        denies: what is about to end.
        remaining: the rules that go on for whom it was about.
        held: what the giver holds.
        endpoints: see `first_uncovered`.
        is_all_known: whether `remaining` is all that they have, as with one person. Then
            it is enough that what they are allowed there is covered.
    """
    endpoints = tuple(endpoints)
    for deny in denies:
        if any(_denies_all_of(other, deny) for other in remaining.denies):
            continue
        opened = replace(deny, effect="allow", condition=None)
        within = Bundle((opened,), remaining.denies)
        if first_uncovered(within, held, endpoints) is None:
            continue
        meeting = tuple(rule for rule in remaining.allows if meet(rule, deny))
        within = Bundle(meeting, remaining.denies)
        if not is_all_known or first_uncovered(within, held, endpoints) is not None:
            return deny
    return None


def meet(one: Rule, other: Rule) -> bool:
    """Whether there can be an access that both are about, whatever their conditions."""
    return _pattern_of(one).meets(_pattern_of(other))


@dataclass(frozen=True, slots=True)
class _Region:
    """One word of a rule: what must be covered as a whole."""

    rule: Rule
    pattern: AccessPattern


def _regions(rule: Rule) -> Iterator[_Region]:
    for word in words_in(rule.actions):
        yield _Region(rule, AccessPattern(rule.endpoints, (word,)))


def _is_covered(region: _Region, wanted: Bundle, held: Bundle) -> bool:
    if not any(_holds_for(rule, region) for rule in held.allows):
        return False
    taken_out = (rule for rule in held.denies if _pattern_of(rule).meets(region.pattern))
    return all(
        any(_denies_all_of(other, deny, within=region) for other in wanted.denies)
        for deny in taken_out
    )


def _holds_for(rule: Rule, region: _Region) -> bool:
    return rule.condition in (None, region.rule.condition) and _pattern_of(rule).covers(
        region.pattern
    )


def _denies_all_of(other: Rule, deny: Rule, *, within: _Region | None = None) -> bool:
    """Whether `other` denies whatever `deny` does (within a region)."""
    if other.condition not in (None, deny.condition):
        return False
    wide = _pattern_of(other)
    return wide.covers(_pattern_of(deny)) or (within is not None and wide.covers(within.pattern))


def _counts_too(rule: Rule, held: Bundle, endpoint: EndpointDecl) -> bool:
    """Whether wherever a rule counts at an endpoint, one that is held counts as well."""
    if not rule.endpoints.matches(endpoint.key):
        return True
    return all(
        any(_counts(other, endpoint, action, rule.condition) for other in held.allows)
        for action in endpoint.actions
        if _counts(rule, endpoint, action, rule.condition)
    )


def _counts(rule: Rule, endpoint: EndpointDecl, action: str, condition: str | None) -> bool:
    is_about = rule.endpoints.matches(endpoint.key) and has_action(rule.actions, action)
    if not is_about or rule.condition not in (None, condition):
        return False
    is_locked = has_action(endpoint.locked, action)
    return standing_of(rule, endpoint, is_locked=is_locked) == "counts"


def _pattern_of(rule: Rule) -> AccessPattern:
    return AccessPattern(rule.endpoints, rule.actions)
