"""The compiled policy holds against a reference that is naive and obviously right."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authkit.kernel.compilation import compile_without_rules
from authkit.kernel.decision import Caller, Decision
from authkit.kernel.judgement import decide
from authkit.kernel.language import parse_pattern
from authkit.kernel.patterns import GROUPS
from authkit.kernel.snapshot import Snapshot
from tests.kernel import reference
from tests.kernel.policies import (
    ACTIONS,
    KEYS,
    NOON,
    Policy,
    allow,
    callers,
    patterns,
    policies,
    roles,
    rules,
    scopes,
)

pytestmark = pytest.mark.slow
MORE = settings().max_examples  # in a long run
thousands = settings(
    max_examples=max(1000, MORE), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hundreds = settings(thousands, max_examples=max(150, MORE))


def accesses(policy: Policy):
    for endpoint in policy.endpoints:
        for action in endpoint.actions:
            yield endpoint.key, action


def reached(snapshot: Snapshot, caller: Caller, key: str, action: str) -> list[frozenset[str]]:
    return reached_by(decide(snapshot, caller, key, action, now=NOON))


def reached_by(decision: Decision) -> list[frozenset[str]]:
    if decision.conditions is None:
        return reference.objects() if decision else []
    hold = decision.conditions.hold
    return [held for held in reference.objects() if decision.settle(holds=hold(held.__contains__))]


@thousands
@given(policies, st.lists(callers, min_size=1, max_size=4))
def test_every_verdict_reason_and_object_is_the_reference_s(policy, people):
    snapshot = policy.compile()
    for caller, key, action in product(people, KEYS, ACTIONS):
        if is_a_group_there(policy, key, action):
            continue
        decision = decide(snapshot, caller, key, action, now=NOON)
        expected = reference.decide(policy, caller, key, action)
        assert (decision.allowed, decision.reason) == expected
        assert reached_by(decision) == reference.reached(policy, caller, key, action)


def is_a_group_there(policy: Policy, key: str, action: str) -> bool:
    """`create` and `update` name groups where no action has that very name."""
    endpoints = [each for each in policy.endpoints if each.key == key]
    return action in GROUPS and bool(endpoints) and action not in endpoints[0].actions


@hundreds
@given(policies, callers, st.sampled_from(["read", "create", "update", "*"]))
def test_a_group_reaches_what_each_of_its_actions_reaches(policy, caller, word):
    snapshot = policy.compile()
    for key, endpoint in snapshot.endpoints.items():
        actions = endpoint.named_by(word)
        if not actions:
            continue
        each = [set(reached(snapshot, caller, key, action)) for action in actions]
        assert set(reached(snapshot, caller, key, word)) == set.intersection(*each)


@hundreds
@given(policies, callers, st.randoms(use_true_random=False))
def test_the_order_of_rules_roles_and_endpoints_never_matters(policy, caller, chance):
    other = Policy(
        shuffled(policy.roles, chance),
        shuffled(policy.rules, chance),
        shuffled(policy.endpoints, chance),
    )
    first, second = policy.compile(), other.compile()
    for key, action in accesses(policy):
        one = decide(first, caller, key, action, now=NOON)
        two = decide(second, caller, key, action, now=NOON)
        assert one == two
        assert str(one.rule) == str(two.rule)


def shuffled(items, chance: random.Random):
    return tuple(chance.sample(items, len(items)))


@hundreds
@given(policies, callers, rules)
def test_another_deny_rule_never_enlarges_what_anyone_reaches(policy, caller, rule):
    more = policy.with_rules([*policy.rules, replace(rule, effect="deny")])
    assert_never_enlarged(policy.compile(), more.compile(), policy, caller, caller)


@hundreds
@given(policies, callers, rules)
def test_another_allow_rule_never_shrinks_what_anyone_reaches(policy, caller, rule):
    more = policy.with_rules([*policy.rules, replace(rule, effect="allow")])
    assert_never_enlarged(more.compile(), policy.compile(), policy, caller, caller)


@hundreds
@given(policies, callers, scopes)
def test_scopes_never_enlarge_what_anyone_reaches(policy, caller, scopes):
    snapshot = policy.compile()
    free = replace(caller, scopes=None)
    narrowed = replace(caller, scopes=scopes)
    assert_never_enlarged(snapshot, snapshot, policy, free, narrowed)


@hundreds
@given(policies, callers)
def test_no_state_of_an_endpoint_opens_more_than_active(policy, caller):
    active = replace(
        policy, endpoints=tuple(replace(each, state="active") for each in policy.endpoints)
    )
    assert_never_enlarged(active.compile(), policy.compile(), policy, caller, caller)


def assert_never_enlarged(
    before: Snapshot, after: Snapshot, policy: Policy, then: Caller, now: Caller
):
    for key, action in accesses(policy):
        was = reached(before, then, key, action)
        assert set(reached(after, now, key, action)) <= set(was)


@hundreds
@given(policies, callers)
def test_without_rules_only_public_actions_answer(policy, caller):
    snapshot = compile_without_rules(policy.endpoints)
    for key in KEYS:
        for action in ACTIONS:
            decision = decide(snapshot, caller, key, action, now=NOON)
            is_public = decision.allowed and decision.reason == "public"
            assert is_public or (decision.allowed, decision.reason) == (False, "rules_unavailable")


@hundreds
@given(policies, callers)
def test_the_rule_named_by_a_decision_is_one_that_says_so(policy, caller):
    snapshot = policy.compile()
    for key, action in accesses(policy):
        decision = decide(snapshot, caller, key, action, now=NOON)
        if decision.rule is None:
            assert decision.reason not in ("allowed_by_rule", "allowed_if", "denied_by_rule")
            continue
        assert decision.rule in policy.rules
        assert decision.rule.endpoints.matches(key)
        assert decision.rule.role in reference.held_roles(policy, caller)
        if decision.reason in ("allowed_by_rule", "allowed_if"):
            assert decision.rule.effect == "allow"
        if decision.reason == "denied_by_rule":
            assert decision.rule.effect == "deny"


@hundreds
@given(patterns, patterns)
def test_a_scope_that_covers_another_reaches_all_that_it_reaches(wide, narrow):
    everything = Policy(
        roles("admin"),
        (allow("admin", "*:*"),),
        tuple(replace(Policy().endpoints[0], key=key, actions=ACTIONS) for key in KEYS),
    )
    snapshot = everything.compile()
    by_wide = Caller(frozenset({"admin"}), scopes=(wide,))
    by_narrow = Caller(frozenset({"admin"}), scopes=(narrow,))
    if parse_pattern(wide).covers(parse_pattern(narrow)):
        assert_never_enlarged(snapshot, snapshot, everything, by_wide, by_narrow)
