"""Attacks on a site of several worker processes, which counts in its database alone."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from authkit.accounts.guessing import STEP
from authkit.kernel import opaque
from tests.api.test_bodies import BROKEN
from tests.people import PASSWORD
from tests.races.site import (
    CALLERS,
    WORKERS,
    Line,
    Request,
    Site,
    at_once,
    figures,
    make_person,
    rounds,
    sign_in,
)
from tests.races.stage import Stage

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

LIMIT = 7
TRIES = 60
RECENT = 2  # seconds
SCOPES = ("registration", "password_reset", "verification", "token", "social", "mail")
SETTINGS: dict[str, object] = {
    "LIMITS": {scope: [LIMIT, 86_400] for scope in SCOPES},
    "RECENT_SIGN_IN": RECENT,
}
PATHS = [
    *("session/", "token/", "jwt/", "jwt/refresh/", "jwt/verify/", "register/", "email/verify/"),
    *("email/verify/resend/", "password/reset/", "password/reset/confirm/", "introspect/"),
    *("revoke/", "tokens/", "email/change/", "password/change/", "reauthenticate/"),
    "social/house/begin/",
]


@pytest.fixture
def limited_site(stage: Stage) -> Iterator[Site]:
    """Each test comes from addresses of its own: the proxy in front is believed."""
    found = stage.site(TRUSTED_PROXIES=["127.0.0.1"], **SETTINGS)
    yield found
    found.hang_up()


@pytest.fixture
def address() -> str:
    """An address of its own for each test."""
    return f"2001:db8:{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}::1"


def _post(path: str, **body: object) -> Request:
    return Request("POST", f"/auth/{path}", body)


def _register(number: int) -> Request:
    name = f"{secrets.token_hex(8)}{number}"
    given = {"username": name, "email": f"{name}@example.org"}
    return _post("register/", **given, password="seven rainy tuesdays")


def _made_up_token(number: int) -> Request:
    text = opaque.mint("ak_", random=secrets.token_bytes).text
    return Request("GET", "/who/", headers={"Authorization": f"Bearer {text}"})


#: What costs each time, whoever asks: a request of each kind, never the same twice.
COSTLY: dict[str, Callable[[int], Request]] = {
    "registration": _register,
    "reset": lambda n: _post("password/reset/", email=f"{secrets.token_hex(8)}@example.org"),
    "a key": lambda n: _post("email/verify/", key=secrets.token_urlsafe()),
    "a key of a reset": lambda n: _post(
        "password/reset/confirm/", key=secrets.token_urlsafe(), new_password="seven rainy tuesdays"
    ),
    "social begin": lambda n: _post("social/house/begin/"),
}


def _passed(lines: list[Line], made: list[Request], addresses: list[str]) -> int:
    """How many of so many that come at once are not one too many."""
    answers: Counter[int] = Counter()
    sent = [
        Request(each.method, each.path, each.body, {**each.headers, "X-Forwarded-For": address})
        for each, address in zip(made, addresses, strict=True)
    ]
    for start in range(0, len(sent), len(lines)):
        some = sent[start : start + len(lines)]
        answers.update(answer.status for answer in at_once(lines[: len(some)], some))
    figures.info("%s at once: %s", len(sent), dict(answers))
    return len(sent) - answers[429]


@pytest.mark.parametrize("what", COSTLY)
def test_of_many_at_once_no_more_get_through_than_the_limit_says(
    what: str, limited_site: Site, address: str
):
    lines = limited_site.lines(CALLERS)
    offered = {"slug": "house", "is_enabled": True, "kind": "github", "name": "H"}
    assert lines[0].call("POST", "/providers/", {**offered, "client_id": "c"}).status == 200
    made = [COSTLY[what](number) for number in range(TRIES)]
    assert _passed(lines, made, [address] * TRIES) == LIMIT


def test_mails_to_one_address_end_wherever_they_are_asked_for(limited_site: Site):
    lines = limited_site.lines(CALLERS)
    username = make_person(lines[0])
    request = _post("password/reset/", email=f"{username}@example.com")
    addresses = [f"2001:db8:ffff:{secrets.randbelow(65_536):x}::{n}" for n in range(TRIES)]
    assert _passed(lines, [request] * TRIES, addresses) == LIMIT


def test_made_up_tokens_come_to_an_end(limited_site: Site, address: str):
    """Each process tells the database of so many at a time, and may learn of the end late."""
    lines = limited_site.lines(CALLERS)
    count = 4 * STEP + WORKERS * STEP
    made = [_made_up_token(number) for number in range(count)]
    under_way = CALLERS  # while a process tells the database, these are being answered
    assert _passed(lines, made, [address] * count) <= STEP + WORKERS * STEP + under_way
    assert _passed(lines, made[:1], [address]) in {0, 1}


@pytest.mark.parametrize("path", PATHS)
def test_no_body_breaks_a_worker(path: str, limited_site: Site, address: str):
    for body in BROKEN.values():
        line = limited_site.line()  # one is closed after a body that was not read
        line.send("POST", f"/auth/{path}", body, **{"X-Forwarded-For": address})
        assert 400 <= line.receive().status < 500


def test_what_is_dangerous_asks_for_a_recent_sign_in_at_every_worker(limited_site: Site):
    lines = limited_site.lines(WORKERS)
    for _ in range(rounds(1, 20)):
        username = make_person(lines[0])
        held = sign_in(lines[0], username)
        time.sleep(RECENT + 0.5)
        make = _post("tokens/", name="script")
        asked = Request(make.method, make.path, make.body, held.headers)
        assert {answer.status for answer in at_once(lines, [asked] * len(lines))} == {403}
        wrong, right = {"password": "wrong"}, {"password": PASSWORD}
        again = "/auth/reauthenticate/"
        assert lines[0].call("POST", again, wrong, **held.headers).status == 400
        assert {answer.status for answer in at_once(lines, [asked] * len(lines))} == {403}
        access = lines[0].call("POST", again, right, **held.headers).json["access"]
        asked.headers["Authorization"] = f"Bearer {access}"
        assert lines[-1].call(*asked.what, **asked.headers).status == 201


def test_a_forged_address_counts_for_who_forges_it(stage: Stage):
    """No proxy is trusted: whatever the header says, all come from here."""
    site = stage.site(**SETTINGS)
    lines = site.lines(CALLERS)
    made = [COSTLY["a key"](number) for number in range(TRIES)]
    forged = [f"203.0.113.{number}" for number in range(TRIES)]
    assert _passed(lines, made, forged) <= LIMIT
    assert _passed(lines, made, forged) == 0
    site.hang_up()
