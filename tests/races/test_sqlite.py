"""SQLite as Django sets it up: one file, no WAL, transactions that begin as readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.races.site import (
    CALLERS,
    Request,
    at_once,
    figures,
    make_person,
    refresh_request,
    rounds,
    serving,
    sign_in,
    survivors,
)

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.slow,
    pytest.mark.vendor("sqlite"),
]


def test_nobody_is_turned_away_because_others_write(database_url: str, tmp_path: Path):
    count = rounds(10, 200)
    with serving(database_url, tmp_path, sqlite="as it comes", MAX_STALENESS=0) as site:
        lines = site.lines(CALLERS)
        for _ in range(count):
            people = [make_person(lines[0]) for _ in lines]
            held = [sign_in(lines[0], person) for person in people]
            sign_outs = [Request("DELETE", "/auth/jwt/", headers=one.headers) for one in held]
            refreshes = [refresh_request(one.refresh) for one in held]
            assert {answer.status for answer in at_once(lines, refreshes)} == {200}
            mixed = [*sign_outs[:-1], refreshes[-1]]
            answers = at_once(lines, mixed)
            assert [answer.status for answer in answers] == [204] * (CALLERS - 1) + [200]
            assert survivors(lines, held) == held[-1:]
    figures.info("plain SQLite: %d rounds of %d writers", count, CALLERS)
