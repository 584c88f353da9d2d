"""npm's oidc-provider, a certified OpenID provider, as a process of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authkit.models import AuditEvent, SocialAccount
from authkit.social import provider_tokens
from tests import npm
from tests.social.visitor import CALLBACK, Visitor
from tests.social.walking import back_from

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HERE = Path(__file__).parent / "certified"
SLUGS = ("house", "plain", "second")
SECRET = "a secret of the tests, long enough"
_PATIENCE = 60


@pytest.fixture(scope="session")
def installed(request: pytest.FixtureRequest) -> Path:
    """The folder in which oidc-provider is installed, once for all test runs."""
    folder = npm.installed(request.config, "certified-provider", HERE / "package.json")
    shutil.copy(HERE / "op.mjs", folder / "op.mjs")
    return folder


@pytest.fixture(scope="module")
def issuer(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("certified") / "log"
    callbacks = [CALLBACK.format(slug) for slug in SLUGS]
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", "op.mjs", *callbacks], cwd=installed, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        found = None
        while found is None and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
            found = re.search(r"Listening at: (\S+)", log.read_text())
        assert found, log.read_text()
        yield found[1]
    finally:
        process.terminate()
        process.wait(_PATIENCE)


@pytest.fixture
def certified(offer: Any, issuer: str, settings: Any) -> Any:
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_TIMEOUT": 20}

    def make(**fields: Any) -> Any:
        usual = {"issuer": issuer, "client_id": "confidential", "secret": SECRET}
        return offer(**{**usual, **fields})

    return make


def _come_back(visitor: Visitor, slug: str = "house", **more: str) -> dict[str, str]:
    url = visitor.begin(slug)["authorization_url"]
    return back_from(url, redirect_uri=CALLBACK.format(slug), **more)


@pytest.mark.parametrize("deliver", ["token", "jwt"])
def test_the_whole_way_over_json(certified, issuer, deliver):
    certified(scopes=["groups"])
    visitor = Visitor()
    given = _come_back(visitor)
    assert given["iss"] == issuer
    answer = visitor.complete(given, deliver=deliver)
    assert answer.status_code == 200, answer.content
    account = SocialAccount.objects.get()
    assert (account.issuer, account.subject, account.email) == (issuer, "vera", "vera@example.org")
    assert account.claims["groups"] == ["writers"]


def test_the_whole_way_by_redirects(certified):
    certified()
    visitor = Visitor()
    begun = visitor.client.get("/auth/social/house/login/", {"next": "/there/"})
    given = back_from(begun["Location"], redirect_uri=CALLBACK.format("house"))
    answer = visitor.client.get("/auth/social/house/callback/", given)
    assert (answer.status_code, answer["Location"]) == (302, "/there/")
    assert visitor.get("/auth/session/").json()["user"]["email"] == "vera@example.org"


def test_a_public_client(certified):
    certified(slug="plain", client_id="public", secret="")
    visitor = Visitor()
    answer = visitor.complete(_come_back(visitor, "plain"), "plain")
    assert answer.status_code == 200, answer.content


def test_two_people_are_two(certified):
    certified()
    ids = set()
    for name in ("vera", "walter", "vera"):
        visitor = Visitor()
        ids.add(visitor.complete(_come_back(visitor, login_hint=name)).json()["user"]["id"])
    assert len(ids) == 2


def test_saying_no(certified):
    certified()
    visitor = Visitor()
    answer = visitor.complete(_come_back(visitor, login_hint="deny"))
    assert (answer.status_code, answer.json()["code"]) == (403, "social_declined")
    assert AuditEvent.objects.get(kind="login.failed").data["said"].endswith("no, thank you")


def test_a_code_works_once(certified):
    certified()
    visitor = Visitor()
    first, second = _come_back(visitor), _come_back(visitor)
    assert visitor.complete(first).status_code == 200
    answer = visitor.complete({**second, "code": first["code"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "social_state_not_valid")


def test_a_wrong_secret_is_the_administrators_to_mend(certified):
    certified(secret="another secret altogether")
    visitor = Visitor()
    answer = visitor.complete(_come_back(visitor))
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_misconfigured")
    assert AuditEvent.objects.get(kind="login.failed").data["reason"] == "invalid_setting"


def test_its_tokens_are_kept_where_asked_for(certified):
    certified(keeps_tokens=True)
    visitor = Visitor()
    visitor.complete(_come_back(visitor))
    assert provider_tokens.access_token_of(SocialAccount.objects.get())
