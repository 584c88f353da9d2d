"""Many come back from a provider at once, to several processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from tests.races.site import CALLERS, WORKERS, Answer, Line, Request, Site, at_once, rounds
from tests.races.stage import Stage
from tests.social.liar import Liar
from tests.social.liar import serving as providing

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]


_SETTINGS: dict[str, Any] = {
    "SOCIAL_ALLOWED_NETWORKS": ["127.0.0.0/8"],
    "SOCIAL_TIMEOUT": 30,
    "LIMITS": {"social": (1_000_000, 900)},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Liar]:
    with providing() as liar:
        yield liar


@pytest.fixture
def offered(stage: Stage, provider: Liar) -> Iterator[tuple[Site, Liar]]:
    """A site that offers one provider, which everybody reaches on loopback."""
    site = stage.site(**_SETTINGS)
    _offer(site.line(), provider)
    provider.subject = uuid4().hex
    provider.person = {"email": f"{provider.subject}@example.org", "email_verified": True}
    yield site, provider
    site.hang_up()


def _offer(line: Line, liar: Liar, slug: str = "house", **fields: Any) -> None:
    usual = {"kind": "oidc", "name": "H", "issuer": liar.issuer, "client_id": liar.client_id}
    body = {"slug": slug, "is_enabled": True, **usual, **fields}
    assert line.call("POST", "/providers/", body).status == 200


def _begun(line: Line, liar: Liar, slug: str = "house", **body: Any) -> dict[str, Any]:
    """What a client sends in the end, having begun and been at the provider."""
    headers = body.pop("headers", {})
    begun = line.call("POST", f"/auth/social/{slug}/begin/", body, **headers).json
    given = liar.authorize(begun["authorization_url"])
    return {**given, "transaction": begun["transaction"], "deliver": "token"}


def _complete(given: dict[str, Any], slug: str = "house") -> Request:
    return Request("POST", f"/auth/social/{slug}/complete/", given)


def _statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_many_first_callbacks_of_one_identity_make_one_person(offered: tuple[Site, Liar]):
    site, liar = offered
    lines = site.lines(CALLERS)
    for _ in range(rounds(3, 50)):
        liar.subject = uuid4().hex
        liar.person["email"] = f"{liar.subject}@example.org"
        requests = [_complete(_begun(line, liar)) for line in lines]
        answers = at_once(lines, requests)
        assert _statuses(answers) == {200: CALLERS}, [answer.body for answer in answers]
        assert len({answer.json["user"]["id"] for answer in answers}) == 1
        assert sum(answer.json["is_new"] for answer in answers) == 1


def test_of_many_that_bring_one_state_one_gets_in(offered: tuple[Site, Liar]):
    site, liar = offered
    lines = site.lines(CALLERS)
    for _ in range(rounds(5, 100)):
        given = _begun(lines[0], liar)
        answers = at_once(lines, [_complete(given)] * CALLERS)
        assert _statuses(answers) == {200: 1, 403: CALLERS - 1}


def test_of_two_last_ways_in_one_stays(offered: tuple[Site, Liar]):
    site, liar = offered
    lines = site.lines(2 * WORKERS)
    _offer(lines[0], liar, "second")
    for _ in range(rounds(5, 100)):
        liar.subject = uuid4().hex
        liar.person["email"] = f"{liar.subject}@example.org"
        answer = lines[0].call(*_complete(_begun(lines[0], liar)).what)
        headers = {"Authorization": f"Bearer {answer.json['token']}"}
        given = _begun(lines[0], liar, "second", link=True, headers=headers)
        linked = lines[0].call(*_complete(given, "second").what, **headers)
        assert linked.status == 200, linked.body
        accounts = lines[0].call("GET", "/auth/social/", **headers).json["accounts"]
        assert len(accounts) == 2
        requests = [
            Request("DELETE", f"/auth/social/accounts/{account['id']}/", headers=headers)
            for account in accounts
        ]
        assert _statuses(at_once(lines[:2], requests)) == {204: 1, 409: 1}


def test_a_provider_that_is_switched_off_is_off_in_every_process(offered: tuple[Site, Liar]):
    site, liar = offered
    lines = site.lines(2 * WORKERS)
    given = [_begun(line, liar) for line in lines]
    _offer(lines[0], liar, is_enabled=False)
    begin = Request("POST", "/auth/social/house/begin/", {})
    assert _statuses(at_once(lines, [begin] * len(lines))) == {404: len(lines)}
    assert _statuses(at_once(lines, [_complete(each) for each in given])) == {404: len(lines)}
    _offer(lines[0], liar)
    assert _statuses(at_once(lines, [begin] * len(lines))) == {200: len(lines)}


def test_a_provider_that_hangs_holds_up_nobody_else(offered: tuple[Site, Liar]):
    """All others begin, and write to the database, before it answers the first."""
    site, liar = offered
    lines = site.lines(3)
    given, may_answer = _begun(lines[0], liar), Event()

    def late() -> Any:
        may_answer.wait(20)
        del liar.answers["/token"]
        return liar.answer("/token", liar.bodies["/token"], {})

    liar.answers["/token"] = late
    begin = Request("POST", "/auth/social/house/begin/", {})
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(lambda: at_once([lines[0]], [_complete(given)]))
        for _ in range(5):
            assert _statuses(at_once(lines[1:], [begin] * 2)) == {200: 2}
        assert not hanging.done()
        may_answer.set()
        assert _statuses(hanging.result()) == {200: 1}
