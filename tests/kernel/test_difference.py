"""Who gains and who loses by a change of policy."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from authkit.kernel.decision import Caller
from authkit.kernel.difference import Stance, compare_for, compare_roles
from authkit.kernel.judgement import decide
from authkit.kernel.policy import Role
from authkit.kernel.snapshot import Snapshot
from tests.kernel.policies import NOON, Policy, a_viewset, allow, callers, deny, policies, roles
from tests.kernel.test_compiled_against_reference import accesses, reached

hundreds = settings(
    max_examples=max(200, settings().max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ROLES = roles("author", "guest", editor=("author",))
ONE_ACTION = (a_viewset(actions=("list",)),)


def told(before: Policy, after: Policy):
    return [
        (change.role.name, f"{change.key}:{change.action}", change.gains, change.loses)
        for change in compare_roles(before.compile(), after.compile())
    ]


def a_policy(*rules, given=ROLES) -> Policy:
    return Policy(given, rules, ONE_ACTION)


def test_a_new_rule_is_gained_by_its_role_and_by_those_that_include_it():
    assert told(a_policy(), a_policy(allow("author", "*:*"))) == [
        ("author", "api.article:list", True, False),
        ("editor", "api.article:list", True, False),
    ]


def test_a_deny_rule_is_a_loss_and_its_removal_a_gain():
    denied = a_policy(deny("guest", "*:*"))
    assert told(a_policy(), denied) == [("guest", "api.article:list", False, True)]
    assert told(denied, a_policy()) == [("guest", "api.article:list", True, False)]


def test_another_condition_is_gained_and_lost_at_once():
    before = a_policy(allow("guest", "*:*", when="own"))
    after = a_policy(allow("guest", "*:*", when="published"))
    (change,) = compare_roles(before.compile(), after.compile())
    assert (change.gains, change.loses) == (True, True)
    assert change.before == Stance(allows_if=frozenset({"own"}))
    assert change.after == Stance(allows_if=frozenset({"published"}))


def test_a_condition_beside_an_allow_for_all_changes_nothing():
    plain = allow("guest", "*:*")
    assert told(a_policy(plain), a_policy(plain, allow("guest", "*:*", when="own"))) == []


def test_a_role_that_comes_goes_or_includes_another_is_told():
    rule = allow("author", "*:*")
    without = roles("author", "guest")
    with_more = roles("author", "aide", guest=("author",), editor=("author",))
    assert told(a_policy(rule, given=without), a_policy(rule, given=with_more)) == [
        ("editor", "api.article:list", True, False),
        ("guest", "api.article:list", True, False),
    ]
    assert told(a_policy(rule, given=with_more), a_policy(rule, given=without)) == [
        ("editor", "api.article:list", False, True),
        ("guest", "api.article:list", False, True),
    ]


def test_looking_at_a_new_endpoint_is_told_as_a_gain():
    before = Policy(ROLES, (allow("guest", "*:*"),), (replace(ONE_ACTION[0], state="new"),))
    after = replace(before, endpoints=ONE_ACTION)
    assert told(before, after) == [("guest", "api.article:list", True, False)]


def test_a_caller_s_difference_heeds_all_their_roles():
    caller = Caller(frozenset({"author", "guest"}))
    before = a_policy(allow("author", "*:*"))
    after = a_policy(allow("author", "*:*"), deny("guest", "*:*", when="own"))
    (change,) = compare_for(before.compile(), after.compile(), caller, now=NOON)
    assert (change.gains, change.loses) == (False, True)
    assert change.before.reason == "allowed_by_rule"
    assert change.after.reason == "allowed_if"
    nobody = Caller(frozenset({"guest"}))
    assert list(compare_for(before.compile(), after.compile(), nobody, now=NOON)) == []


@hundreds
@given(policies, policies, callers)
def test_whoever_reaches_more_or_less_is_told(one, other, caller):
    before, after = one.compile(), replace(other, endpoints=one.endpoints).compile()
    by_roles = list(compare_roles(before, after))
    by_caller = {
        (change.key, change.action): change
        for change in compare_for(before, after, caller, now=NOON)
    }
    held = roles_of(before, caller) | roles_of(after, caller)
    for key, action in accesses(one):
        was = set(reached(before, caller, key, action))
        becomes = set(reached(after, caller, key, action))
        change = by_caller.get((key, action))
        assert not becomes - was or (change and change.gains)
        assert not was - becomes or (change and change.loses)
        if was != becomes:
            assert any(
                (each.key, each.action) == (key, action) and each.role.id in held
                for each in by_roles
            )


def roles_of(snapshot: Snapshot, caller: Caller) -> set[str]:
    return {role.id for role in snapshot.roles_in(snapshot.reach_of(caller))}


@hundreds
@given(policies, callers)
def test_nothing_changes_between_a_policy_and_itself(policy, caller):
    renamed = tuple(Role(role.id, role.name + "!", role.includes) for role in policy.roles)
    before, after = policy.compile(), replace(policy, roles=renamed[::-1]).compile()
    assert list(compare_roles(before, after)) == []
    assert list(compare_for(before, after, caller, now=NOON)) == []


def test_swapping_before_and_after_swaps_gain_and_loss():
    before = a_policy(allow("guest", "*:*", when="own"), deny("author", "*:*"))
    after = a_policy(allow("guest", "*:*"))
    forth = list(compare_roles(before.compile(), after.compile()))
    back = list(compare_roles(after.compile(), before.compile()))
    assert [(each.gains, each.loses) for each in forth] == [
        (each.loses, each.gains) for each in back
    ]
    assert decide(after.compile(), Caller(frozenset({"guest"})), "api.article", "list", now=NOON)
