"""What is known to have been tried on JWT libraries, and what else comes to mind.

RFC 8725, RFC 7515 §10, and the CVEs beside the tests.
"""

from __future__ import annotations

import base64
import hmac
import json
import socket
import time
from functools import lru_cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from authkit.kernel import base64url, jwa, jws
from authkit.kernel.jwa import ALGORITHMS, HMAC
from authkit.kernel.jws import InvalidToken
from tests.kernel.some_keys import (
    ASYMMETRIC,
    forge,
    header_of,
    key,
    material,
    public_pem,
    ring,
    segment,
    signing,
    text_segment,
)

PAYLOAD = {"sub": "1", "iss": "authkit"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def refused(token: Any) -> bool:
    with pytest.raises(InvalidToken):
        jws.verify(token, ring(), typ="at+jwt")
    with pytest.raises(InvalidToken):
        jws.read_payload(experienced().payload_of(jws.octets_of(token)))
    return True


@lru_cache
def experienced() -> jws.Checker:
    """One that knows the header of each key again, as it does after a process's first requests."""
    checker = jws.Checker(ring(), typ="at+jwt")
    for alg in ALGORITHMS:
        checker.payload_of(token_of(alg).encode())
    return checker


def token_of(alg: str = "HS256") -> str:
    return jws.sign(PAYLOAD, signing(alg), typ="at+jwt")


# The algorithm is the key's.


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", "", " none", None, 0, [], {}])
@pytest.mark.parametrize("signature", [b"", b"AA"])
def test_an_unsigned_token_is_refused_however_none_is_spelled(spelling: object, signature: bytes):
    header = segment(header_of("HS256", alg=spelling))
    assert refused(b".".join([header, segment(PAYLOAD), signature]))


@pytest.mark.parametrize("alg", ASYMMETRIC)
@pytest.mark.parametrize("hashed", HMAC)
def test_a_public_key_is_no_hmac_secret(alg: str, hashed: str):
    """CVE-2015-9235, CVE-2022-29217: the verifier is talked into HMAC with a public key."""
    entry = key(alg).verifying.public
    assert entry is not None
    pem = public_pem(material(alg))
    for secret in (pem, pem.strip(), json.dumps(dict(entry)), entry["kid"]):
        for header in (header_of(alg, alg=hashed), header_of(alg)):
            signing_input = segment(header) + b"." + segment(PAYLOAD)
            mac = hmac.digest(secret.encode(), signing_input, HMAC[hashed][0])
            assert refused(signing_input + b"." + base64url.encode(mac))


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("claimed", ALGORITHMS)
def test_a_key_is_for_one_algorithm_only(alg: str, claimed: str):
    token = forge(header_of(alg, alg=claimed), PAYLOAD, signing(alg))
    if claimed == alg:
        assert jws.verify(token, ring(), typ="at+jwt") == PAYLOAD
    else:
        assert refused(token)


@pytest.mark.parametrize("spelling", ["hs256", "HS256 ", "Hs256", ["HS256"], {"HS256": 1}, True])
def test_the_algorithm_is_spelled_exactly(spelling: object):
    assert refused(forge(header_of("HS256", alg=spelling), PAYLOAD, signing("HS256")))


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("signature", [b"", b"\0", b"\0" * 64, b"\0" * 132, b"\xff" * 96])
def test_an_empty_or_constant_signature_is_refused(alg: str, signature: bytes):
    """CVE-2022-21449: ECDSA with r = s = 0."""
    body = segment(header_of(alg)) + b"." + segment(PAYLOAD)
    assert refused(body + b"." + base64url.encode(signature))


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_the_twin_of_an_ecdsa_signature_is_refused(alg: str):
    for number in range(8):
        token = jws.sign({"number": number}, signing(alg), typ="at+jwt")
        assert refused(_twin(token, jwa._CURVES[alg][1]))


def _twin(token: str, order: int) -> bytes:
    body, _, text = token.encode().rpartition(b".")
    signature = base64url.decode(text)
    size = len(signature) // 2
    s = order - int.from_bytes(signature[size:], "big")
    return body + b"." + base64url.encode(signature[:size] + s.to_bytes(size, "big"))


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
@pytest.mark.parametrize("r", [0, 1])
@pytest.mark.parametrize("s", [0, 1])
def test_ecdsa_numbers_out_of_range_are_refused(alg: str, r: int, s: int):
    order = jwa._CURVES[alg][1]
    size = (order.bit_length() + 7) // 8
    body = segment(header_of(alg)) + b"." + segment(PAYLOAD)
    for pair in ((r, s), (r * order, s), (r, s * order), (order, order)):
        octets = b"".join(number.to_bytes(size, "big") for number in pair)
        assert refused(body + b"." + base64url.encode(octets))


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_an_ecdsa_signature_in_der_is_refused(alg: str):
    body, _, text = token_of(alg).encode().rpartition(b".")
    octets = base64url.decode(text)
    half = len(octets) // 2
    der = encode_dss_signature(
        int.from_bytes(octets[:half], "big"), int.from_bytes(octets[half:], "big")
    )
    assert refused(body + b"." + base64url.encode(der))


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_ecdsa_numbers_have_their_full_length_and_no_more(alg: str):
    body, _, text = token_of(alg).encode().rpartition(b".")
    octets = base64url.decode(text)
    half = len(octets) // 2
    r, s = octets[:half], octets[half:]
    for spelling in (r + b"\0" + s, b"\0" + octets, octets + b"\0", r, r.lstrip(b"\0") + s[1:]):
        assert refused(body + b"." + base64url.encode(spelling))


# The key is found in a closed set, by its id.


@pytest.mark.parametrize(
    "kid",
    [
        "",
        ".",
        "../../../../../../dev/null",
        "/dev/null",
        "x' UNION SELECT 'secret",
        "|sleep 10",
        "key\0",
        "key\n",
        "ключ",
        "k" * 129,
        "k" * 4000,
        0,
        1,
        True,
        None,
        [],
        ["a"],
        {"a": 1},
    ],
)
def test_a_kid_that_is_not_of_the_ring_is_refused(kid: object):
    assert refused(forge(header_of("HS256", kid=kid), PAYLOAD, signing("HS256")))


@pytest.mark.parametrize("missing", ["alg", "kid", "typ"])
def test_a_header_without_a_needed_member_is_refused(missing: str):
    header = header_of("HS256")
    del header[missing]
    assert refused(forge(header, PAYLOAD, signing("HS256")))


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"])
def test_a_key_that_the_token_brings_is_not_used(member: str):
    """CVE-2018-0114: the attacker signs with the key that he put into the header."""
    attacker = key("RS256", 2)
    brought = {
        "jwk": attacker.verifying.public,
        "jku": "http://127.0.0.1:9/keys.json",
        "x5u": "http://127.0.0.1:9/chain.pem",
        "x5c": ["MIIB"],
    }
    header = header_of("RS256", **{member: brought.get(member, "AAAA")})
    assert attacker.signing is not None
    assert refused(forge(header, PAYLOAD, attacker.signing))
    assert jws.verify(forge(header, PAYLOAD, signing("RS256")), ring(), typ="at+jwt") == PAYLOAD


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for member in ("jku", "x5u"):
        header = header_of("HS256", **{member: "https://example.com/keys"})
        jws.verify(forge(header, PAYLOAD, signing("HS256")), ring(), typ="at+jwt")


def test_what_is_remembered_of_headers_is_bounded():
    jws._remembered_header.cache_clear()
    for number in range(400):
        long = header_of("HS256", jku="x" * 600 + str(number))
        jws.verify(forge(long, PAYLOAD, signing("HS256")), ring(), typ="at+jwt")
    assert jws._remembered_header.cache_info().currsize == 0
    for number in range(400):
        short = header_of("HS256", jku=str(number))
        jws.verify(forge(short, PAYLOAD, signing("HS256")), ring(), typ="at+jwt")
    assert jws._remembered_header.cache_info().currsize == 256


# Headers that change what a token means.


@pytest.mark.parametrize(
    "more",
    [
        {"crit": []},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"crit": ["http://example.com/x"], "http://example.com/x": 1},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"": ""},
        {"Alg": "none"},
    ],
)
def test_a_member_that_is_not_understood_is_refused(more: dict[str, object]):
    """CVE-2026-32597: unknown critical extensions were accepted."""
    assert refused(forge(header_of("HS256", **more), PAYLOAD, signing("HS256")))


@pytest.mark.parametrize(
    "typ", ["rt+jwt", "JWT", "AT+JWT", "at+jwt ", "application/at+jwt", "", None, 1, ["at+jwt"]]
)
def test_another_kind_of_token_is_refused(typ: object):
    assert refused(forge(header_of("HS256", typ=typ), PAYLOAD, signing("HS256")))


@pytest.mark.parametrize(
    "text",
    [
        '{"alg":"none","alg":"HS256","kid":"KID","typ":"at+jwt"}',
        '{"alg":"HS256","kid":"x","kid":"KID","typ":"at+jwt"}',
        '{"alg":"HS256","kid":"KID","typ":"rt+jwt","typ":"at+jwt"}',
        '{"alg":"HS256","kid":"KID","typ":"at+jwt","\\u0061lg":"HS256"}',
        '[{"alg":"HS256","kid":"KID","typ":"at+jwt"}]',
        '{"alg":"HS256","kid":"KID","typ":"at+jwt"}{}',
        '{"alg":"HS256","kid":"KID","typ":"at+jwt"}x',
        '{"alg":"HS256","kid":"KID","typ":"at+jwt",}',
        "{'alg':'HS256','kid':'KID','typ':'at+jwt'}",
        '\ufeff{"alg":"HS256","kid":"KID","typ":"at+jwt"}',
        '"HS256"',
        "null",
        "1",
        "",
        "{}",
    ],
)
def test_a_header_that_is_not_one_strict_object_is_refused(text: str):
    header = text.replace("KID", key("HS256").verifying.kid)
    assert refused(forge(text_segment(header), PAYLOAD, signing("HS256")))


# The payload, signed with our own key.


@pytest.mark.parametrize(
    "text",
    [
        '{"sub":"1","sub":"2"}',
        '{"sub":"1","\\u0073ub":"2"}',
        '{"a":{"b":1,"b":2}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"exp":-Infinity}',
        '{"exp":1e999}',
        '{"exp":' + "9" * 5000 + "}",
        '{"sub":"\\ud800"}',
        '{"\\udfff":1}',
        '{"sub":"a\nb"}',
        "[]",
        '"text"',
        "7",
        "null",
        "",
        "{",
        "{}{}",
        "[" * 3000,
        "[" * 3000 + "]" * 3000,
        '{"a":' * 500 + "1" + "}" * 500,
        '{"a":' + "[" * 17 + "]" * 17 + "}",
    ],
)
def test_a_payload_that_is_not_one_strict_object_is_refused(text: str):
    assert refused(forge(header_of("HS256"), text_segment(text), signing("HS256")))


@pytest.mark.parametrize("octets", [b"\xff{}", b'{"a":"\xff"}', '{"a":1}'.encode("utf-16"), b"\0"])
def test_a_payload_that_is_not_utf8_is_refused(octets: bytes):
    assert refused(forge(header_of("HS256"), base64url.encode(octets), signing("HS256")))


@pytest.mark.parametrize("text", [' {"sub" : "1" }\r\n', '{\t"sub":"\\u0031"}'])
def test_white_space_that_our_own_key_has_signed_changes_nothing(text: str):
    token = forge(header_of("HS256"), text_segment(text), signing("HS256"))
    assert jws.verify(token, ring(), typ="at+jwt") == {"sub": "1"}


def test_many_short_lists_are_not_deep():
    payload = {"a": [[] for _ in range(200)], "b": "[" * 200}
    token = forge(header_of("HS256"), payload, signing("HS256"))
    assert jws.verify(token, ring(), typ="at+jwt") == payload


# One spelling only.


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda part: part + "=",
        lambda part: part + "==",
        lambda part: part + "===",
        lambda part: part + "\n",
        lambda part: " " + part,
        lambda part: part[:4] + "\r\n" + part[4:],
        lambda part: part[:4] + "=" + part[4:],
        lambda part: part + "A",
        lambda part: part + "\0",
        lambda part: part[:-1],
        lambda part: "",
        lambda part: part.replace("-", "+").replace("_", "/") + "?",
        lambda part: part + "\u0661",
        lambda part: part + "\uff21",
    ],
)
def test_a_second_spelling_of_a_part_is_refused(alg: str, place: int, change: Any):
    parts = token_of(alg).split(".")
    parts[place] = change(parts[place])
    assert refused(".".join(parts))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_plus_and_slash_are_no_base64url(alg: str):
    for number in range(200):
        token = jws.sign({"number": number}, signing(alg), typ="at+jwt")
        body, _, signature = token.rpartition(".")
        if {"-", "_"} & set(signature):
            assert refused(f"{body}." + signature.replace("-", "+").replace("_", "/"))
            return
    raise AssertionError("no signature with - or _ was made")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_left_over_bits_must_be_zero(alg: str):
    token = token_of(alg)
    twins = [token[:-1] + last for last in ALPHABET if last != token[-1]]
    assert any(_same_octets(token, twin) for twin in twins) or len(_signature(token)) % 3 == 0
    assert all(refused(twin) for twin in twins)


def _signature(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.rpartition(".")[2] + "==")


def _same_octets(token: str, twin: str) -> bool:
    return _signature(token) == _signature(twin)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "." + token,
        lambda token: token + ".",
        lambda token: token.replace(".", ".."),
        lambda token: token + "." + token,
        lambda token: token.replace(".", "", 1),
        lambda token: token.replace(".", ""),
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token + ".AA.AA",
        lambda token: "Bearer " + token,
        lambda token: token + " ",
        lambda token: "\t" + token,
        lambda token: json.dumps({"token": token}),
        lambda token: token.upper(),
        lambda token: token[::-1],
        lambda token: token.encode("utf-16"),
        lambda token: "",
        lambda token: ".",
        lambda token: "..",
        lambda token: "...",
        lambda token: None,
        lambda token: 7,
        lambda token: [token],
        lambda token: {"payload": token},
    ],
)
def test_what_is_not_three_parts_is_refused(change: Any):
    assert refused(change(token_of()))


# Whatever the bytes.


def test_five_megabytes_of_anything_are_refused_at_once():
    heap = ["A" * 5_000_000, b"." * 5_000_000, "é" * 5_000_000, token_of() * 20_000]
    began_at = time.perf_counter()
    for garbage in heap:
        assert refused(garbage)
    assert time.perf_counter() - began_at < 0.1


def test_one_octet_too_many_is_refused():
    room = jws.MAX_LENGTH - len(forge(header_of("HS256"), {"a": ""}, signing("HS256")))
    for more in range(room, 0, -1):
        token = forge(header_of("HS256"), {"a": "x" * more}, signing("HS256"))
        if len(token) > jws.MAX_LENGTH:
            assert refused(token)
        else:
            assert len(jws.verify(token, ring(), typ="at+jwt")["a"]) == more
            return


@given(st.text(max_size=300))
@example("\ud800.\ud800.\ud800")
def test_no_text_raises_anything_else(text: str):
    assert refused(text)


@given(st.binary(max_size=300))
def test_no_octets_raise_anything_else(octets: bytes):
    assert refused(octets)


_SEGMENT = st.text(ALPHABET, max_size=200) | st.binary(max_size=100).map(
    lambda octets: base64url.encode(octets).decode()
)


@given(st.lists(_SEGMENT, min_size=1, max_size=5))
def test_no_segments_raise_anything_else(segments: list[str]):
    assert refused(".".join(segments))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_HEADER = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jwk", "crit", "b64", ""]),
    _JSON | st.sampled_from([*ALGORITHMS, "none", "at+jwt", *ring()]),
)


@given(_HEADER, _JSON, st.binary(max_size=80))
def test_no_header_without_its_signature_is_taken(header: object, payload: object, end: bytes):
    body = segment(header) + b"." + segment(payload)
    assert refused(body + b"." + base64url.encode(end))


@given(st.binary(max_size=200))
def test_no_payload_that_we_sign_raises_anything_else(octets: bytes):
    token = forge(header_of("HS256"), base64url.encode(octets), signing("HS256"))
    try:
        payload = jws.verify(token, ring(), typ="at+jwt")
    except InvalidToken:
        return
    assert payload == json.loads(octets)


@pytest.mark.parametrize("alg", ["HS256", "EdDSA", "ES256", "RS256"])
@given(data=st.data())
def test_a_token_changed_anywhere_is_no_token(alg: str, data: st.DataObject):
    token = token_of(alg)
    start = data.draw(st.integers(0, len(token)))
    length = data.draw(st.integers(0, 3))
    put_in = data.draw(st.text(ALPHABET + ".=+/ \n\0é", max_size=3))
    changed = token[:start] + put_in + token[start + length :]
    if changed == token:
        assert jws.verify(changed, ring(), typ="at+jwt") == PAYLOAD
    else:
        assert refused(changed)


@given(data=st.data())
def test_parts_of_two_tokens_make_no_third(data: st.DataObject):
    first = jws.sign({"sub": "1"}, signing("HS256"), typ="at+jwt").split(".")
    other = jws.sign({"sub": "2"}, signing("HS512"), typ="at+jwt").split(".")
    mixed = [data.draw(st.sampled_from(pair)) for pair in zip(first, other, strict=True)]
    if mixed not in (first, other):
        assert refused(".".join(mixed))
