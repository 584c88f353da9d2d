"""The order of decision, step by step, and the cases that trip permission systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from authkit.kernel.compilation import compile_policy, compile_without_rules
from authkit.kernel.decision import STRANGER, Caller, ConditionalDecision, Conditions, Decision
from authkit.kernel.judgement import decide
from authkit.kernel.policy import EndpointDecl, InclusionCycle, PolicyError, Requirement, Role
from tests.kernel.policies import NOON, Policy, a_viewset, allow, deny, roles

ROLES = roles("author", "guest", "clerk", editor=("author",))
ROOT = Caller(is_superuser=True)


def ask(rules, caller, access="api.article:list", *, now=NOON, **declared) -> Decision:
    key, action = access.split(":")
    policy = Policy(ROLES, tuple(rules), (a_viewset(**declared),))
    decision = decide(policy.compile(), caller, key, action, now=now)
    allowed = {"public": True, "superuser": True, "allowed_by_rule": True, "allowed_if": None}
    assert decision.allowed is allowed.get(decision.reason, False)
    return decision


def having(*names: str, **facts) -> Caller:
    return Caller(frozenset(names), **facts)


# The order of decision


def test_1_without_rules_nobody_gets_in_but_where_code_says_public():
    snapshot = compile_without_rules([a_viewset(), a_viewset("api.health", public=("*",))])
    for caller in (STRANGER, having("editor"), ROOT):
        for access in ("api.article", "api.unheard_of"):
            assert decide(snapshot, caller, access, "list", now=NOON).reason == "rules_unavailable"
        assert decide(snapshot, caller, "api.health", "list", now=NOON).reason == "public"


def test_2_public_is_for_all_whatever_the_rules():
    closed = [deny("anyone", "*:*")]
    inactive = having("editor", is_active=False, scopes=())
    for caller in (STRANGER, inactive, ROOT):
        assert ask(closed, caller, public=("read",)).reason == "public"
    assert ask(closed, STRANGER, "api.article:create", public=("read",)).reason == "anonymous"


def test_3_a_stranger_is_refused_unless_a_rule_allows_anyone():
    assert ask([allow("authenticated", "*:*")], STRANGER).reason == "anonymous"
    assert ask([allow("anyone", "*:read")], STRANGER).reason == "allowed_by_rule"
    assert ask([allow("anyone", "*:read", when="published")], STRANGER).reason == "allowed_if"
    assert ask([allow("anyone", "*:read", when="gone")], STRANGER).reason == "anonymous"
    assert ask([allow("anyone", "*:*")], STRANGER, "api.user:list").reason == "anonymous"


def test_3_an_inactive_user_is_refused_even_as_a_superuser():
    everything = [allow("anyone", "*:*")]
    assert ask(everything, having("editor", is_active=False)).reason == "inactive"
    assert ask(everything, replace(ROOT, is_active=False)).reason == "inactive"


def test_3_nobody_signed_in_is_nobody_whatever_else_is_said_of_them():
    claims = Caller(frozenset({"editor"}), is_authenticated=False, is_staff=True, is_superuser=True)
    rules = [allow("editor", "*:*"), allow("staff", "*:*"), allow("anyone", "*:create")]
    assert ask(rules, claims).reason == "anonymous"
    required = (Requirement(("demo.view_report",)),)
    decision = ask(rules, claims, "api.article:create", requirements=required)
    assert decision.reason == "requirement_not_met"
    assert ask([*rules, deny("anyone", "*:*")], claims, "api.article:create").reason == (
        "denied_by_rule"
    )


def test_4_a_required_permission_is_demanded_before_any_rule():
    required = (Requirement(("demo.view_report", "demo.add_report")),)
    rules = [allow("clerk", "*:*")]
    one = having("clerk", has_permission={"demo.view_report"}.__contains__)
    both = having("clerk", has_permission={"demo.view_report", "demo.add_report"}.__contains__)
    assert ask(rules, one, requirements=required).reason == "requirement_not_met"
    assert ask(rules, both, requirements=required).reason == "allowed_by_rule"
    assert ask([], both, requirements=required).reason == "no_rule"
    assert ask([], ROOT, requirements=required).reason == "superuser"


@pytest.mark.parametrize(
    ("ago", "reason"),
    [
        (timedelta(0), "superuser"),
        (timedelta(minutes=5) - timedelta(microseconds=1), "superuser"),
        (timedelta(minutes=5), "recent_sign_in_required"),
        (timedelta(days=1), "recent_sign_in_required"),
        (-timedelta(seconds=60), "superuser"),  # clocks differ a little
        (-timedelta(seconds=61), "recent_sign_in_required"),  # this is no clock
        (None, "recent_sign_in_required"),  # a personal access token
    ],
)
def test_4_a_recent_sign_in_binds_superusers_to_the_moment(ago, reason):
    at = None if ago is None else NOON - ago
    required = (Requirement(recent=timedelta(minutes=5)),)
    assert ask([], replace(ROOT, authenticated_at=at), requirements=required).reason == reason


def test_4_a_second_factor_binds_superusers():
    required = (Requirement(second_factor=True),)
    assert ask([], ROOT, requirements=required).reason == "second_factor_required"
    proven = replace(ROOT, has_second_factor=True)
    assert ask([], proven, requirements=required).reason == "superuser"


def test_4_requirements_of_a_class_and_of_its_method_must_both_be_met():
    required = (
        Requirement(("demo.view_report",)),
        Requirement(("demo.add_report",), recent=timedelta(minutes=5), actions=("publish",)),
        Requirement(recent=timedelta(hours=1)),
    )
    half_an_hour_ago = NOON - timedelta(minutes=30)
    one = having(
        "editor",
        has_permission={"demo.view_report"}.__contains__,
        authenticated_at=half_an_hour_ago,
    )
    both = replace(one, has_permission=lambda name: True)
    rules = [allow("editor", "*:*")]

    def publish(caller):
        return ask(rules, caller, "api.article:publish", requirements=required).reason

    assert ask(rules, one, requirements=required).reason == "allowed_by_rule"
    assert publish(one) == "requirement_not_met"
    assert publish(both) == "recent_sign_in_required"
    assert publish(replace(both, authenticated_at=NOON)) == "allowed_by_rule"


def test_4_permissions_are_not_asked_for_where_none_is_required():
    def has_permission(name: str) -> bool:
        raise AssertionError(name)

    caller = having("editor", has_permission=has_permission)
    assert ask([allow("editor", "*:*")], caller).reason == "allowed_by_rule"


def test_4_what_is_unknown_opens_to_nobody():
    everything = [allow("anyone", "*:*"), allow("author", "*:*")]
    for caller in (having("author"), ROOT):
        assert ask(everything, caller, "api.user:list").reason == "unknown_endpoint"
        assert ask(everything, caller, "api.article:PROPFIND").reason == "unknown_action"
        assert ask(everything, caller, state="missing").reason == "endpoint_not_active"


def test_5_scopes_bind_superusers():
    reader = replace(ROOT, scopes=("*:read",))
    assert ask([], reader).reason == "superuser"
    assert ask([], reader, "api.article:destroy").reason == "scope_insufficient"
    assert ask([], replace(ROOT, scopes=())).reason == "scope_insufficient"


def test_5_scopes_give_nothing_by_themselves():
    assert ask([], having("author", scopes=("*:*",))).reason == "no_rule"
    denied = [deny("author", "*:*"), allow("author", "*:*")]
    assert ask(denied, having("author", scopes=("*:*",))).reason == "denied_by_rule"


def test_6_a_superuser_passes_every_deny_rule():
    assert ask([deny("anyone", "*:*"), deny("author", "*:*")], ROOT).reason == "superuser"


def test_7_a_deny_rule_beats_every_allow_rule():
    rules = [allow("editor", "api.article:list"), allow("staff", "*:*"), deny("guest", "*:read")]
    decision = ask(rules, having("editor", "guest", is_staff=True))
    assert decision.reason == "denied_by_rule"
    assert decision.rule == rules[2]
    assert ask(rules, having("editor", is_staff=True)).reason == "allowed_by_rule"


def test_7_a_deny_rule_is_inherited():
    assert ask([allow("editor", "*:*"), deny("author", "*:*")], having("editor")).reason == (
        "denied_by_rule"
    )


def test_7_a_deny_rule_for_anyone_binds_everyone():
    rules = [allow("editor", "*:*"), deny("anyone", "api.article:list")]
    assert ask(rules, having("editor")).reason == "denied_by_rule"


def test_8_an_allow_rule_allows_and_is_named():
    rule = allow("author", "api.*:read")
    decision = ask([rule], having("editor"))
    assert decision
    assert decision.rule == rule


def test_9_silence_refuses():
    assert ask([allow("author", "*:read")], having("author"), "api.article:create").reason == (
        "no_rule"
    )
    assert ask([], Caller()).reason == "no_rule"


# The conditions of rules


def test_a_conditional_decision_is_neither_yes_nor_no():
    decision = ask([allow("author", "*:*", when="own")], having("author"))
    assert decision.conditional
    assert decision.allowed is None
    assert decision.may_enter
    assert decision.conditions == Conditions((("own",),), ())
    with pytest.raises(ConditionalDecision):
        bool(decision)
    with pytest.raises(ConditionalDecision):
        assert not decision


def test_a_conditional_decision_is_settled_for_one_object():
    decision = ask([allow("author", "*:*", when="own")], having("author"))
    assert decision.settle(holds=True)
    refused = decision.settle(holds=False)
    assert not refused
    assert refused.reason == "condition_not_met"
    assert refused.rule == decision.rule
    plain = ask([allow("author", "*:*")], having("author"))
    assert plain.settle(holds=False) is plain


def test_an_allow_own_beside_an_allow_all_sees_all():
    rules = [allow("author", "*:read", when="own"), allow("clerk", "*:read")]
    assert ask(rules, having("author", "clerk")).allowed is True


def test_conditions_of_several_roles_add_up():
    rules = [
        allow("author", "*:read", when="own"),
        allow("anyone", "*:read", when="published"),
        allow("guest", "*:read", when="gone"),
    ]
    decision = ask(rules, having("author", "guest"))
    assert decision.conditions == Conditions((("own", "published"),), ())


def test_an_unconditional_deny_empties_what_a_condition_allowed():
    rules = [allow("author", "*:read", when="own"), deny("guest", "*:read")]
    assert ask(rules, having("author", "guest")).reason == "denied_by_rule"


def test_a_conditional_deny_leaves_out_its_objects():
    rules = [allow("author", "*:read"), deny("guest", "*:read", when="published")]
    decision = ask(rules, having("author", "guest"))
    assert decision.conditions == Conditions((), ("published",))
    assert decision.conditions.hold({"own"}.__contains__)
    assert not decision.conditions.hold({"own", "published"}.__contains__)


def test_denying_just_what_is_allowed_refuses():
    rules = [allow("author", "*:read", when="own"), deny("guest", "*:read", when="own")]
    decision = ask(rules, having("author", "guest"))
    assert decision.reason == "denied_by_rule"
    assert decision.rule == rules[1]


def test_an_unknown_condition_allows_nothing_and_denies_everything():
    unknown = allow("author", "*:read", when="gone")
    decision = ask([unknown], having("author"))
    assert decision.reason == "condition_unknown"
    assert decision.rule == unknown
    rules = [allow("author", "*:read"), deny("author", "*:read", when="gone")]
    decision = ask(rules, having("author"))
    assert decision.reason == "condition_unknown"
    assert decision.rule == rules[1]


def test_a_condition_is_unknown_where_it_is_not_about_the_endpoint_s_objects():
    rules = (allow("author", "*:read", when="own"),)
    there, elsewhere = a_viewset(), a_viewset("api.report", conditions=frozenset())
    snapshot = Policy(ROLES, rules, (there, elsewhere)).compile()
    author = having("author")
    assert decide(snapshot, author, "api.article", "list", now=NOON).conditional
    assert decide(snapshot, author, "api.report", "list", now=NOON).reason == "condition_unknown"


# Groups of actions as questions


def test_a_group_is_allowed_when_each_of_its_actions_is():
    rules = [allow("author", "*:list"), allow("clerk", "*:retrieve")]
    assert ask(rules, having("author", "clerk"), "api.article:read")
    assert not ask(rules, having("author"), "api.article:read")
    assert ask(rules, having("author"), "api.article:delete").reason == "no_rule"


def test_a_group_is_conditional_for_what_is_allowed_to_each_of_its_actions():
    rules = [
        allow("author", "*:list", when="published"),
        allow("author", "*:retrieve", when="own"),
        deny("author", "*:list", when="gone"),
    ]
    conditions = frozenset({"own", "published", "gone"})
    decision = ask(rules, having("author"), "api.article:read", conditions=conditions)
    assert decision.conditions == Conditions((("own",), ("published",)), ("gone",))
    assert decision.conditions.hold({"own", "published"}.__contains__)
    assert not decision.conditions.hold({"own"}.__contains__)


def test_a_group_whose_actions_contradict_each_other_is_refused():
    rules = [
        allow("author", "*:list", when="own"),
        allow("author", "*:retrieve"),
        deny("author", "*:retrieve", when="own"),
    ]
    assert ask(rules, having("author"), "api.article:read").reason == "denied_by_rule"


def test_a_name_that_is_an_action_there_is_the_action_and_not_the_group():
    rules = [allow("author", "*:create")]
    both = ("create", "POST")
    assert ask([allow("author", "*:POST")], having("author"), "api.article:create").reason == (
        "no_rule"
    )
    assert ask(rules, having("author"), "api.article:create", actions=both)
    assert ask(rules, having("author"), "api.article:create", actions=("POST",))


def test_what_only_accompanies_does_not_spoil_a_question_about_a_group():
    function = ("GET", "HEAD", "OPTIONS", "POST")
    rules = [allow("author", "*:GET")]
    assert ask(rules, having("author"), "api.article:read", actions=function)
    assert not ask(rules, having("author"), "api.article:OPTIONS", actions=function)
    assert not ask(rules, having("author"), "api.article:read", actions=("OPTIONS",))


def test_head_follows_get():
    function = ("GET", "HEAD", "POST")
    for word in ("GET", "read", "*"):
        assert ask(
            [allow("author", f"*:{word}")], having("author"), "api.article:HEAD", actions=function
        )
    rules = [allow("author", "*:HEAD"), deny("clerk", "*:GET")]
    assert not ask(rules, having("author"), "api.article:GET", actions=function)
    assert not ask(rules, having("author", "clerk"), "api.article:HEAD", actions=function)


# Endpoints that are new, came back, or are locked


def test_an_old_wide_rule_does_not_open_a_new_endpoint():
    old = allow("clerk", "api.*:*")
    decision = ask([old], having("clerk"), state="new")
    assert decision.reason == "endpoint_not_active"
    assert decision.rule == old
    assert ask([old], having("clerk"), state="active").reason == "allowed_by_rule"
    assert ask([old], ROOT, state="new").reason == "superuser"


def test_a_rule_that_names_a_new_endpoint_opens_it_and_a_wide_deny_still_counts():
    named = [allow("clerk", "api.article:*", source="code"), allow("clerk", "api.article:list")]
    for rule in named:
        assert ask([rule], having("clerk"), state="new").reason == "allowed_by_rule"
        denied = [rule, deny("clerk", "api.*:*")]
        assert ask(denied, having("clerk"), state="new").reason == "denied_by_rule"


def test_a_new_endpoint_that_nobody_ruled_is_closed():
    assert ask([], having("clerk"), state="new").reason == "no_rule"


def test_an_endpoint_that_came_back_does_not_inherit_what_its_namesake_allowed():
    by_admin, by_code = (
        allow("clerk", "api.article:list", source=who) for who in ("admin", "code")
    )
    assert ask([by_admin], having("clerk"), state="returned").reason == "endpoint_not_active"
    assert ask([by_code], having("clerk"), state="returned").reason == "allowed_by_rule"


def test_only_code_allows_on_a_locked_action_and_a_deny_rule_still_counts():
    by_admin, by_code = (
        allow("clerk", "api.article:list", source=who) for who in ("admin", "code")
    )
    clerk = having("clerk")
    assert ask([by_admin], clerk, locked=("*",)).reason == "no_rule"
    assert ask([by_code], clerk, locked=("*",)).reason == "allowed_by_rule"
    assert ask([allow("clerk", "*:*", source="code")], clerk, locked=("*",)).reason == "no_rule"
    assert ask([by_code, deny("clerk", "*:*")], clerk, locked=("*",)).reason == "denied_by_rule"
    assert ask([by_admin], clerk, locked=("create",)).reason == "allowed_by_rule"


# Roles


def test_a_role_is_its_id_and_never_its_name():
    twins = (Role("1", "admin"), Role("2", "anyone"), Role("3", "staff"))
    rules = (allow("1", "*:*"), allow("2", "*:*"), allow("3", "*:*"))
    snapshot = compile_policy(twins, rules, [a_viewset()])
    for caller in (STRANGER, Caller(frozenset({"admin"}), is_staff=True)):
        assert not decide(snapshot, caller, "api.article", "list", now=NOON)


def test_built_in_roles_follow_from_the_person():
    assert ask([allow("authenticated", "*:*")], Caller()).reason == "allowed_by_rule"
    assert ask([allow("staff", "*:*")], Caller()).reason == "no_rule"
    assert ask([allow("staff", "*:*")], Caller(is_staff=True)).reason == "allowed_by_rule"
    assert ask([allow("anyone", "*:*")], Caller()).reason == "allowed_by_rule"


def test_a_built_in_role_may_include_another():
    policy = Policy(roles("author", authenticated=("author",)), (allow("author", "*:*"),))
    assert decide(policy.compile(), Caller(), "api.article", "list", now=NOON)
    assert not decide(policy.compile(), STRANGER, "api.article", "list", now=NOON)


def test_inclusion_reaches_as_far_as_it_goes():
    chain = [
        Role("0", "first"),
        *(Role(str(n), f"role {n}", (str(n - 1),)) for n in range(1, 3000)),
    ]
    snapshot = compile_policy(chain, [allow("0", "*:*")], [a_viewset()])
    assert decide(snapshot, having("2999"), "api.article", "list", now=NOON)


def test_a_role_unknown_to_the_snapshot_counts_for_nothing():
    assert ask([allow("author", "*:*")], having("deleted yesterday")).reason == "no_rule"


def test_the_holders_of_a_rule_are_all_roles_that_lead_to_it():
    snapshot = Policy(ROLES, (allow("author", "*:list"),)).compile()
    cell = snapshot.cell_of("api.article", "list")
    assert cell is not None
    assert snapshot.holders_of(cell.allow) == {"author", "editor"}
    assert snapshot.cell_of("api.article", "PROPFIND") is None
    assert snapshot.cell_of("api.user", "list") is None


def test_a_circle_of_inclusion_is_refused_and_named():
    circle = [Role("1", "editor", ("2",)), Role("2", "author", ("3",)), Role("3", "clerk", ("1",))]
    for given in (circle, circle[::-1], [*circle, Role("4", "guest", ("1",))]):
        with pytest.raises(InclusionCycle) as refusal:
            compile_policy(given, [], [])
        assert refusal.value.roles == ("1", "2", "3", "1")
        assert "editor → author → clerk → editor" in str(refusal.value)
    with pytest.raises(InclusionCycle, match="editor → editor"):
        compile_policy([Role("1", "editor", ("1",))], [], [])


@pytest.mark.parametrize(
    ("given", "rules", "endpoints", "problem"),
    [
        ([Role("1", "editor"), Role("1", "author")], [], [], "two roles have the id '1'"),
        ([Role("1", "editor", ("2",))], [], [], "role 'editor' includes '2', which is no role"),
        ([], [allow("7", "*:*")], [], "the rule 'allow 7 [*]:[*]' is of '7', which is no role"),
        ([], [], [EndpointDecl("a", ()), EndpointDecl("a", ())], "two endpoints have the key 'a'"),
    ],
)
def test_what_is_not_whole_is_refused(given, rules, endpoints, problem):
    with pytest.raises(PolicyError, match=problem):
        compile_policy(given, rules, endpoints)


def test_a_snapshot_remembers_no_more_role_sets_than_it_may(monkeypatch):
    monkeypatch.setattr("authkit.kernel.snapshot._MOST_REMEMBERED", 2)
    snapshot = Policy(ROLES, (allow("author", "*:*"),)).compile()
    for number in range(5):
        caller = having("author", f"other {number}")
        assert decide(snapshot, caller, "api.article", "list", now=NOON)
    assert len(snapshot._remembered) <= 2


def test_of_several_rules_that_decide_the_same_one_is_always_named():
    rules = [
        allow("author", "*:read"),
        allow("author", "api.*:*"),
        allow("author", "*:*", when="own"),
    ]
    named = {str(ask(order, having("author")).rule) for order in (rules, rules[::-1])}
    assert named == {"allow author *:read"}


def test_of_two_rules_that_read_the_same_the_older_one_is_named():
    older, newer = (replace(allow("author", "*:*"), id=number) for number in (7, 8))
    for order in ([older, newer], [newer, older]):
        rule = ask(order, having("author")).rule
        assert rule is not None
        assert rule.id == 7
