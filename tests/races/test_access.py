"""A change of access, seen by every process: at the next request, or within MAX_STALENESS."""

from __future__ import annotations

import time

import pytest

from tests.races.site import (
    WORKERS,
    Line,
    Request,
    SignIn,
    Site,
    at_once,
    chance,
    figures,
    make_person,
    rounds,
    sign_in,
)

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

MAX_STALENESS = 1
STEPS = [("give", 200), ("deny", 403), ("undo", 200), ("nearly", 200), ("take", 403)]


def _answers(lines: list[Line], held: SignIn) -> set[int]:
    request = Request("GET", "/governed/", headers=held.headers)
    return {answer.status for answer in at_once(lines, [request] * len(lines))}


@pytest.mark.parametrize("kind", ["session", "token"])
def test_each_worker_knows_at_its_next_request(site_without_grace: Site, kind: str):
    lines = site_without_grace.lines(WORKERS)
    count, asked = rounds(5, 200), 0
    for _ in range(count):
        username = make_person(lines[0])
        held = sign_in(lines[0], username, kind)
        assert _answers(lines, held) == {403}
        for what, expected in STEPS:
            chance.choice(lines).call("POST", f"/access/{username}/{what}/")
            assert _answers(lines, held) == {expected}, what
            asked += WORKERS
    figures.info("%s: %d answers right after a change, none of them stale", kind, asked)


def test_without_staleness_a_jwt_knows_at_its_next_request(site: Site):
    lines = site.lines(WORKERS)
    for _ in range(rounds(5, 200)):
        username = make_person(lines[0])
        held = sign_in(lines[0], username, "jwt")
        for what, expected in STEPS:
            chance.choice(lines).call("POST", f"/access/{username}/{what}/")
            assert _answers(lines, held) == {expected}, what


def test_no_jwt_is_judged_by_an_older_policy_after_max_staleness(site_without_grace: Site):
    lines = site_without_grace.lines(WORKERS)
    longest = 0.0
    for _ in range(rounds(2, 50)):
        username = make_person(lines[0])
        held = sign_in(lines[0], username, "jwt")
        assert _answers(lines, held) == {403}
        for what, expected in STEPS:
            chance.choice(lines).call("POST", f"/access/{username}/{what}/")
            changed_at = time.monotonic()
            while _answers(lines, held) != {expected}:
                longest = max(longest, time.monotonic() - changed_at)
                assert longest < MAX_STALENESS + 0.5, what  # a round of answers takes time too
                time.sleep(0.02)
    figures.info("the last answer by an older policy came %.3f s after the change", longest)
