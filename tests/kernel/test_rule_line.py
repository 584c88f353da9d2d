"""Rules on one line."""

from __future__ import annotations

import pytest
from hypothesis import given

from authkit.kernel.language import PatternError
from authkit.kernel.rule_line import RuleLine, parse_conditional, parse_rule
from tests.kernel.policies import rules


@given(rules)
def test_what_is_written_is_read_again(rule):
    line = RuleLine(rule.effect, parse_rule(f"allow {rule.endpoints}:*").access, rule.condition)
    assert parse_rule(str(line)) == line


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("allow api.article:list,read", "allow api.article:read"),
        ("deny *:delete,update when of age", "deny *:update,delete when of age"),
    ],
)
def test_it_has_one_canonical_form(text, canonical):
    assert str(parse_rule(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("allow", 0),
        ("permit api.article:read", 0),
        ("allow api.article", 17),
        ("allow api..article:read", 10),
        ("allow api.article:re*d", 20),
        ("deny  api.article:read", 5),
        ("allow api.article:read when ", 28),
        ("allow api.article:read when  own", 28),
        ("allow api.article:read when o\nn", 28),
        ("allow api.article:read WHEN own", 22),
        ("allow api.article:read when " + "x" * 61, 88),
        ("allow " + "x" * 2000, 780),
    ],
)
def test_where_it_goes_wrong_is_said(text, position):
    with pytest.raises(PatternError) as refused:
        parse_rule(text)
    assert refused.value.position == position


def test_what_is_no_text_is_refused():
    with pytest.raises(PatternError):
        parse_rule(7)  # type: ignore[arg-type]


def test_without_an_effect_it_is_what_a_rule_is_about():
    access, condition = parse_conditional("api.article:update when own")
    assert (str(access), condition) == ("api.article:update", "own")
