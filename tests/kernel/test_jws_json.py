"""Strict JSON is read and written one way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel import strict_json
from authkit.kernel.strict_json import MAX_DEPTH, MalformedJson


def test_names_are_written_in_order_and_without_spaces():
    assert strict_json.write({"b": 1, "a": ["é", None]}) == '{"a":["é",null],"b":1}'.encode()


def test_nesting_is_read_to_a_limit():
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert strict_json.read(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 400, 100_000):
        with pytest.raises(MalformedJson):
            strict_json.read(nested(depth))


def test_an_escaped_pair_of_surrogates_is_one_character():
    assert strict_json.read(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@given(st.binary(max_size=60))
def test_what_is_read_is_what_python_reads(octets: bytes):
    try:
        value = strict_json.read(octets)
    except MalformedJson:
        return
    assert value == json.loads(octets)


_TEXT = st.text('{}[]":,0123456789.eE+-truefalsn\\u \n', max_size=40)


@given(_TEXT)
def test_what_python_does_not_read_is_refused(text: str):
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(MalformedJson):
            strict_json.read(text.encode())
    else:
        try:
            strict_json.read(text.encode())
        except MalformedJson:
            return
