"""Nobody gives what they don't have: the arithmetic, held against what is decided."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel.cover import Bundle, first_uncovered, uncovered_loss
from authkit.kernel.decision import Caller
from authkit.kernel.judgement import Question, decide_by_rules
from authkit.kernel.language import parse_endpoint_pattern
from authkit.kernel.policy import BUILT_IN, EndpointDecl, Role
from tests.kernel.policies import CONDITIONS, KEYS, Policy, a_viewset, allow, declarations, deny
from tests.kernel.policies import rules as any_rule

_WORLDS = [dict(zip(CONDITIONS, truth, strict=True)) for truth in product((False, True), repeat=3)]
some = st.lists(any_rule, max_size=5).map(tuple)


def bundle(*rules) -> Bundle:
    return Bundle.of(rules)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (["api.article:*"], "api.article:read"),
        (["api.*:read"], "api.article:list"),
        (["*:*"], "*:*"),
        (["api.a:read", "api.a:create"], "api.a:read,create"),
        (["api.a:GET,POST,create"], "api.a:create"),
    ],
)
def test_what_is_wider_covers(held, wanted):
    ours = bundle(*(allow("r", text) for text in held))
    assert first_uncovered(bundle(allow("r", wanted)), ours) is None


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ([], "api.article:list"),
        (["api.article:list"], "api.article:read"),
        (["api.article:*"], "api.*:*"),
        (["api.*:*"], "*:*"),
        (["*.article:*"], "*.*:*"),
        (["api.a:*", "api.b:*"], "api.*:*"),
        (["api.article:read,create,update,delete"], "api.article:*"),
    ],
)
def test_what_is_narrower_does_not_cover(held, wanted):
    ours = bundle(*(allow("r", text) for text in held))
    assert first_uncovered(bundle(allow("r", wanted)), ours) is not None


def test_a_condition_covers_only_itself():
    ours = bundle(allow("r", "api.*:*", when="own"))
    assert first_uncovered(bundle(allow("r", "api.a:read", when="own")), ours) is None
    assert first_uncovered(bundle(allow("r", "api.a:read", when="published")), ours)
    assert first_uncovered(bundle(allow("r", "api.a:read")), ours)
    everything = bundle(allow("r", "api.*:*"))
    assert first_uncovered(bundle(allow("r", "api.a:read", when="own")), everything) is None


def test_what_is_denied_to_the_giver_must_be_denied_along_with_it():
    ours = bundle(allow("r", "api.*:*"), deny("r", "api.pay:*"))
    assert first_uncovered(bundle(allow("r", "api.article:*")), ours) is None
    assert first_uncovered(bundle(allow("r", "api.*:*")), ours)
    assert first_uncovered(bundle(allow("r", "api.pay:read")), ours)
    assert first_uncovered(ours, ours) is None


def test_a_rule_for_a_new_endpoint_is_not_covered_by_a_pattern_that_does_not_count_there():
    ours = bundle(allow("r", "api.*:*"))
    new = a_viewset("api.new", state="new")
    wanted = bundle(allow("r", "api.new:*"))
    assert first_uncovered(wanted, ours, [new])
    assert first_uncovered(wanted, ours, [a_viewset("api.new")]) is None
    assert first_uncovered(bundle(allow("r", "api.*:*")), ours, [new]) is None


def test_a_default_of_code_on_a_locked_endpoint_is_not_covered_by_an_administrators_rule():
    locked = a_viewset("api.a", locked=("*",))
    wanted = bundle(allow("r", "api.a:*", source="code"))
    assert first_uncovered(wanted, bundle(allow("r", "api.*:*")), [locked])
    assert first_uncovered(wanted, wanted, [locked]) is None


def test_the_end_of_a_deny_opens_what_it_denied():
    pay = deny("r", "api.pay:*")
    assert uncovered_loss([pay], bundle(), bundle(allow("r", "api.article:*")))
    assert uncovered_loss([pay], bundle(), bundle(allow("r", "api.*:*"))) is None
    assert uncovered_loss([pay], bundle(), bundle(allow("r", "api.*:*"), pay))
    assert uncovered_loss([pay], bundle(deny("r", "*:*")), bundle()) is None


def test_for_one_person_the_end_of_a_deny_opens_no_more_than_they_are_allowed():
    everything = deny("r", "*:*")
    has = bundle(allow("r", "api.article:read"))
    ours = bundle(allow("r", "api.article:*"))
    assert uncovered_loss([everything], has, ours, is_all_known=True) is None
    assert uncovered_loss([everything], has, ours)


@given(st.lists(st.sampled_from([*KEYS, "*", "a.*", "*.a", "*.*", "a.*.a", "*.b.*"])))
def test_patterns_meet_where_a_key_falls_under_both(texts):
    patterns = [parse_endpoint_pattern(text) for text in texts]
    keys = (*KEYS, "c", "a.c", "b.b", "c.a", "b.b.a", "a.b.c", "a.c.a", "a.b.a.b", "x.b.x.x")
    for one, other in product(patterns, patterns):
        found = any(one.matches(key) and other.matches(key) for key in keys)
        assert one.meets(other) == other.meets(one)
        assert not found or one.meets(other)


@given(some, some, some, declarations)
def test_whoever_gets_what_is_covered_reaches_nothing_that_the_giver_does_not(
    wanted, held, had, endpoints
):
    if first_uncovered(Bundle.of(wanted), Bundle.of(held), endpoints) is None:
        for endpoint in endpoints:
            new = reached((*had, *wanted), endpoint)
            assert new <= reached(had, endpoint) | reached(held, endpoint)


@given(some, some, some, declarations, st.booleans())
def test_whoever_loses_a_deny_reaches_nothing_that_the_giver_does_not(
    lost, held, remaining, endpoints, is_all_known
):
    denies = Bundle.of(lost).denies
    known = Bundle.of(remaining) if is_all_known else Bundle(denies=Bundle.of(remaining).denies)
    found = uncovered_loss(denies, known, Bundle.of(held), endpoints, is_all_known=is_all_known)
    if found is None:
        for endpoint in endpoints:
            before = reached((*remaining, *denies), endpoint)
            assert reached(remaining, endpoint) <= before | reached(held, endpoint)


def reached(rules, endpoint: EndpointDecl) -> set[tuple[str, int]]:
    """Actions, each with the worlds (which conditions hold for an object) where it is allowed."""
    names = frozenset(rule.role for rule in rules)
    policy = Policy(rules=tuple(rules), endpoints=(endpoint,))
    snapshot = policy_with_roles(policy, names).compile()
    reach = snapshot.reach_of(Caller(roles=names, is_staff=True))
    found = set()
    for action in endpoint.actions:
        decision = decide_by_rules(Question(snapshot, endpoint.key, action, reach))
        for number, world in enumerate(_WORLDS):
            its = decision.conditions
            if decision.allowed or (decision.may_enter and its and its.hold(world.__getitem__)):
                found.add((action, number))
    return found


def policy_with_roles(policy: Policy, names: frozenset[str]) -> Policy:
    return replace(policy, roles=tuple(Role(name, name) for name in names - set(BUILT_IN)))
