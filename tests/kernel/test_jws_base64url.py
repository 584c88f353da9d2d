"""Base64url has one spelling."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel import base64url
from authkit.kernel.base64url import NotCanonical


@given(st.binary(max_size=100))
def test_octets_come_back(octets: bytes):
    text = base64url.encode(octets)
    assert text == base64.urlsafe_b64encode(octets).rstrip(b"=")
    assert base64url.decode(text) == octets


@given(st.binary(max_size=12) | st.text("ABab09-_=+/ \n", max_size=12).map(str.encode))
def test_what_is_read_would_be_written_the_same(text: bytes):
    try:
        octets = base64url.decode(text)
    except NotCanonical:
        return
    assert base64url.encode(octets) == text


def test_of_all_texts_of_two_and_three_characters_only_the_canonical_are_read():
    alphabet = bytes(range(256))
    pairs = [bytes([a, b]) for a in alphabet for b in alphabet]
    assert sum(_is_read(pair) for pair in pairs) == 256
    assert sum(_is_read(b"A" + pair) for pair in pairs) == 64 * 16


def _is_read(text: bytes) -> bool:
    try:
        base64url.decode(text)
    except NotCanonical:
        return False
    return True


@pytest.mark.parametrize(
    "text", [b"A", b"AAAAA", b"QQ==", b"QQ=", b"QR", b"QUF=", b"+/AA", b"A A="]
)
def test_other_spellings_are_refused(text: bytes):
    with pytest.raises(NotCanonical):
        base64url.decode(text)
