"""Many make personal access tokens at once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.races.site import (
    CALLERS,
    TOKEN_LIMIT,
    Request,
    Site,
    at_once,
    figures,
    make_person,
    rounds,
    sign_in,
)

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]


def test_the_limit_holds_however_many_ask_at_once(site: Site):
    lines, count, answered = site.lines(CALLERS), rounds(5, 100), Counter[str]()
    for _ in range(count):
        held = sign_in(lines[0], make_person(lines[0]))
        request = Request("POST", "/auth/tokens/", {"name": "one of many"}, held.headers)
        answers = at_once(lines, [request] * CALLERS)
        made = [answer for answer in answers if answer.status == 201]
        refused = [answer for answer in answers if answer.status == 403]
        answered.update({"made": len(made), "refused": len(refused)})
        assert len(made) == TOKEN_LIMIT
        assert len(refused) == CALLERS - TOKEN_LIMIT
        assert {answer.json["code"] for answer in refused} == {"too_many_tokens"}
        assert len({answer.json["token"] for answer in made}) == TOKEN_LIMIT
        listed = lines[0].call("GET", "/auth/tokens/", **held.headers).json
        assert len(listed) == TOKEN_LIMIT
    figures.info("%d races for %d personal tokens: %s", count, TOKEN_LIMIT, dict(answered))
