"""Many refresh at once with one refresh token."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.races.site import (
    CALLERS,
    WORKERS,
    Site,
    at_once,
    figures,
    make_person,
    refresh_request,
    rounds,
    sign_in,
    signed_in,
    survivors,
)

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]


def test_all_get_the_same_child_and_the_session_is_one_generation_further(site: Site):
    lines = site.lines(CALLERS)
    held = sign_in(lines[0], make_person(lines[0]))
    session_id, refresh, count = held.session_id, held.refresh, rounds(40, 1_000)
    children, answering = set(), Counter[int]()
    for _ in range(count):
        answers = at_once(lines, [refresh_request(refresh)] * CALLERS)
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1
        refresh = answers[0].json["refresh"]
        children.add(refresh)
        answering.update(answer.worker for answer in answers)
    found = lines[0].call("GET", f"/state/{session_id}/").json
    figures.info(
        "%d rounds of %d refreshes; answered by worker: %s", count, CALLERS, dict(answering)
    )
    assert found["generation"] == 1 + count
    assert len(children) == count
    assert not found["is_revoked"]
    assert len(answering) == WORKERS


def test_without_grace_one_wins_and_the_replays_end_the_session(site_without_grace: Site):
    lines = site_without_grace.lines(CALLERS)
    won, count = [], rounds(15, 1_000)
    for _ in range(count):
        held = sign_in(lines[0], make_person(lines[0]))
        answers = at_once(lines, [refresh_request(held.refresh)] * CALLERS)
        winners = [answer for answer in answers if answer.status == 200]
        losers = [answer for answer in answers if answer.status != 200]
        assert len(winners) == 1
        assert {answer.status for answer in losers} == {401}
        assert {a.json["code"] for a in losers} <= {"token_reused", "session_ended"}
        found = lines[0].call("GET", f"/state/{held.session_id}/").json
        assert found["generation"] == 2
        assert found["reason"] == "token_reused"
        assert found["events"]["token.reused"] >= 1
        assert found["events"]["session.ended"] == found["changes"] == 1
        won.append(signed_in("jwt", winners[0]))
    time.sleep(1)  # MAX_STALENESS
    figures.info("%d rounds of %d refreshes without grace, %d winners", count, CALLERS, len(won))
    assert not survivors(site_without_grace.lines(WORKERS), won)
