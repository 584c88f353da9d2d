"""Sign-out against everything else that happens at the same moment."""

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
    refresh_request,
    rounds,
    sign_in,
    signed_in,
    survivors,
    who_request,
)

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

SIGN_OUTS = ["jwt/", "sessions/"]
MAX_STALENESS = 1


@pytest.mark.parametrize("door", SIGN_OUTS)
def test_nothing_survives_a_sign_out_that_races_with_refreshes(site: Site, door: str):
    lines = site.lines(2 * WORKERS)
    each_worker = site.lines(WORKERS)
    count, children, left = rounds(20, 500), 0, 0
    for _ in range(count):
        held = sign_in(lines[0], make_person(lines[0]))
        sign_out = Request("DELETE", f"/auth/{door}", headers=held.headers)
        refresh = refresh_request(held.refresh)
        ended, *answers = at_once(lines, [sign_out, *[refresh] * (len(lines) - 1)])
        assert ended.status == 204
        refreshed = [signed_in("jwt", answer) for answer in answers if answer.status == 200]
        children += bool(refreshed)
        left += len(survivors(each_worker, [held, *refreshed[:1], *refreshed[-1:]]))
    figures.info("%s: %d races, %d with a child, %d survivors", door, count, children, left)
    assert left == 0


def _sign_in_and_use(lines: list[Line], kind: str) -> SignIn:
    held = sign_in(lines[0], make_person(lines[0]), kind)
    answers = at_once(lines, [who_request(held)] * len(lines))
    assert {answer.status for answer in answers} == {200}
    return held


@pytest.mark.parametrize("kind", ["session", "token", "jwt"])
def test_without_staleness_each_worker_knows_at_its_next_request(site: Site, kind: str):
    lines = site.lines(WORKERS)
    count, stale = rounds(20, 850), 0
    for _ in range(count):
        held = _sign_in_and_use(lines, kind)
        answer = chance.choice(lines).call("DELETE", f"/auth/{kind}/", **held.headers)
        assert answer.status == 204
        stale += len(survivors(lines, [held]))
    figures.info("%s: %d sign-outs seen from %d workers, %d stale", kind, count, WORKERS, stale)
    assert stale == 0


def test_no_request_is_answered_after_max_staleness(site_without_grace: Site):
    lines = site_without_grace.lines(WORKERS)
    count, asked, longest = rounds(5, 100), 0, 0.0
    for _ in range(count):
        held = _sign_in_and_use(lines, "jwt")
        ended_by = chance.choice(lines)
        assert ended_by.call("DELETE", "/auth/jwt/", **held.headers).status == 204
        acknowledged_at = time.monotonic()
        assert ended_by.call("GET", "/who/", **held.headers).status == 401  # here at once
        is_refused = False
        while not is_refused:
            asked_at = time.monotonic() - acknowledged_at
            answers = at_once(lines, [who_request(held)] * WORKERS)
            asked += WORKERS
            is_refused = {answer.status for answer in answers} == {401}
            if not is_refused:
                assert asked_at < MAX_STALENESS
                longest = max(longest, asked_at)
                time.sleep(0.01)
    figures.info(
        "%d sign-outs, %d requests, the last stale one %.3f s after", count, asked, longest
    )
