"""Text that hides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from authkit.kernel import visible

texts = strategies.text() | strategies.text("=+-@\t\r\n '\"\u202e\u2066\x1b\ud800＝＠", max_size=6)  # noqa: RUF001


@given(texts)
def test_one_line_is_printable_and_keeps_what_is(text):
    assert visible.one_line(text).isprintable()
    if text.isprintable():
        assert visible.one_line(text) == text


@given(texts)
def test_several_lines_stay_several(text):
    assert visible.lines(text).split("\n") == [visible.one_line(line) for line in text.split("\n")]


@given(texts)
def test_no_cell_begins_like_a_formula(text):
    cell = visible.cell(text)
    assert cell.isprintable()
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))  # noqa: RUF001


@pytest.mark.parametrize("text", ["alice", "a=b", "Łucja Ω 李", "", "1+1"])
def test_what_harms_nobody_stays_as_it_is(text):
    assert visible.cell(text) == text
