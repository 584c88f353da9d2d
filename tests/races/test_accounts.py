"""An account is changed while its owner, or a thief, signs in and refreshes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.races.site import (
    WORKERS,
    Answer,
    Line,
    Request,
    SignIn,
    Site,
    at_once,
    figures,
    refresh_request,
    rounds,
    sign_in,
    sign_in_request,
    signed_in,
    survivors,
)
from tests.races.urls import NEW_PASSWORD

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

KINDS = ["jwt", "token", "jwt", "token"]


def _somebody(line: Line) -> tuple[str, str]:
    person = line.call("POST", "/people/").json
    return person["id"], person["username"]


def _signed_in_everywhere(line: Line, username: str) -> list[SignIn]:
    return [sign_in(line, username, kind) for kind in ("jwt", "token", "session")]


@pytest.mark.parametrize("transaction", ["", "?atomic"])
@pytest.mark.parametrize("what", ["password", "deactivate", "delete", "sign_out"])
def test_no_credential_survives(site: Site, what: str, transaction: str):
    lines, each_worker = site.lines(3 * WORKERS), site.lines(WORKERS)
    count, in_time, left, refused = rounds(6, 125), 0, 0, 0
    for _ in range(count):
        pk, username = _somebody(lines[0])
        held = _signed_in_everywhere(lines[0], username)
        change = Request("POST", f"/people/{pk}/{what}/{transaction}")
        sign_ins = [sign_in_request(username, kind) for kind in KINDS]
        refreshes = [refresh_request(held[0].refresh)] * (len(lines) - 1 - len(KINDS))
        changed, *answers = at_once(lines, [change, *sign_ins, *refreshes])
        while changed.status == 409:  # somebody signed in just then: to be tried again
            refused += 1
            changed = lines[0].call(*change.what)
        assert changed.status == 200
        signed = _good(KINDS, answers[: len(KINDS)])
        refreshed = _good(["jwt"] * len(refreshes), answers[len(KINDS) :])
        in_time += len(signed)
        # Who proves the password once more while being signed out may stay.
        gone = [*held, *refreshed[-1:], *([] if what == "sign_out" else signed)]
        left += len(survivors(each_worker, gone))
        _try_the_door(lines[0], username, what)
    figures.info(
        "%s%s: %d races, %d sign-ins in time, %d survivors, %d times tried again",
        *(what, transaction, count, in_time, left, refused),
    )
    assert left == 0


def _good(kinds: list[str], answers: list[Answer]) -> list[SignIn]:
    pairs = zip(kinds, answers, strict=True)
    assert {answer.status for answer in answers} <= {200, 401}
    return [signed_in(kind, answer) for kind, answer in pairs if answer.status == 200]


def _try_the_door(line: Line, username: str, what: str) -> None:
    """Who may still sign in, can; nobody else."""
    old = line.call(*sign_in_request(username, "jwt").what)
    new = line.call(*sign_in_request(username, "jwt", NEW_PASSWORD).what)
    assert (old.status == 200) == (what == "sign_out")
    assert (new.status == 200) == (what == "password")


def test_who_changes_their_own_password_keeps_the_sign_in_that_refreshes_meanwhile(site: Site):
    lines, each_worker = site.lines(2 * WORKERS), site.lines(WORKERS)
    count = rounds(15, 500)
    for _ in range(count):
        _, username = _somebody(lines[0])
        other, own = _signed_in_everywhere(lines[0], username)[0], sign_in(lines[0], username)
        change = Request("POST", "/own-password/", headers=own.headers)
        refreshes = [refresh_request(own.refresh)] * (len(lines) - 1)
        changed, *answers = at_once(lines, [change, *refreshes])
        assert changed.status == 200
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1
        kept = signed_in("jwt", answers[0])
        assert lines[0].call(*refresh_request(kept.refresh).what).status == 200
        assert len(survivors(each_worker, [kept])) == 1
        assert not survivors(each_worker, [other])
    figures.info("own password: %d races", count)


def test_who_signs_in_again_does_not_get_in_the_way_of_a_new_password(site: Site):
    lines, each_worker = site.lines(WORKERS), site.lines(WORKERS)
    count, left = rounds(15, 250), 0
    for _ in range(count):
        pk, username = _somebody(lines[0])
        held = sign_in(lines[0], username, "session")
        again = replace(sign_in_request(username, "session"), headers=held.headers)
        change = Request("POST", f"/people/{pk}/password/?atomic")
        changed, *answers = at_once(lines, [change, *[again] * (len(lines) - 1)])
        assert changed.status == 200
        signed = _good(["session"] * len(answers), answers)
        left += len(survivors(each_worker, [held, *signed]))
    figures.info("signing in again: %d races, %d survivors", count, left)
    assert left == 0


def test_all_get_in_who_sign_in_at_once_under_an_old_hash(site: Site):
    lines, count = site.lines(WORKERS), rounds(3, 50)
    for _ in range(count):
        username = lines[0].call("POST", "/people/?old_hash").json["username"]
        answers = at_once(lines, [sign_in_request(username, "jwt")] * len(lines))
        assert {answer.status for answer in answers} == {200}
        signed = _good(["jwt"] * len(answers), answers)
        assert len(survivors(lines, signed)) == len(signed)
