"""Keys are looked at once, before they sign anything."""

from __future__ import annotations

import base64
import copy
import json
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from authkit.kernel import jwk, keys
from authkit.kernel.jwa import ALGORITHMS, HMAC
from authkit.kernel.key_material import KeyRefused
from tests.kernel.some_keys import (
    ASYMMETRIC,
    PUBLIC_FORMAT,
    key,
    material,
    pem_of,
    public_pem,
    signing,
)


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


# Thumbprints and JWKs.

_RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def test_a_thumbprint_is_that_of_rfc_7638():
    public = rsa.RSAPublicNumbers(number("AQAB"), number(_RFC_7638_N)).public_key()
    assert jwk.thumbprint(public) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_thumbprint_is_that_of_rfc_8037():
    raw = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    pem = _spki_of_ed25519(raw)
    half = keys.prepare("EdDSA", pem).verifying
    assert half.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert half.public is not None
    assert half.public["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def _spki_of_ed25519(raw: bytes) -> str:
    der = bytes.fromhex("302a300506032b6570032100") + raw
    return (
        f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    )


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_only_the_public_half_is_published(alg: str):
    entry = key(alg).verifying.public
    assert entry is not None
    assert (entry["alg"], entry["use"], entry["kid"]) == (alg, "sig", key(alg).verifying.kid)
    assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & entry.keys()
    assert keys.prepare(alg, public_pem(material(alg))).verifying.public == entry


@pytest.mark.parametrize(("alg", "size"), [("ES256", 32), ("ES384", 48), ("ES512", 66)])
def test_coordinates_have_their_full_length(alg: str, size: int):
    for seed in range(1, 600):  # one in 256 begins with a zero octet
        curve = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}[alg]
        entry = jwk.members(ec.derive_private_key(seed, curve).public_key())
        assert {len(base64.urlsafe_b64decode(entry[name] + "==")) for name in "xy"} == {size}


@pytest.mark.parametrize("alg", HMAC)
def test_the_id_of_a_secret_is_stable_and_tells_nothing(alg: str):
    half = key(alg).verifying
    assert half.kid == keys.prepare(alg, material(alg).encode()).verifying.kid
    assert half.kid != key(alg, 2).verifying.kid
    assert half.public is None
    assert len(half.kid) == 22


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_id_may_be_chosen(alg: str):
    prepared = keys.prepare(alg, material(alg), "2026-11_blue.~")
    assert prepared.signing is not None
    assert prepared.verifying.kid == prepared.signing.kid == "2026-11_blue.~"


# What is refused.


@pytest.mark.parametrize("kid", ["", " ", "a b", "ä", "a/b", "a\n", "x" * 129, 7, True, b"a", []])
def test_an_id_is_short_and_plain(kid: object):
    with pytest.raises(KeyRefused, match="kid"):
        keys.prepare("HS256", material("HS256"), kid)


@pytest.mark.parametrize(
    "alg", ["none", "None", "", "hs256", "HS1", "PS256", "RS1", "ES256K", "A256KW", None, 7, []]
)
def test_an_unknown_algorithm_is_refused(alg: object):
    with pytest.raises(KeyRefused, match="algorithm must be one of"):
        keys.prepare(alg, material("HS256"))


@pytest.mark.parametrize(("alg", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_as_long_as_its_hash(alg: str, least: int):
    assert keys.prepare(alg, "k" * least).signing is not None
    with pytest.raises(KeyRefused, match=f"at least {least} octets"):
        keys.prepare(alg, "k" * (least - 1))


@pytest.mark.parametrize("alg", HMAC)
@pytest.mark.parametrize("of", ASYMMETRIC)
def test_the_text_of_another_key_is_no_secret(alg: str, of: str):
    """CVE-2022-29217, CVE-2026-48526."""
    public = load_pem_private_key(material(of).encode(), None).public_key()
    der = public.public_bytes(Encoding.DER, PUBLIC_FORMAT)
    entry = key(of).verifying.public
    assert entry is not None
    texts: list[str | bytes] = [
        material(of),
        public_pem(material(of)),
        der,
        json.dumps(dict(entry)),
    ]
    texts += ["\n" + public_pem(material(of)), json.dumps({"keys": [dict(entry)]})]
    if not of.startswith("ES512"):
        texts.append(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    for text in texts:
        with pytest.raises(KeyRefused, match="not the text of another kind of key"):
            keys.prepare(alg, text)


@pytest.mark.parametrize("alg", ASYMMETRIC)
@pytest.mark.parametrize(
    "text",
    ["", "a secret", b"\xff\xfe", "\ud800", "-----BEGIN PRIVATE KEY-----", None, 7, ["a"], {}],
)
def test_what_is_no_pem_key_is_refused(alg: str, text: object):
    with pytest.raises(KeyRefused):
        keys.prepare(alg, text)


@pytest.mark.parametrize("alg", ASYMMETRIC)
@pytest.mark.parametrize("of", ASYMMETRIC)
def test_a_key_fits_its_algorithm(alg: str, of: str):
    if of == alg or (of[:2], alg[:2]) == ("RS", "RS"):
        assert keys.prepare(alg, material(of)).signing is not None
        return
    for text in (material(of), public_pem(material(of))):
        with pytest.raises(KeyRefused, match="of another kind"):
            keys.prepare(alg, text)


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_keys_of_no_algorithm_of_ours_are_refused(alg: str):
    foreign = [ed448.Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())]
    for private in foreign:
        with pytest.raises(KeyRefused):
            keys.prepare(alg, pem_of(private))


def test_a_short_rsa_key_is_refused():
    weak = pem_of(rsa.generate_private_key(65537, 1024))  # noqa: S505 - weak on purpose
    for text in (weak, public_pem(weak)):
        with pytest.raises(KeyRefused, match="2048 bits"):
            keys.prepare("RS256", text)


def test_an_encrypted_key_is_refused_with_a_reason():
    private = load_pem_private_key(material("EdDSA").encode(), None)
    encryption = BestAvailableEncryption(b"pass phrase")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    with pytest.raises(KeyRefused, match="encrypted"):
        keys.prepare("EdDSA", pem)


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_a_public_key_only_verifies(alg: str):
    assert keys.prepare(alg, public_pem(material(alg))).signing is None


# Nothing is shown.


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_no_representation_shows_the_key(alg: str):
    prepared = key(alg)
    shown = f"{prepared!r} {prepared} {prepared.verifying!r} {prepared.signing!r}"
    lines = [line for line in material(alg).splitlines() if "-----" not in line]
    assert not any(line in shown for line in lines)
    assert prepared.verifying.kid in shown


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_is_not_pickled_by_accident(alg: str):
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(signing(alg))


@pytest.mark.parametrize("alg", HMAC)
def test_a_refusal_does_not_show_the_secret(alg: str):
    with pytest.raises(KeyRefused) as caught:
        keys.prepare(alg, "hunter2")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(copy.copy(caught.value))
