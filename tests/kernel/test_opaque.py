"""Opaque tokens: what is made is understood, and nothing else is."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel import opaque

TOKEN = opaque.mint("ak_", random=secrets.token_bytes).text


@given(st.binary(min_size=25, max_size=25), st.sampled_from(["ak_", "A", "my_own_prefix_00"]))
def test_a_token_that_was_made_is_understood(octets: bytes, prefix: str):
    made = opaque.mint(prefix, random=lambda count: octets[:count])
    parsed = opaque.parse(made.text, prefix)
    assert (parsed.id, parsed.digest) == (made.id, made.digest)
    assert parsed.digest == hashlib.sha256(made.text.encode()).digest()


@given(st.integers(0, len(TOKEN) - 1), st.characters(exclude_categories=()))
def test_another_character_anywhere_is_no_token(place: int, character: str):
    text = TOKEN[:place] + character + TOKEN[place + 1 :]
    if text != TOKEN:
        with pytest.raises(opaque.MalformedToken):
            opaque.parse(text, "ak_")


@given(st.text(st.characters(exclude_categories=()), min_size=63, max_size=63))
def test_a_text_of_its_length_is_no_token(body: str):
    with pytest.raises(opaque.MalformedToken):
        opaque.parse("ak_" + body, "ak_")


@given(st.text(max_size=140))
def test_any_other_text_is_no_token(text: str):
    with pytest.raises(opaque.MalformedToken):
        opaque.parse(text, "ak_")
