"""The key ring: what signs, what verifies, and what is refused before it starts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from authkit import conf
from authkit.jwt import keys
from authkit.kernel import jws
from authkit.kernel.jwa import ALGORITHMS
from authkit.kernel.keys import prepare
from tests.kernel.some_keys import ASYMMETRIC, key, material, public_pem

OTHER = "another key of the test run, long enough for every check, and no secret either"
Entry = dict[str, Any]


def entry(alg: str, number: int = 1, **more: object) -> Entry:
    return {"alg": alg, "key": material(alg, number), **more}


def ring_of(*entries: Entry) -> keys.KeyRing:
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": list(entries)}):
        return keys.ring()


def problems_of(*entries: object) -> list[str]:
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": list(entries)}):
        return keys.problems(conf.get())


def ring_with(secret: str, *fallbacks: str) -> keys.KeyRing:
    with override_settings(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks)):
        return keys.ring()


# Without any setting.


def test_without_any_setting_one_derived_key_signs():
    ring = keys.ring()
    assert ring.access_signing.alg == ring.refresh_signing.alg == "HS256"
    assert list(ring.access_verifying) == [ring.access_signing.kid]
    assert keys.problems(conf.get()) == []


def test_the_same_secret_key_gives_the_same_ring_in_every_process():
    assert ring_with(OTHER).access_signing.kid == ring_with(OTHER).access_signing.kid


def test_secret_key_itself_signs_nothing():
    ring = ring_with("k" * 50)
    for verifying in (ring.access_verifying, ring.refresh_verifying):
        half = next(iter(verifying.values()))
        thief = prepare("HS256", "k" * 50, half.kid).signing
        assert thief is not None
        forged = jws.sign({}, thief, typ="at+jwt")
        with pytest.raises(jws.InvalidToken, match="signature"):
            jws.verify(forged, verifying, typ="at+jwt")


def test_each_purpose_has_a_key_of_its_own():
    ring = keys.ring()
    token = jws.sign({}, ring.access_signing, typ="rt+jwt")
    with pytest.raises(jws.InvalidToken):
        jws.verify(token, ring.refresh_verifying, typ="rt+jwt")
    assert ring.access_signing.kid != ring.refresh_signing.kid


def test_tokens_of_a_fallback_secret_key_are_still_read():
    before = ring_with("old" * 20)
    after = ring_with("new" * 20, "old" * 20)
    for name in ("access", "refresh"):
        token = jws.sign({"a": 1}, getattr(before, f"{name}_signing"), typ="x")
        assert jws.verify(token, getattr(after, f"{name}_verifying"), typ="x") == {"a": 1}
        assert getattr(after, f"{name}_signing").kid != getattr(before, f"{name}_signing").kid


def test_a_secret_key_that_was_removed_reads_nothing():
    before, after = ring_with("old" * 20), ring_with("new" * 20)
    token = jws.sign({}, before.access_signing, typ="x")
    with pytest.raises(jws.InvalidToken, match="unknown kid"):
        jws.verify(token, after.access_verifying, typ="x")


def test_a_secret_key_of_octets_is_taken():
    with override_settings(SECRET_KEY=b"\xff\x00" * 32):
        assert keys.ring().access_signing.alg == "HS256"


# With keys.


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_configured_key_signs_access_tokens_and_no_refresh_tokens(alg: str):
    ring = ring_of(entry(alg))
    assert ring.access_signing.alg == alg
    assert ring.refresh_signing.kid == keys.ring().refresh_signing.kid
    assert ring.access_signing.kid not in ring.refresh_verifying


def test_rotation_logs_nobody_out():
    old = ring_of(entry("HS256"))
    both = ring_of(entry("EdDSA"), entry("HS256"))
    new = ring_of(entry("EdDSA"))
    token = jws.sign({"a": 1}, old.access_signing, typ="x")
    assert both.access_signing.alg == "EdDSA"
    assert jws.verify(token, both.access_verifying, typ="x") == {"a": 1}
    with pytest.raises(jws.InvalidToken):
        jws.verify(token, new.access_verifying, typ="x")


def test_a_public_key_may_verify_behind_the_first():
    public = {"alg": "RS256", "key": public_pem(material("RS256"))}
    ring = ring_of(entry("ES256"), public)
    assert [half.alg for half in ring.access_verifying.values()] == ["ES256", "RS256"]


def test_the_ring_is_prepared_once_and_again_when_settings_change():
    ring = keys.ring()
    assert keys.ring() is ring
    for changed in (
        {"AUTHKIT": {"JWT_SIGNING_KEYS": [entry("HS256")]}},
        {"SECRET_KEY": OTHER},
        {"SECRET_KEY_FALLBACKS": [OTHER]},
    ):
        with override_settings(**changed):
            assert keys.ring() is not ring
            assert keys.ring() is keys.ring()
    assert keys.ring().access_verifying.keys() == ring.access_verifying.keys()


# What is published.


def test_only_public_keys_are_published():
    ring = ring_of(entry("EdDSA"), entry("HS256"), entry("RS256"))
    published = keys.jwks(ring)["keys"]
    assert [jwk["alg"] for jwk in published] == ["EdDSA", "RS256"]
    assert published[0] == key("EdDSA").verifying.public
    assert keys.jwks(keys.ring()) == {"keys": []}
    json.dumps(published)


def test_what_is_published_is_a_copy():
    ring = ring_of(entry("EdDSA"))
    keys.jwks(ring)["keys"][0]["kid"] = "changed"
    assert keys.jwks(ring)["keys"][0]["kid"] != "changed"


# What is refused, in words that name the place.


@pytest.mark.parametrize("alg", ["none", "HS1", "PS256", "", None, 7])
def test_an_unknown_algorithm_is_a_problem(alg: object):
    (problem,) = problems_of({"alg": alg, "key": material("HS256")})
    assert problem.startswith("AUTHKIT['JWT_SIGNING_KEYS'][0]: the algorithm must be one of HS256")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"alg": "HS256"},
        {"key": "k" * 32},
        {"alg": "HS256", "key": "k" * 32, "typ": "JWT"},
        {"alg": "HS256", "secret": "k" * 32},
    ],
)
def test_an_entry_has_the_members_it_may_have(wrong: Entry):
    (problem,) = problems_of(wrong)
    assert '"alg", "key" and perhaps "kid"' in problem


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"alg": "HS256", "key": "k" * 31}, "at least 32 octets"),
        ({"alg": "HS512", "key": "k" * 63}, "at least 64 octets"),
        ({"alg": "HS256", "key": public_pem(material("RS256"))}, "another kind of key"),
        ({"alg": "RS256", "key": material("ES256")}, "of another kind"),
        ({"alg": "ES256", "key": "no pem"}, "not a PEM"),
        ({"alg": "ES256", "key": None}, "a key is a text"),
        ({"alg": "HS256", "key": "k" * 32, "kid": "a b"}, "a kid is"),
    ],
)
def test_a_key_that_is_not_taken_is_a_problem(wrong: Entry, words: str):
    (problem,) = problems_of(entry("HS256"), wrong)
    assert problem.startswith("AUTHKIT['JWT_SIGNING_KEYS'][1]: ")
    assert words in problem
    with pytest.raises(ImproperlyConfigured, match="JWT_SIGNING_KEYS"):
        ring_of(entry("HS256"), wrong)


@pytest.mark.parametrize("as_octets", [False, True])
def test_secret_key_is_no_signing_key(as_octets: bool):
    for secret in (django_settings.SECRET_KEY, OTHER):
        material = secret.encode() if as_octets else secret
        with override_settings(SECRET_KEY_FALLBACKS=[OTHER]):
            (problem,) = problems_of({"alg": "HS256", "key": material})
        assert "SECRET_KEY must not sign tokens" in problem
        assert secret not in problem


def test_the_first_key_must_be_able_to_sign():
    (problem,) = problems_of({"alg": "EdDSA", "key": public_pem(material("EdDSA"))})
    assert "must be a private key" in problem


def test_two_keys_must_not_share_an_id():
    (problem,) = problems_of(entry("HS256", 1, kid="blue"), entry("HS256", 2, kid="blue"))
    assert "2 keys have the kid 'blue'" in problem
    assert len(problems_of(entry("EdDSA"), entry("EdDSA"))) == 1


def test_all_problems_are_named_at_once():
    assert len(problems_of({}, {"alg": "HS256", "key": "short"}, entry("HS256"))) == 2


def test_no_problem_and_no_representation_shows_a_secret():
    secret = "hunter2-" * 3
    assert secret not in "".join(problems_of({"alg": "HS256", "key": secret}))
    ring = ring_of(entry("HS256"), entry("RS256"))
    shown = f"{ring!r}{ring}{vars(keys)!r}"
    for text in (material("HS256"), *material("RS256").splitlines()[1:-1]):
        assert text not in shown
    assert repr(ring.token_id_secret) not in shown


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_a_key_without_an_id_is_called_by_its_thumbprint(alg: str):
    assert ring_of(entry(alg)).access_signing.kid == key(alg).verifying.kid
    assert len(key(alg).verifying.kid) == 43
