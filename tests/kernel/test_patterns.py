"""The language of access: what it reads, what it refuses and where, what it matches."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authkit.kernel.key_tree import KeyTree
from authkit.kernel.language import (
    MAX_ACTION_LENGTH,
    MAX_ACTIONS_LENGTH,
    MAX_KEY_LENGTH,
    PatternError,
    parse_access,
    parse_actions,
    parse_endpoint_pattern,
    parse_key,
    parse_pattern,
    reaches,
)
from authkit.kernel.patterns import Access, covers_actions, has_action

SEGMENTS = ("a", "b", "c")  # no pattern below names c: it stands for all that is not named
KEYS = [".".join(key) for size in range(1, 6) for key in product(SEGMENTS, repeat=size)]
PATTERNS = [
    ".".join(pattern) for size in range(1, 4) for pattern in product(("a", "b", "*"), repeat=size)
]
ACTIONS = (
    *("list", "retrieve", "metadata", "create", "update", "partial_update", "destroy", "publish"),
    *("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"),
    *("read", "delete", "other"),
)
WORDS = (*ACTIONS[:-1], "*")


@pytest.mark.parametrize(
    ("pattern", "matched", "not_matched"),
    [
        ("api.article", ["api.article"], ["api", "api.article.x", "api.Article", "api.articles"]),
        ("api.*", ["api.article", "api.v2.article"], ["api", "apis.article", "v1.api.article"]),
        ("*.article", ["api.article"], ["article", "api.v2.article", "api.article.x"]),
        ("api.*.article", ["api.v2.article"], ["api.article", "api.v2.x.article"]),
        ("*", ["api", "api.article", "a.b.c.d"], []),
        ("*.*", ["api.article", "a.b.c"], ["api"]),
    ],
)
def test_a_star_is_one_segment_and_at_the_end_one_or_more(pattern, matched, not_matched):
    endpoint = parse_endpoint_pattern(pattern)
    assert all(endpoint.matches(key) for key in matched)
    assert not any(endpoint.matches(key) for key in not_matched)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("read", {"list", "retrieve", "metadata", "GET", "HEAD", "OPTIONS", "read"}),
        ("create", {"create", "POST"}),
        ("update", {"update", "partial_update", "PUT", "PATCH"}),
        ("delete", {"destroy", "DELETE", "delete"}),
        ("GET", {"GET", "HEAD"}),
        ("HEAD", {"HEAD"}),
        ("list", {"list"}),
        ("publish", {"publish"}),
        ("*", set(ACTIONS)),
    ],
)
def test_a_word_means_these_actions_and_no_others(word, meant):
    assert {action for action in ACTIONS if has_action([word], action)} == meant


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("", 0, "a colon and an action must follow"),
        ("api.article", 11, "a colon and an action must follow"),
        (":read", 0, "an empty segment"),
        ("api.:read", 4, "an empty segment"),
        (".api:read", 0, "an empty segment"),
        ("api..article:read", 4, "an empty segment"),
        ("api.article:", 12, "an empty action"),
        ("api.article:read,", 17, "an empty action"),
        ("api.article:read,,list", 17, "an empty action"),
        ("api.article:read:list", 16, "':' is no letter"),
        ("api:article:read", 3, "the parts of a key are joined by dots: write api.article:read"),
        ("a:*:c:read,list", 1, "the parts of a key are joined by dots: write a.*.c:read,list"),
        ("a:b:c,d:e", 3, "':' is no letter"),
        ("api.art*:read", 7, "'*' stands for a whole segment of a pattern"),
        ("api.**:read", 4, "'*' stands for a whole segment of a pattern"),
        ("api.article:re*", 14, "'*' stands for a whole action of a pattern"),
        ("api.article: read", 12, "' ' is no letter"),
        (" api.article:read", 0, "' ' is no letter"),
        ("api.article:read\n", 16, "'\\n' is no letter"),
        ("api/article:read", 3, "'/' is no letter"),
        ("api.(a+)+$:read", 4, "'(' is no letter"),
        ("api.\N{CYRILLIC SMALL LETTER A}rticle:read", 4, "'\u0430' is no letter"),
        ("api.article\0:read", 11, "'\\x00' is no letter"),
        ("api.\ud800:read", 4, "'\\ud800' is no letter"),
        ("a" * (MAX_KEY_LENGTH + 1) + ":read", MAX_KEY_LENGTH, "longer than 200 characters"),
        ("a:" + "b" * 65, 2 + MAX_ACTION_LENGTH, "an action longer than 64 characters"),
        ("a:" + "b," * 250 + "c", 2 + MAX_ACTIONS_LENGTH, "longer than 500 characters"),
        ("a" * 10**6, 701, "longer than 701 characters"),
    ],
)
def test_a_text_that_is_not_of_the_language_is_refused_where_it_goes_wrong(text, position, problem):
    with pytest.raises(PatternError) as refusal:
        parse_pattern(text)
    assert refusal.value.position == position
    assert refusal.value.problem.startswith(problem)
    assert f"position {position}: {problem}" in str(refusal.value)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize("text", ["api:article", "api.article:read"])
def test_a_key_with_a_colon_is_refused_by_saying_how_keys_are_joined(text):
    with pytest.raises(PatternError, match="joined by dots, and no action is asked for"):
        parse_endpoint_pattern(text)


@pytest.mark.parametrize("value", [None, 7, b"api.article:read", ["api.article:read"], {}])
def test_what_is_not_text_is_refused(value):
    for parse in (parse_pattern, parse_access, parse_key, parse_endpoint_pattern):
        with pytest.raises(PatternError, match="not text"):
            parse(value)


@pytest.mark.parametrize("value", [[None], ["read", 7], [b"read"], []])
def test_a_list_of_actions_holds_words_and_at_least_one(value):
    with pytest.raises(PatternError):
        parse_actions(value)


def test_a_key_and_a_question_hold_no_pattern():
    assert parse_key("api.article") == "api.article"
    assert parse_access("api.article:read") == Access("api.article", "read")
    with pytest.raises(PatternError) as refusal:
        parse_key("api.*")
    assert refusal.value.position == 4
    with pytest.raises(PatternError) as refusal:
        parse_access("*.article:read")
    assert refusal.value.position == 0
    with pytest.raises(PatternError) as refusal:
        parse_access("api.article:list,create")
    assert refusal.value.position == 16


@pytest.mark.parametrize(
    ("words", "canonical"),
    [
        ("delete,update", ("update", "delete")),
        ("publish,archive,read", ("read", "archive", "publish")),
        ("list,read,list", ("read",)),
        ("GET,HEAD", ("GET",)),
        ("PUT,PATCH", ("PATCH", "PUT")),
        ("update,*,publish", ("*",)),
        (["delete", "create"], ("create", "delete")),
        (("partial_update", "update"), ("update",)),
    ],
)
def test_actions_have_one_canonical_form(words, canonical):
    assert parse_actions(words) == canonical
    assert parse_actions(",".join(canonical)) == canonical


@given(st.text() | st.text(alphabet="ab.*:,-_ "))
@example("api.article:update,delete")
def test_whatever_is_read_is_written_back_in_a_form_that_means_the_same(text):
    try:
        pattern = parse_pattern(text)
    except PatternError:
        return
    again = parse_pattern(str(pattern))
    assert again == pattern
    assert str(again) == str(pattern)
    assert pattern.covers(again)
    assert set(pattern.actions) <= set(text.partition(":")[2].split(","))
    assert pattern.endpoint.text == text.partition(":")[0]


@pytest.mark.parametrize("wide", PATTERNS)
def test_a_pattern_covers_another_exactly_when_it_matches_all_its_keys(wide):
    by_wide = {key for key in KEYS if parse_endpoint_pattern(wide).matches(key)}
    for narrow in PATTERNS:
        by_narrow = {key for key in KEYS if parse_endpoint_pattern(narrow).matches(key)}
        covers = parse_endpoint_pattern(wide).covers(parse_endpoint_pattern(narrow))
        assert covers == (by_narrow <= by_wide), narrow


@given(st.sets(st.sampled_from(WORDS), min_size=1), st.sets(st.sampled_from(WORDS), min_size=1))
def test_words_cover_others_exactly_when_they_mean_all_their_actions(wide, narrow):
    by_wide = {action for action in ACTIONS if has_action(wide, action)}
    by_narrow = {action for action in ACTIONS if has_action(narrow, action)}
    assert covers_actions(wide, narrow) == (by_narrow <= by_wide)


@given(st.sets(st.sampled_from(KEYS)), st.sampled_from(PATTERNS))
def test_the_tree_finds_the_keys_that_match(keys, text):
    pattern = parse_endpoint_pattern(text)
    found = list(KeyTree(keys).under(pattern))
    assert sorted(found) == sorted(key for key in keys if pattern.matches(key))


def test_scopes_reach_what_any_of_them_matches():
    scopes = ("api.article:read", "api.user:retrieve")
    assert reaches(scopes, "api.article", "list")
    assert reaches(scopes, "api.user", "retrieve")
    assert not reaches(scopes, "api.user", "list")
    assert not reaches(scopes, "api.article", "destroy")
    assert not reaches((), "api.article", "list")


def test_a_scope_that_cannot_be_read_reaches_nothing():
    assert not reaches(("", "*", "*:*:*", "api.*", "**:*", "*:* "), "api.article", "list")
    assert reaches(("broken", "*:read"), "api.article", "list")


def test_the_longest_pattern_is_matched_in_no_time():
    pattern = parse_endpoint_pattern(".".join(["*"] * 100))
    key = ".".join(["a"] * 5000)
    start = time.perf_counter()
    assert pattern.matches(key)
    assert not pattern.matches("a")
    assert time.perf_counter() - start < 0.1
