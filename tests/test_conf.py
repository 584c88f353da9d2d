"""Settings: typed, read when used, and wrong ones named with their mend."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from authkit import conf

#: As the contract has them.
DEFAULTS: dict[str, object] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "SESSION_LIFETIME": timedelta(days=90),
    "REFRESH_GRACE": timedelta(seconds=10),
    "JWT_REVOCATION": "denylist",
    "MAX_STALENESS": timedelta(seconds=1),
    "JWT_SIGNING_KEYS": (),
    "JWT_USER_CLAIMS": ("email",),
    "TOKEN_LIFETIME": timedelta(days=30),
    "TOKEN_PREFIX": "ak_",
    "LOGIN_FAILURE_LIMIT": 5,
    "LOGIN_FAILURE_WINDOW": timedelta(minutes=15),
    "TRUSTED_PROXIES": (),
    "FRONTEND_URL": None,
}

#: A value that each kind of key takes, and what it becomes.
TAKEN: list[tuple[str, object, object]] = [
    ("ACCESS_TOKEN_LIFETIME", 60, timedelta(minutes=1)),
    ("ACCESS_TOKEN_LIFETIME", 1.5, timedelta(seconds=1.5)),
    ("ACCESS_TOKEN_LIFETIME", timedelta(days=1), timedelta(days=1)),
    ("REFRESH_GRACE", 0, timedelta(0)),
    ("MAX_STALENESS", 0, timedelta(0)),
    ("MAX_STALENESS", timedelta(seconds=60), timedelta(minutes=1)),
    ("SESSION_LIFETIME", timedelta(days=3650), timedelta(days=3650)),
    ("JWT_REVOCATION", "stateless", "stateless"),
    ("JWT_REVOCATION", "stateful", "stateful"),
    ("JWT_ISSUER", "https://id.example", "https://id.example"),
    ("JWT_AUDIENCE", "api", "api"),
    ("JWT_USER_CLAIMS", [], ()),
    ("JWT_USER_CLAIMS", ("email", "first_name"), ("email", "first_name")),
    ("TOKEN_PREFIX", "demo_", "demo_"),
    ("PERSONAL_TOKEN_LIMIT", 1, 1),
    ("LOGIN_FAILURE_LIMIT", 100, 100),
    ("FRONTEND_URL", None, None),
    ("FRONTEND_URL", "https://app.example", "https://app.example"),
]

#: A value that a key does not take.
REFUSED: list[tuple[str, object]] = [
    ("ACCESS_TOKEN_LIFETIME", 0),
    ("ACCESS_TOKEN_LIFETIME", -1),
    ("ACCESS_TOKEN_LIFETIME", "5 minutes"),
    ("ACCESS_TOKEN_LIFETIME", None),
    ("ACCESS_TOKEN_LIFETIME", True),
    ("ACCESS_TOKEN_LIFETIME", float("inf")),
    ("ACCESS_TOKEN_LIFETIME", float("nan")),
    ("ACCESS_TOKEN_LIFETIME", 1e300),
    ("ACCESS_TOKEN_LIFETIME", 10**400),
    ("ACCESS_TOKEN_LIFETIME", timedelta(days=1, seconds=1)),
    ("REFRESH_TOKEN_LIFETIME", timedelta(days=3651)),
    ("REFRESH_GRACE", -1),
    ("REFRESH_GRACE", 61),
    ("MAX_STALENESS", 61),
    ("MAX_STALENESS", "0"),
    ("JWT_REVOCATION", "none"),
    ("JWT_REVOCATION", ["denylist"]),
    ("JWT_REVOCATION", None),
    ("JWT_ISSUER", ""),
    ("JWT_ISSUER", b"x"),
    ("JWT_ISSUER", "x" * 256),
    ("JWT_AUDIENCE", ["a", "b"]),
    ("JWT_SIGNING_KEYS", "secret"),
    ("JWT_SIGNING_KEYS", ["secret"]),
    ("JWT_SIGNING_KEYS", {"alg": "HS256"}),
    ("JWT_SIGNING_KEYS", None),
    ("JWT_USER_CLAIMS", "email"),
    ("JWT_USER_CLAIMS", [1]),
    ("JWT_USER_CLAIMS", [""]),
    ("TOKEN_PREFIX", ""),
    ("TOKEN_PREFIX", "ak-"),
    ("TOKEN_PREFIX", "a.b.c"),
    ("TOKEN_PREFIX", "ak "),
    ("TOKEN_PREFIX", "é_"),
    ("TOKEN_PREFIX", "x" * 17),
    ("PERSONAL_TOKEN_LIMIT", 0),
    ("PERSONAL_TOKEN_LIMIT", 10_001),
    ("PERSONAL_TOKEN_LIMIT", 1.0),
    ("LOGIN_FAILURE_LIMIT", True),
    ("LOGIN_FAILURE_LIMIT", "5"),
    ("TRUSTED_PROXIES", "10.0.0.1"),
    ("TRUSTED_PROXIES", ["proxy.example"]),
    ("TRUSTED_PROXIES", ["10.0.0.1/8"]),
    ("TRUSTED_PROXIES", [10]),
    ("FRONTEND_URL", ""),
    ("FRONTEND_URL", 1),
    ("PROFILE_FIELDS", "first_name"),
    ("AUDIT_RETENTION", 0),
]


@pytest.mark.parametrize(("key", "default"), DEFAULTS.items())
def test_every_key_is_optional_and_has_the_default_of_the_contract(key: str, default: object):
    with override_settings(AUTHKIT={}):
        assert getattr(conf.get(), key.lower()) == default
        assert conf.default_of(key) == default


def test_the_whole_setting_is_optional():
    with override_settings(AUTHKIT={}):
        delattr(settings, "AUTHKIT")
        conf.get.cache_clear()
        assert conf.get() == conf.Settings()


def test_every_key_has_a_meaning_in_words():
    for key, entry in conf.SPECIFICATION.items():
        assert re.fullmatch("[A-Z_]+", key)
        assert entry.metadata["meaning"].endswith(".")


@pytest.mark.parametrize(("key", "value", "expected"), TAKEN)
def test_a_value_of_the_right_type_is_taken(key: str, value: object, expected: object):
    with override_settings(AUTHKIT={key: value}):
        assert getattr(conf.get(), key.lower()) == expected


def test_networks_are_parsed():
    with override_settings(AUTHKIT={"TRUSTED_PROXIES": ["10.0.0.0/8", "::1"]}):
        assert [str(each) for each in conf.get().trusted_proxies] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(("key", "value"), REFUSED)
def test_a_wrong_value_is_named_with_its_mend_and_nothing_works_with_it(key: str, value: object):
    [problem] = conf.problems_of({key: value})
    assert (problem.kind, problem.key) == ("wrong", key)
    assert key in problem.message
    assert problem.mend.startswith("It takes ")
    with override_settings(AUTHKIT={key: value}), pytest.raises(ImproperlyConfigured, match=key):
        conf.get()


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        ("ACCESS_TOKEN_LIFETIM", "Did you mean 'ACCESS_TOKEN_LIFETIME'?"),
        ("access_token_lifetime", "Did you mean 'ACCESS_TOKEN_LIFETIME'?"),
        ("JWT_REVOKATION", "Did you mean 'JWT_REVOCATION'?"),
        ("ZZZ", "The keys are "),
        (1, "The keys are "),
        (None, ""),
        ("", ""),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known(key: Any, mend: str):
    [problem] = conf.problems_of({key: 1})
    assert problem.kind == "unknown"
    assert problem.mend.startswith(mend)
    with override_settings(AUTHKIT={key: 1}), pytest.raises(ImproperlyConfigured):
        conf.get()


@pytest.mark.parametrize("given", [None, [], "x", 1, [("TOKEN_PREFIX", "ak_")]])
def test_anything_but_a_dictionary_is_refused(given: Any):
    [problem] = conf.problems_of(given)
    assert problem.kind == "type"
    with override_settings(AUTHKIT=given), pytest.raises(ImproperlyConfigured):
        conf.get()


def test_all_problems_are_told_at_once():
    wrong = {"MAX_STALENESS": -1, "TOKEN_PREFIX": "", "X": 1}
    assert [problem.key for problem in conf.problems_of(wrong)] == list(wrong)


def test_settings_are_read_when_used():
    assert conf.get().token_prefix == "ak_"
    with override_settings(AUTHKIT={"TOKEN_PREFIX": "a_"}):
        assert conf.get().token_prefix == "a_"
        with override_settings(AUTHKIT={"TOKEN_PREFIX": "b_"}):
            assert conf.get().token_prefix == "b_"
        assert conf.get().token_prefix == "a_"
    assert conf.get().token_prefix == "ak_"


def test_settings_are_parsed_once():
    assert conf.get() is conf.get()


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        conf.get().token_prefix = "x"  # type: ignore[misc]


def test_no_problem_and_no_repr_shows_a_key():
    secret = "canary-of-a-signing-key"
    entry = {"alg": "HS256", "key": secret}
    for given in ({"JWT_SIGNING_KEYS": secret}, {"JWT_SIGNING_KEYS": [secret]}):
        assert secret not in str(conf.problems_of(given))
    with override_settings(AUTHKIT={"JWT_SIGNING_KEYS": [entry]}):
        assert secret not in repr(conf.get())
        assert secret in json.dumps([dict(each) for each in conf.get().jwt_signing_keys])
