"""Why a decision is as it is, and that doing what is advised opens the door."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authkit.kernel.compilation import compile_without_rules
from authkit.kernel.decision import STRANGER, Caller
from authkit.kernel.explanation import explain
from authkit.kernel.judgement import decide
from authkit.kernel.policy import Requirement
from authkit.kernel.remedies import Remedy
from tests.kernel.policies import (
    ACTIONS,
    KEYS,
    NOON,
    Policy,
    a_viewset,
    allow,
    callers,
    deny,
    policies,
    roles,
)

hundreds = settings(
    max_examples=max(200, settings().max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ROLES = roles("author", "guest", editor=("author",), chief=("editor",))


def why(policy: Policy, caller: Caller, action: str = "list", key: str = "api.article"):
    return explain(policy.compile(), caller, key, action, now=NOON)


def test_all_nine_steps_are_told_and_the_first_that_answers_decides():
    policy = Policy(ROLES, (allow("author", "*:read"), deny("guest", "*:list")))
    explanation = why(policy, Caller(frozenset({"editor", "guest"})))
    assert [(step.name, step.answer) for step in explanation.steps] == [
        ("rules", "passes"),
        ("public", "passes"),
        ("identity", "passes"),
        ("requirements", "passes"),
        ("scopes", "passes"),
        ("superuser", "passes"),
        ("deny_rules", "refuses"),
        ("allow_rules", "allows"),
        ("silence", "refuses"),
    ]
    assert explanation.deciding_step.name == "deny_rules"
    assert explanation.decision.reason == "denied_by_rule"


def test_each_rule_comes_with_the_way_the_person_came_by_its_role():
    policy = Policy(
        ROLES,
        (
            allow("author", "*:read"),
            deny("guest", "*:list"),
            allow("authenticated", "*:*", when="gone"),
            allow("author", "*:create"),
        ),
    )
    explanation = why(policy, Caller(frozenset({"chief", "guest"})))
    told = [
        (str(match.rule), [role.name for role in match.path], match.standing)
        for match in explanation.matches
    ]
    assert told == [
        ("deny guest *:list", ["guest"], "counts"),
        ("allow authenticated *:* when gone", ["authenticated"], "condition_unknown"),
        ("allow author *:read", ["chief", "editor", "author"], "counts"),
    ]


def test_a_stranger_is_told_to_sign_in():
    assert why(Policy(ROLES), STRANGER).remedies == (Remedy("sign_in"),)


def test_everything_that_is_in_the_way_is_told_at_once():
    policy = Policy(
        ROLES,
        (deny("guest", "*:list"), allow("editor", "*:*")),
        (
            a_viewset(
                requirements=(
                    Requirement(("demo.view_report",), timedelta(minutes=5), second_factor=True),
                )
            ),
        ),
    )
    caller = Caller(frozenset({"guest"}), is_active=False, scopes=("api.user:read",))
    remedies = {remedy.code: remedy for remedy in why(policy, caller).remedies}
    assert list(remedies) == [
        "activate_user",
        "grant_permissions",
        "prove_second_factor",
        "sign_in_again",
        "use_wider_scope",
        "remove_deny_rules",
        "give_role_or_rule",
    ]
    assert remedies["grant_permissions"].permissions == ("demo.view_report",)
    assert str(remedies["use_wider_scope"].access) == "api.article:list"
    assert remedies["remove_deny_rules"].rules == (policy.rules[0],)
    assert [role.name for role in remedies["give_role_or_rule"].roles] == ["chief", "editor"]


@pytest.mark.parametrize(
    ("declared", "rule", "code"),
    [
        ({"state": "new"}, allow("author", "*:*"), "review_endpoint"),
        ({"state": "missing"}, allow("author", "*:*"), "sync_endpoints"),
        ({"locked": ("*",)}, allow("author", "*:*"), "allow_in_code"),
        ({}, allow("author", "*:*", when="gone"), "register_condition"),
        ({}, allow("author", "*:create"), "give_role_or_rule"),
    ],
)
def test_a_silence_is_told_by_its_cause(declared, rule, code):
    policy = Policy(ROLES, (rule,), (a_viewset(**declared),))
    assert [each.code for each in why(policy, Caller(frozenset({"author"}))).remedies] == [code]


def test_what_is_unknown_or_not_loaded_is_told():
    author = Caller(frozenset({"author"}))
    assert why(Policy(ROLES), author, key="api.user").remedies == (Remedy("sync_endpoints"),)
    assert why(Policy(ROLES), author, "PROPFIND").decision.reason == "unknown_action"
    unavailable = compile_without_rules([a_viewset()])
    explanation = explain(unavailable, author, "api.article", "list", now=NOON)
    assert explanation.remedies == (Remedy("restore_rules"),)
    assert explanation.deciding_step.name == "rules"


def test_of_a_group_the_action_that_spoils_it_is_explained():
    policy = Policy(ROLES, (allow("author", "*:list"), allow("author", "*:create", when="own")))
    author = Caller(frozenset({"author"}))
    assert why(policy, author, "read").action == "retrieve"
    assert why(policy, author, "create").action == "create"
    assert why(policy, author, "read").decision.reason == "no_rule"


@hundreds
@given(policies, callers)
def test_an_explanation_agrees_with_the_decision(policy, caller):
    snapshot = policy.compile()
    for key in KEYS:
        for action in ACTIONS:
            explanation = explain(snapshot, caller, key, action, now=NOON)
            decision = decide(snapshot, caller, key, explanation.action, now=NOON)
            assert explanation.decision == decision
            assert len(explanation.steps) == 9
            assert explanation.deciding_step.reason == decision.reason
            verdict = {True: "allows", None: "allows_some", False: "refuses"}[decision.allowed]
            assert explanation.deciding_step.answer == verdict
            assert bool(explanation.remedies) == (not decision.may_enter)
            for match in explanation.matches:
                assert match.path[-1].id == match.rule.role
                for one, next_one in zip(match.path, match.path[1:], strict=False):
                    assert next_one.id in one.includes


@hundreds
@given(policies, callers, st.sampled_from(ACTIONS))
def test_doing_all_that_is_advised_opens_the_door(policy, caller, action):
    key = policy.endpoints[0].key
    if action not in policy.endpoints[0].actions or policy.endpoints[0].state == "missing":
        return
    for _ in range(4):  # a stranger must sign in before more can be told
        remedies = why(policy, caller, action, key).remedies
        for remedy in remedies:
            policy, caller = follow(remedy, policy, caller, key)
        if not remedies:
            break
    assert decide(policy.compile(), caller, key, action, now=NOON).may_enter


@hundreds
@given(policies, callers, st.sampled_from(ACTIONS))
def test_any_of_the_roles_advised_would_do(policy, caller, action):
    key = policy.endpoints[0].key
    remedies = why(policy, caller, action, key).remedies
    if [remedy.code for remedy in remedies] == ["give_role_or_rule"]:
        for role in remedies[0].roles:
            promoted = replace(caller, roles=caller.roles | {role.id})
            assert decide(policy.compile(), promoted, key, action, now=NOON).may_enter


def follow(remedy: Remedy, policy: Policy, caller: Caller, key: str) -> tuple[Policy, Caller]:
    match remedy.code:
        case "sign_in":
            caller = replace(caller, is_authenticated=True)
        case "activate_user":
            caller = replace(caller, is_active=True)
        case "grant_permissions":
            held = caller.has_permission
            caller = replace(
                caller, has_permission=lambda name: name in remedy.permissions or held(name)
            )
        case "prove_second_factor":
            caller = replace(caller, has_second_factor=True)
        case "sign_in_again":
            caller = replace(caller, authenticated_at=NOON)
        case "use_wider_scope":
            caller = replace(caller, scopes=(*(caller.scopes or ()), str(remedy.access)))
        case "remove_deny_rules":
            policy = policy.with_rules(each for each in policy.rules if each not in remedy.rules)
        case "give_role_or_rule":
            rule = allow("authenticated", str(remedy.access))
            policy = policy.with_rules([*policy.rules, rule])
        case "allow_in_code":
            rule = allow("authenticated", str(remedy.access), source="code")
            policy = policy.with_rules([*policy.rules, rule])
        case "review_endpoint" | "register_condition":
            policy = replace(
                policy,
                endpoints=tuple(
                    after(remedy, each) if each.key == key else each for each in policy.endpoints
                ),
            )
        case _:
            pytest.fail(f"nothing to follow in {remedy}")
    return policy, caller


def after(remedy: Remedy, endpoint):
    if remedy.code == "review_endpoint":
        return replace(endpoint, state="active")
    named = {rule.condition for rule in remedy.rules}
    return replace(endpoint, conditions=endpoint.conditions | named)
