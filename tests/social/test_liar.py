"""A provider that lies: refused each time, nobody signed in, nothing changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth import get_user_model

from authkit.models import AuditEvent, SocialAccount, UserSession
from tests.social.liar import KEY, KID, OTHER_KEY, Liar, as_json, jwk
from tests.social.visitor import Visitor

pytestmark = pytest.mark.django_db


def _forged(claims: dict[str, Any], header: dict[str, Any], secret: bytes | None) -> str:
    def segment(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{segment(header)}.{segment(claims)}"
    mac = b"" if secret is None else hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _pem() -> bytes:
    return KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _of_another_key(liar: Liar) -> None:
    liar.sign = lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": KID})


def _none(liar: Liar) -> None:
    liar.sign = lambda claims: _forged(claims, {"alg": "none", "kid": KID}, None)


def _hmac_with_public_key(liar: Liar) -> None:
    liar.sign = lambda claims: _forged(claims, {"alg": "HS256", "kid": KID}, _pem())


def _hmac_with_client_secret(liar: Liar) -> None:
    secret = liar.secret.encode()
    liar.sign = lambda claims: _forged(claims, {"alg": "HS256", "kid": KID}, secret)


def _published_hmac_key(liar: Liar) -> None:
    secret = b"0" * 32
    k = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    liar.keys = [{"kty": "oct", "k": k, "kid": KID, "alg": "HS256"}]
    liar.sign = lambda claims: _forged(claims, {"alg": "HS256", "kid": KID}, secret)


def _own_key_in_header(liar: Liar) -> None:
    header = {"kid": "mine", "jwk": jwk(OTHER_KEY)}
    liar.sign = lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", headers=header)


def _key_for_encryption(liar: Liar) -> None:
    liar.keys = [jwk(use="enc")]


LIES: dict[str, Any] = {
    "issuer of the token": lambda liar: liar.id_token.update(iss="https://accounts.google.com"),
    "issuer of the document": lambda liar: liar.discovery.update(issuer="https://else.example"),
    "no issuer in the document": lambda liar: liar.discovery.update(issuer=None),
    "audience": lambda liar: liar.id_token.update(aud="somebody else"),
    "no audience": lambda liar: liar.id_token.update(aud=None),
    "audiences without azp": lambda liar: liar.id_token.update(aud=[liar.client_id, "x"]),
    "azp": lambda liar: liar.id_token.update(azp="somebody else"),
    "nonce": lambda liar: liar.id_token.update(nonce="another"),
    "no nonce": lambda liar: liar.id_token.update(nonce=None),
    "nonce is a list": lambda liar: liar.id_token.update(nonce=["a"]),
    "expired": lambda liar: liar.id_token.update(exp=int(time.time()) - 60),
    "no expiry": lambda liar: liar.id_token.update(exp=None),
    "expiry is a text": lambda liar: liar.id_token.update(exp="soon"),
    "issued long ago": lambda liar: liar.id_token.update(iat=int(time.time()) - 3600),
    "issued tomorrow": lambda liar: liar.id_token.update(iat=int(time.time()) + 86400),
    "not yet valid": lambda liar: liar.id_token.update(nbf=int(time.time()) + 3600),
    "at_hash": lambda liar: liar.id_token.update(at_hash="AAAA"),
    "no subject": lambda liar: liar.id_token.update(sub=None),
    "an empty subject": lambda liar: liar.id_token.update(sub=""),
    "a subject that is a list": lambda liar: liar.id_token.update(sub=["subject-1"]),
    "an endless subject": lambda liar: liar.id_token.update(sub="x" * 300),
    "a subject with NUL": lambda liar: liar.id_token.update(sub="a\0b"),
    "userinfo of somebody else": lambda liar: liar.userinfo.update(sub="subject-2"),
    "userinfo without a subject": lambda liar: liar.userinfo.update(sub=None),
    "signed by another key": _of_another_key,
    "alg none": _none,
    "HS256 with the public key": _hmac_with_public_key,
    "HS256 with the client secret": _hmac_with_client_secret,
    "a published HMAC key": _published_hmac_key,
    "its own key in the header": _own_key_in_header,
    "a key for encryption": _key_for_encryption,
    "no keys": lambda liar: liar.keys.clear(),
    "keys that are none": lambda liar: liar.keys.__setitem__(0, {"kty": "RSA", "kid": KID}),
    "no id_token": lambda liar: liar.token.update(id_token=None),
    "id_token is a number": lambda liar: liar.token.update(id_token=5),
    "id_token is no JWT": lambda liar: liar.token.update(id_token="a.b"),
    "no access_token": lambda liar: liar.token.update(access_token=None),
    "keys elsewhere": lambda liar: liar.discovery.update(jwks_uri="http://169.254.169.254/keys"),
    "token endpoint inside": lambda liar: liar.discovery.update(token_endpoint="http://10.0.0.1/"),
    "script for an address": lambda liar: liar.discovery.update(
        authorization_endpoint="javascript:alert(1)"
    ),
}

_HUGE = b'{"x": "' + b"a" * (2 * 1024 * 1024) + b'"}'
_BROKEN: dict[str, Any] = {
    "huge": lambda: (200, {"Content-Type": "application/json"}, _HUGE),
    "slow": lambda: None,
    "redirect": lambda: (302, {"Location": "http://169.254.169.254/"}, b""),
    "no JSON": lambda: (200, {"Content-Type": "text/html"}, b"<h1>Hello</h1>"),
    "a list": lambda: as_json([1, 2, 3]),
    "null": lambda: as_json(None),
    "a text": lambda: as_json("hello"),
    "deep": lambda: (200, {"Content-Type": "application/json"}, b"[" * 100_000),
    "not UTF-8": lambda: (200, {"Content-Type": "application/json"}, b"\xff\xfe\x00"),
    "server error": lambda: as_json({"error": "<script>alert(1)</script>"}, 500),
    "not found": lambda: as_json({}, 404),
    "too many requests": lambda: as_json({}, 429),
    "gzip": lambda: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b" + b"0" * 100),
}
PATHS = ("/.well-known/openid-configuration", "/jwks", "/token", "/me")


def _attempt(visitor: Visitor, liar: Liar) -> Any:
    """Begin and complete; the answer that refused."""
    begun = visitor.post("/auth/social/house/begin/", {})
    if begun.status_code != 200:
        return begun
    return visitor.complete(liar.authorize(begun.json()["authorization_url"]))


def _assert_nothing_happened(answer: Any) -> None:
    assert answer.status_code in {401, 403, 502, 503}, (answer.status_code, answer.content)
    body = answer.json()
    assert set(body) == {"code", "detail"}, body
    assert "script" not in answer.content.decode()
    assert not SocialAccount.objects.exists()
    assert not UserSession.objects.exists()
    assert not get_user_model().objects.exclude(is_superuser=True).exists()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_and_changes_nothing(offer, liar, lie):
    offer()
    LIES[lie](liar)
    _assert_nothing_happened(_attempt(Visitor(), liar))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", _BROKEN)
def test_a_broken_answer_is_refused_and_changes_nothing(offer, liar, path, how, settings):
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_TIMEOUT": 1}
    offer()
    liar.answers[path] = _BROKEN[how]
    started = time.monotonic()
    answer = _attempt(Visitor(), liar)
    assert time.monotonic() - started < 3
    _assert_nothing_happened(answer)


def test_a_lie_is_audited_with_its_reason(offer, liar):
    offer()
    liar.id_token["aud"] = "somebody else"
    _attempt(Visitor(), liar)
    event = AuditEvent.objects.get(kind="login.failed")
    assert event.data["provider"] == "house"
    assert event.data["reason"] == "invalid_claim (aud)"


def test_the_superusers_address_opens_nothing(offer, liar, superuser):
    offer()
    liar.person["email"] = superuser.email
    answer = Visitor().sign_in(liar)
    assert answer.status_code == 202
    assert answer.json()["code"] == "social_link_needed"
    assert not SocialAccount.objects.exists()
    assert not UserSession.objects.exists()


def test_an_unverified_address_of_somebody_else_is_not_taken(offer, liar, superuser):
    offer(sign_up="anyone")
    liar.person |= {"email": superuser.email, "email_verified": False}
    answer = Visitor().sign_in(liar)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] != superuser.pk
    assert answer.json()["user"]["email"] == ""


@pytest.mark.parametrize("claim", ["is_superuser", "is_staff", "groups", "user_permissions"])
def test_claims_make_nobody_powerful(offer, liar, claim):
    offer()
    liar.person[claim] = True
    assert Visitor().sign_in(liar).status_code == 200
    person = get_user_model().objects.get()
    assert (person.is_staff, person.is_superuser) == (False, False)


def test_at_hash_goes_with_the_access_token(offer, liar):
    offer()
    liar.token["access_token"] = "another one"
    _assert_nothing_happened(_attempt(Visitor(), liar))
    half = hashlib.sha256(b"another one").digest()[:16]
    liar.id_token["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert Visitor().sign_in(liar).status_code == 200


def test_a_new_key_of_the_provider_is_found(offer, liar, monkeypatch):
    offer()
    assert Visitor().sign_in(liar).status_code == 200
    monkeypatch.setattr("authkit.social.discovery._KEYS_AGAIN_AFTER", 0.0)
    liar.keys = [jwk(OTHER_KEY, kid="k2")]
    liar.sign = lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": "k2"})
    assert Visitor().sign_in(liar).status_code == 200
