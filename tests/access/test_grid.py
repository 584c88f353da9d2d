"""The matrix as values: what its cells show, and that edits do what they say and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.access.grid import Grid
from authkit.access.grid_cells import Drift, Spot, Statement
from authkit.access.grid_edits import (
    Edit,
    EditError,
    StoredRule,
    changes_for,
    choices,
    problem_of,
    read_edits,
    with_changes,
    written,
)
from authkit.kernel.decision import STRANGER, Caller
from authkit.kernel.judgement import decide
from authkit.kernel.policy import ANYONE, BUILT_IN, STAFF, Rule
from tests.kernel import policies
from tests.kernel.policies import NOON, Policy, a_viewset, allow, deny, roles

KEY = "api.article"
ALLOW, DENY = Statement("allow"), Statement("deny")
OWN, PUBLISHED = Statement("allow", "own"), Statement("allow", "published")


def grid_of(*rules: Rule, endpoint=None, drift: Drift | None = None, **more) -> Grid:
    policy = Policy(
        roles("author", "reader", editor=("author",)), rules, (endpoint or a_viewset(**more),)
    )
    return Grid(policy.compile(), drift)


def cell(grid: Grid, role: str, *words: str, key: str = KEY):
    place = [known.id for known in grid.roles].index(role)
    return grid.row(key, words).cells[place]


def test_the_rows_are_everything_the_groups_and_single_actions():
    words = grid_of().words_of(KEY)
    assert words[:5] == (("*",), ("read",), ("create",), ("update",), ("delete",))
    assert set(words[5:]) == {("list",), ("retrieve",), ("partial_update",), ("publish",)}


def test_what_rules_of_this_key_name_together_has_a_row_of_its_own():
    grid = grid_of(allow("author", f"{KEY}:update,delete"), allow("author", "api.*:list,publish"))
    assert ("update", "delete") in grid.words_of(KEY)
    assert ("list", "publish") not in grid.words_of(KEY)


def test_a_rule_of_just_this_cell_is_its_own():
    shown = cell(grid_of(allow("author", f"{KEY}:create")), "author", "create")
    assert (shown.says, shown.origin, shown.own) == ("allow", "own", (ALLOW,))


def test_a_wider_pattern_is_shown_as_such_and_is_not_the_cells_own():
    shown = cell(grid_of(allow("author", "api.*:read")), "author", "list")
    assert (shown.says, shown.origin, shown.own) == ("allow", "wider", ())
    assert shown.via == ("api.*:read",)


def test_what_comes_by_inclusion_names_the_role():
    shown = cell(grid_of(allow("author", f"{KEY}:create")), "editor", "create")
    assert (shown.says, shown.origin, shown.via) == ("allow", "inherited", ("author",))


def test_what_everybody_may_is_shown_for_every_role():
    grid = grid_of(allow(ANYONE, f"{KEY}:read"))
    assert cell(grid, "reader", "read").via == ("anyone",)
    assert cell(grid, "staff", "read").says == "allow"
    only_authenticated = grid_of(allow("authenticated", f"{KEY}:read"))
    assert cell(only_authenticated, ANYONE, "read").says == "nothing"


def test_conditions_are_named():
    grid = grid_of(
        allow("author", f"{KEY}:update", when="own"), deny("author", "*:*", when="published")
    )
    shown = cell(grid, "author", "update")
    assert (shown.says, shown.conditions) == ("allow_if", ("own",))
    assert shown.exceptions == ("published",)


def test_a_deny_wins_and_the_cells_own_allow_is_still_shown():
    shown = cell(grid_of(allow("author", f"{KEY}:read"), deny("author", "*:*")), "author", "read")
    assert (shown.says, shown.origin, shown.own) == ("deny", "wider", (ALLOW,))


def test_a_row_whose_actions_differ_is_mixed():
    grid = grid_of(allow("author", f"{KEY}:read"), deny("author", f"{KEY}:delete"))
    shown = cell(grid, "author", "*")
    assert shown.says == "mixed"
    assert shown.parts == (("read", "allow"), ("delete", "deny"))


def test_a_rule_that_waits_for_somebody_to_look_allows_nothing():
    shown = cell(grid_of(allow("author", "api.*:read"), state="new"), "author", "read")
    assert (shown.says, shown.awaits) == ("nothing", "unreviewed")


def test_a_rule_with_an_unknown_condition_allows_nothing():
    shown = cell(grid_of(allow("author", f"{KEY}:read", when="gone")), "author", "read")
    assert (shown.says, shown.awaits) == ("nothing", "condition_unknown")
    assert shown.own == (Statement("allow", "gone"),)


def test_what_code_fixes_is_fixed():
    grid = grid_of(public=("list",), locked=("publish",))
    assert grid.row(KEY, ("list",)).fixed == "public"
    assert cell(grid, "reader", "list").says == "allow"
    assert grid.row(KEY, ("publish",)).fixed == "locked"
    assert grid.row(KEY, ("read",)).fixed == ""
    assert grid.row(KEY, ("*",)).fixed == ""


def test_defaults_of_code_are_known_as_they_are_changed_and_switched_off():
    rule = allow("author", f"{KEY}:read", source="code")
    spot = Spot("author", KEY, ("create",))
    grid = grid_of(rule, drift=Drift(off={spot: (ALLOW,)}))
    assert cell(grid, "author", "read").is_default
    assert cell(grid, "author", "create").off == (ALLOW,)


@given(policies.policies)
def test_a_cell_says_what_a_decision_says_to_somebody_with_the_role(policy):
    snapshot = policy.compile()
    grid = Grid(snapshot)
    says = {True: "allow", None: "allow_if"}
    for key, endpoint in snapshot.endpoints.items():
        for action in endpoint.cells:
            row = grid.row(key, (action,))
            if row.named != (action,):
                continue
            for role, shown in zip(grid.roles, row.cells, strict=True):
                caller = _holder(role.id)
                requirement = endpoint.cells[action].requirement
                if requirement is not None:
                    continue
                decision = decide(snapshot, caller, key, action, now=NOON)
                if decision.allowed is not False:
                    assert shown.says == says[decision.allowed], (key, action, role)
                else:
                    assert shown.says in ("deny", "nothing"), (key, action, role)


def _holder(role: str) -> Caller:
    if role == ANYONE:
        return STRANGER
    return Caller(
        frozenset() if role in BUILT_IN else frozenset({role}),
        is_staff=role == STAFF,
        authenticated_at=NOON - timedelta(seconds=1),
    )


# ---- edits ----

statements = st.builds(
    Statement, st.sampled_from(("allow", "deny")), st.sampled_from((None, "own", "published"))
)
spots = st.builds(
    Spot,
    st.sampled_from(("author", "editor")),
    st.sampled_from((KEY, "api.*", "api.page")),
    st.sampled_from((("read",), ("update", "delete"), ("*",))),
)


@st.composite
def tables(draw) -> list[StoredRule]:
    """Rules as a table may hold them: each role, effect, pattern, actions, condition once."""
    found = draw(
        st.lists(st.tuples(spots, statements), max_size=14, unique=True).map(enumerate).map(list)
    )
    return [
        StoredRule(
            *(spot.role, statement.effect, spot.key, spot.actions, statement.condition),
            is_enabled=draw(st.booleans()),
            source=draw(st.sampled_from(("code", "admin"))),
            default=draw(st.sampled_from(("", f"declared {number}"))),
            id=number,
        )
        for number, (spot, statement) in found
    ]


def apply(table: list[StoredRule], edit: Edit) -> list[StoredRule]:
    """What the table holds after an edit; the unique constraint holds at every moment."""
    rows = {rule.id: rule for rule in table}
    for change in changes_for(edit, table):
        if change.before is not None:
            assert rows.pop(change.before.id) == change.before
        if change.after is not None:
            rows[change.after.id if change.before else -len(rows) - 1] = change.after
        said = [(*rule.spot, rule.statement) for rule in rows.values()]
        assert len(said) == len(set(said))
    return list(rows.values())


def said_in(table: list[StoredRule], spot: Spot) -> set[Statement]:
    return {rule.statement for rule in table if rule.spot == spot and rule.is_enabled}


@given(tables(), spots, st.frozensets(statements, max_size=3))
def test_after_an_edit_its_cell_says_what_was_wanted_and_all_else_is_as_it_was(table, spot, wanted):
    after = apply(table, Edit(spot, wanted))
    assert said_in(after, spot) == wanted
    others = [rule for rule in table if rule.spot != spot]
    assert sorted(others, key=repr) == sorted((r for r in after if r.spot != spot), key=repr)


@given(tables(), spots, st.frozensets(statements, max_size=3))
def test_what_code_declared_is_never_forgotten(table, spot, wanted):
    after = apply(table, Edit(spot, wanted))
    assert {r.default for r in table if r.default} == {r.default for r in after if r.default}
    touched = [rule for rule in after if rule not in table]
    assert all(rule.source == "admin" for rule in touched)


@given(tables(), spots)
def test_an_edit_to_what_a_cell_says_already_changes_nothing(table, spot):
    assert not list(changes_for(Edit(spot, frozenset(said_in(table, spot))), table))


@given(tables(), spots, st.frozensets(statements, max_size=3))
def test_the_compiled_preview_shows_what_the_save_will_show(table, spot, wanted):
    edit = Edit(spot, wanted)
    before = _compiled(table)
    preview = with_changes(before, changes_for(edit, table))
    saved = _compiled(apply(table, edit))
    for key in (KEY, "api.page"):
        assert preview.endpoints[key].cells == saved.endpoints[key].cells


def _compilable(stored: StoredRule) -> Rule:
    access = f"{stored.endpoints}:{','.join(stored.actions)}"
    made = policies.rule(
        stored.effect, stored.role, access, when=stored.condition, source=stored.source
    )
    return replace(made, id=stored.id)


def _compiled(table: list[StoredRule]):
    rules = tuple(_compilable(rule) for rule in table if rule.is_enabled)
    endpoints = (a_viewset(), a_viewset("api.page"))
    return Policy(roles("author", "editor"), rules, endpoints).compile()


@given(tables().filter(bool), st.frozensets(statements, min_size=1, max_size=3))
def test_an_edited_default_is_rewritten_and_not_replaced(table, wanted):
    spot = table[0].spot
    default = StoredRule(spot.role, "deny", spot.key, spot.actions, "gone", default="x", id=99)
    after = apply([*table, default], Edit(spot, wanted))
    kept = next(rule for rule in after if rule.default == "x")
    assert kept.source == "admin"


@given(st.frozensets(statements, max_size=4), st.frozensets(st.sampled_from(("own", "published"))))
def test_a_choice_takes_no_more_than_one_of_several_rules_away(said, conditions):
    for wanted in choices(said, conditions):
        if len(said) > 1:
            assert len(said ^ wanted) == 1
    everything = {wanted for one in choices(said, conditions) for wanted in (one,)}
    assert len(everything) == len(choices(said, conditions))


def test_choices_of_a_simple_cell():
    assert choices({OWN}, ["own", "published"]) == [
        frozenset(),
        frozenset({ALLOW}),
        frozenset({OWN}),
        frozenset({PUBLISHED}),
        frozenset({DENY}),
        frozenset({OWN, PUBLISHED}),
    ]


@given(
    st.lists(st.builds(Edit, spots.filter(lambda s: "*" not in s.key), st.frozensets(statements)))
)
def test_edits_are_read_as_they_were_written(edits):
    last = {edit.spot: edit for edit in edits}
    assert set(read_edits([written(edits)])) == set(last.values())


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "1",
        "{}",
        '["a"]',
        '["a","b.c","read",null]',
        '["a","b.*","read",[]]',
        '["a","b.c","re ad",[]]',
        '["a","b.c","read",[["grant",null]]]',
        '["a","b.c","read",[["allow",5]]]',
        '["a","b.c","read",["allow"]]',
        '[["a","b.c","read",[]],5]',
        '["a",5,"read",[]]',
        "[" * 100_000,
    ],
)
def test_what_is_no_edit_is_refused(text):
    with pytest.raises(EditError):
        read_edits([text])


def test_too_many_edits_are_refused():
    many = [Edit(Spot("a", f"k{n}", ("read",)), frozenset()) for n in range(5_001)]
    with pytest.raises(EditError):
        read_edits([written(many)])


def test_the_later_of_two_edits_of_a_cell_counts():
    spot = Spot("author", KEY, ("read",))
    texts = [written([Edit(spot, frozenset({one}))]) for one in (ALLOW, DENY)]
    assert read_edits(["", *texts, " "]) == (Edit(spot, frozenset({DENY})),)


@pytest.mark.parametrize(
    ("role", "key", "action", "condition", "problem"),
    [
        ("nobody", KEY, "create", None, "unknown_role"),
        ("author", "api.gone", "create", None, "unknown_endpoint"),
        ("author", KEY, "fly", None, "unknown_action"),
        ("author", KEY, "create", "gone", "unknown_condition"),
        ("author", KEY, "list", None, "fixed"),
        ("author", KEY, "publish", None, "fixed"),
        ("author", KEY, "create", "own", None),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(role, key, action, condition, problem):
    grid = grid_of(public=("list",), locked=("publish",))
    wanted = frozenset({Statement("allow", condition)})
    assert problem_of(grid, Edit(Spot(role, key, (action,)), wanted)) == problem


def test_rules_of_a_vanished_endpoint_can_be_taken_away_and_nothing_else():
    grid = grid_of(allow("author", f"{KEY}:read"), state="missing")
    spot = Spot("author", KEY, ("read",))
    assert problem_of(grid, Edit(spot, frozenset({DENY}))) == "missing"
    assert problem_of(grid, Edit(spot, frozenset())) is None


def test_roles_keep_their_order():
    grid = grid_of()
    assert [role.id for role in grid.roles[:3]] == list(BUILT_IN)
    assert all(one.id < other.id for one, other in pairwise(grid.roles[3:]))
