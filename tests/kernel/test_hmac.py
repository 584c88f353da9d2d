"""HMAC with SHA-2 gives what RFC 4231 and Python's own HMAC give."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel.jwa import HMAC, hmac_functions

#: RFC 4231 §4.2, §4.3 and §4.7: a short key, a shorter one, and one longer than a block.
RFC_4231 = [
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


@pytest.mark.parametrize(("key", "message", "mac"), RFC_4231)
def test_the_vectors_of_the_rfc(key: bytes, message: bytes, mac: str):
    sign, check = hmac_functions("HS256", key)
    assert sign(message).hex() == mac
    assert check(message, bytes.fromhex(mac))


@given(st.sampled_from(sorted(HMAC)), st.binary(max_size=300), st.binary(max_size=300))
def test_it_is_the_hmac_of_the_standard_library(alg: str, key: bytes, message: bytes):
    sign, check = hmac_functions(alg, key)
    mac = hmac.digest(key, message, HMAC[alg][0])
    assert sign(message) == sign(message) == mac
    assert check(message, mac)


@given(st.sampled_from(sorted(HMAC)), st.binary(min_size=1, max_size=64), st.data())
def test_no_other_mac_is_taken(alg: str, message: bytes, data: st.DataObject):
    sign, check = hmac_functions(alg, b"a key of the test run, long enough for every hash of it.")
    mac = sign(message)
    place = data.draw(st.integers(0, len(mac) - 1))
    other = bytearray(mac)
    other[place] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(other), mac[:-1], mac + b"\0", b""):
        assert not check(message, wrong)
