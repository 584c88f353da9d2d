"""A worker is killed in the middle of things: what was acknowledged stays, the rest is whole."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

import pytest

from tests.races.site import (
    CALLERS,
    WORKERS,
    Answer,
    Broken,
    Line,
    Request,
    SignIn,
    Site,
    chance,
    figures,
    refresh_request,
    rounds,
    serving,
    sign_in,
    sign_in_request,
    signed_in,
    survivors,
)
from tests.races.urls import NEW_PASSWORD

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]


@dataclass
class Accident:
    """What is going on at a worker when it is killed, and what came of it."""

    lines: list[Line]
    answered: dict[str, Answer | None] = field(default_factory=dict)

    def happen(self, requests: dict[str, Request]) -> None:
        """Send these to the worker that is then killed; who gets no answer has None."""
        victim = self.lines[0].worker
        at_victim = [line for line in self.lines if line.worker == victim]
        sent = list(zip(requests.items(), at_victim, strict=False))
        assert len(sent) == len(requests)
        for (_, request), line in sent:
            line.send(*request.what, **request.headers)
        _wait_for_some([line for _, line in sent], answers=chance.randrange(len(sent)))
        os.kill(victim, signal.SIGKILL)
        for (name, _), line in sent:
            try:
                self.answered[name] = line.receive()
            except Broken:
                self.answered[name] = None


def _wait_for_some(lines: list[Line], *, answers: int) -> None:
    """Wait until so many have been answered, and perhaps a moment longer."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if len(select(lines, [], [], 0.001)[0]) >= answers:
            break
    time.sleep(chance.choice([0, 0.005, 0.02]) * chance.random())


def test_nothing_acknowledged_is_lost_and_nothing_is_done_by_half(
    database_url: str, tmp_path: Path
):
    kills, counted = rounds(6, 200), Counter[str]()
    revoked: list[SignIn] = []
    with serving(database_url, tmp_path, MAX_STALENESS=0, REFRESH_GRACE=60) as site:
        for _ in range(kills):
            revoked += _kill_one(site, counted)
        figures.info("%d kills: %s", kills, dict(counted))
        assert not survivors(site.lines(WORKERS), revoked)
    with serving(database_url, tmp_path, MAX_STALENESS=1, REFRESH_GRACE=60) as restarted:
        assert not survivors(restarted.lines(WORKERS), revoked)


def _kill_one(site: Site, counted: Counter[str]) -> list[SignIn]:
    """Kill a worker while somebody signs out, refreshes, or gets another password.

    Returns what must never open a door again.
    """
    accident = Accident(site.lines(CALLERS))
    front = accident.lines[0]
    people = [front.call("POST", "/people/").json for _ in range(3)]
    leaving, staying, changing = (sign_in(front, person["username"]) for person in people)
    token = sign_in(front, people[2]["username"], "token")
    requests = {
        "sign_out": Request("DELETE", "/auth/jwt/", headers=leaving.headers),
        "refresh": refresh_request(staying.refresh),
        "password": Request("POST", f"/people/{people[2]['id']}/password/?atomic"),
    }
    accident.happen(requests)
    site.hang_up()
    each_worker = site.lines(WORKERS)
    for name, answer in accident.answered.items():
        counted[f"{name} {'cut off' if answer is None else 'answered'}"] += 1
    gone = _check_sign_out(each_worker, leaving, accident.answered["sign_out"])
    _check_refresh(each_worker, staying, accident.answered["refresh"])
    changed = accident.answered["password"]
    gone += _check_password(each_worker, people[2]["username"], [changing, token], changed)
    counted["revocations"] += len(gone)
    site.hang_up()
    return gone


def _check_sign_out(lines: list[Line], held: SignIn, answer: Answer | None) -> list[SignIn]:
    found = _state(lines[0], held)
    is_over = bool(found["is_revoked"])
    assert found["changes"] == found["events"].get("session.ended", 0) == int(is_over)
    assert is_over or answer is None
    assert bool(survivors(lines, [held])) != is_over
    return [held] if is_over else []


def _check_refresh(lines: list[Line], held: SignIn, answer: Answer | None) -> None:
    """The row is at the old generation or at the new one, and there is but one child."""
    before = _state(lines[0], held)["generation"]
    assert before == 2 if answer is not None else before in {1, 2}
    again = lines[0].call(*refresh_request(held.refresh).what)
    assert again.status == 200
    assert answer is None or answer.body == again.body
    assert _state(lines[0], held)["generation"] == 2
    assert survivors(lines, [signed_in("jwt", again)])


def _check_password(
    lines: list[Line], username: str, held: list[SignIn], answer: Answer | None
) -> list[SignIn]:
    is_new = lines[0].call(*sign_in_request(username, "jwt", NEW_PASSWORD).what).status == 200
    is_old = lines[0].call(*sign_in_request(username, "jwt").what).status == 200
    assert is_new != is_old
    assert is_new or answer is None
    assert len(survivors(lines, held)) == (0 if is_new else len(held))
    return held if is_new else []


def _state(line: Line, held: SignIn) -> dict[str, Any]:
    found: dict[str, Any] = line.call("GET", f"/state/{held.session_id}/").json
    return found
