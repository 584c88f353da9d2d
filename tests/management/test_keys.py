"""``manage.py authkit keys``."""

from __future__ import annotations

import ast
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from authkit.jwt import keys
from authkit.testing import client_for

ALGORITHMS = ["EdDSA", "ES256", "RS256", "HS256"]
SECRET = "a secret of thirty-two octets, or rather more"


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("authkit", "keys", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def generate(algorithm: str) -> dict[str, str]:
    entry: dict[str, str] = json.loads(run("generate", "--algorithm", algorithm)[0])
    return entry


def ring_of(*entries: Any) -> Any:
    return override_settings(AUTHKIT={"JWT_SIGNING_KEYS": list(entries)})


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_generated_entry_can_be_pasted_and_signs(person, algorithm):
    entry = generate(algorithm)
    with ring_of(entry):
        assert run("check")[1] == ""
        ring = keys.ring()
        assert (ring.access_signing.alg, ring.access_signing.kid) == (algorithm, entry["kid"])
        assert client_for(person, "jwt").get("/auth/me/").status_code == 200


def test_an_entry_is_python_as_well_as_json_and_the_explanation_is_apart():
    out, err = run("generate")
    assert ast.literal_eval(out) == json.loads(out)
    assert json.loads(out)["alg"] == "EdDSA"
    assert "JWT_SIGNING_KEYS" in err


def test_no_two_keys_are_the_same():
    assert generate("HS256") != generate("HS256")


@pytest.mark.django_db
def test_a_new_key_in_front_signs_nobody_out(person):
    old, new = generate("ES256"), generate("EdDSA")
    with ring_of(old):
        client = client_for(person, "jwt")
    with ring_of(new, old):
        assert client.get("/auth/me/").status_code == 200
    with ring_of(new):
        assert client.get("/auth/me/").status_code == 401


def test_the_list_shows_what_signs_and_what_verifies_and_no_key():
    first, second = generate("EdDSA"), generate("RS256")
    secret = {"alg": "HS256", "kid": "old", "key": SECRET}
    with ring_of(first, second, secret):
        out, err = run("list")
    rows = [line.split(None, 3) for line in out.splitlines()[1:]]
    assert [row[:3] for row in rows[:3]] == [
        ["access", "EdDSA", first["kid"]],
        ["access", "RS256", second["kid"]],
        ["access", "HS256", "old"],
    ]
    assert [row[3].split("  ")[0] for row in rows] == [
        "signs, verifies",
        "verifies",
        "verifies",
        "signs, verifies",
    ]
    for entry in (first, second, secret):
        assert not any(line in out + err for line in entry["key"].splitlines() if line)


def test_without_a_ring_the_list_says_where_the_keys_come_from():
    out, _ = run("list")
    assert [line.split()[-1] for line in out.splitlines()[1:]] == ["SECRET_KEY", "SECRET_KEY"]


def test_each_problem_is_said_and_no_key_is():
    bad = [{"alg": "HS256", "key": "short"}, {"alg": "none", "key": SECRET}]
    err = io.StringIO()
    with ring_of(*bad), pytest.raises(CommandError, match="not usable"):
        call_command("authkit", "keys", "check", stderr=err)
    assert "[0]" in err.getvalue()
    assert "[1]" in err.getvalue()
    assert SECRET not in err.getvalue()
