"""Many register, confirm and reset at once; each name and each key is good for one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.races.site import (
    CALLERS,
    WORKERS,
    Line,
    Request,
    Site,
    at_once,
    figures,
    rounds,
    sign_in,
    sign_in_request,
    survivors,
)
from tests.races.urls import NEW_PASSWORD

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

GOOD = "seven rainy tuesdays"


def _registration(username: str, email: str) -> Request:
    return Request(
        "POST", "/auth/register/", {"username": username, "email": email, "password": GOOD}
    )


def _accounts(line: Line, text: str) -> int:
    return int(line.call("GET", f"/accounts/?text={text}").json["count"])


def _batches(requests: list[Request]) -> Iterator[list[Request]]:
    for start in range(0, len(requests), CALLERS):
        yield requests[start : start + CALLERS]


def test_of_fifty_who_register_with_one_address_one_gets_an_account(site: Site):
    lines = site.lines(CALLERS)
    for _ in range(rounds(2, 30)):
        stem = uuid4().hex[:10]
        spellings = [f"{stem}@example.com", f"{stem.upper()}@example.com", f" {stem}@EXAMPLE.com"]
        asked = [_registration(f"u{stem}{n}", spellings[n % 3]) for n in range(50)]
        answers = [one for batch in _batches(asked) for one in at_once(lines, batch)]
        assert [answer.status for answer in answers] == [201] * 50
        assert _accounts(lines[0], stem) == 1


def test_of_many_who_want_one_user_name_one_gets_it(site: Site):
    lines = site.lines(CALLERS)
    for _ in range(rounds(3, 50)):
        stem = uuid4().hex[:10]
        spellings = [f"u{stem}", f"U{stem.upper()}", f" u{stem} "]
        asked = [_registration(spellings[n % 3], f"{n}{stem}@example.com") for n in range(CALLERS)]
        answers = at_once(lines, asked)
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [201] + [400] * (CALLERS - 1)
        assert _accounts(lines[0], stem) == 1


@pytest.mark.parametrize("purpose", ["reset_password", "verify_email"])
def test_a_key_works_for_one_of_sixteen(site: Site, purpose: str):
    lines = site.lines(max(16, WORKERS) if CALLERS >= 16 else CALLERS)
    for _ in range(rounds(4, 100)):
        made = lines[0].call("POST", f"/people/?key={purpose}").json
        if purpose == "reset_password":
            path, body = "/auth/password/reset/confirm/", {"new_password": NEW_PASSWORD}
        else:
            path, body = "/auth/email/verify/", {}
        asked = [Request("POST", path, {"key": made["key"], **body})] * len(lines)
        statuses = sorted(answer.status for answer in at_once(lines, asked))
        assert statuses == [204] + [400] * (len(lines) - 1)


def test_nobody_who_signs_in_with_the_old_password_survives_a_reset(site: Site):
    lines, each_worker = site.lines(2 * WORKERS), site.lines(WORKERS)
    left, in_time = 0, 0
    for _ in range(rounds(8, 150)):
        made = lines[0].call("POST", "/people/?key=reset_password").json
        held = [sign_in(lines[0], made["username"], kind) for kind in ("jwt", "token", "session")]
        body = {"key": made["key"], "new_password": NEW_PASSWORD}
        reset = Request("POST", "/auth/password/reset/confirm/", body)
        doors = [sign_in_request(made["username"], "jwt")] * (len(lines) - 1)
        answer, *answers = at_once(lines, [reset, *doors])
        assert answer.status == 204
        in_time += sum(one.status == 200 for one in answers)
        left += len(survivors(each_worker, held))
        for one in answers:
            if one.status == 200:
                headers = {"Authorization": f"Bearer {one.json['access']}"}
                left += lines[0].call("GET", "/who/", **headers).status == 200
    figures.info("reset: %d sign-ins in time, %d survivors", in_time, left)
    assert left == 0
