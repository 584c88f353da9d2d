"""Several worker processes count in one Redis: no more get through than the limit says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.races.site import CALLERS, Line, Request, at_once, figures, serving
from tests.redis_server import RedisServer, redis_server, why_not

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

LIMIT = 20


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as found:
        yield found


@pytest.fixture(scope="module")
def lines(
    database_url: str, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Line]]:
    """Lines to a server of its own: what counts for an address is this module's alone."""
    limits = {"verification": [LIMIT, 86_400]}
    with serving(
        database_url,
        tmp_path_factory.mktemp("throttle"),
        caches={"counts": redis.settings()},
        THROTTLE_CACHE="counts",
        LIMITS=limits,
        TRUSTED_PROXIES=["127.0.0.1"],
    ) as site:
        yield site.lines(CALLERS)


def _verify(lines: list[Line], address: str, count: int) -> int:
    """How many keys were looked at of so many that came at once, from one address."""
    request = Request(
        "POST", "/auth/email/verify/", {"key": "made up"}, {"X-Forwarded-For": address}
    )
    answers: Counter[int] = Counter()
    for start in range(0, count, len(lines)):
        some = lines[: min(len(lines), count - start)]
        answers.update(answer.status for answer in at_once(some, [request] * len(some)))
    figures.info("%s from %s: %s", count, address, dict(answers))
    return count - answers[429]


def _rows(line: Line, address: str) -> list[int]:
    """What the database has counted of an address."""
    found: list[int] = line.call("GET", f"/counted/{address}/").json["counted"]
    return found


def test_of_two_hundred_at_once_as_many_get_through_as_the_limit_says(lines):
    for number in range(3):
        address = f"198.51.100.{number}"
        assert _verify(lines, address, LIMIT - 1) == LIMIT - 1
        assert _rows(lines[0], address) == []
        assert _verify(lines, address, 200) == 1
        assert _rows(lines[0], address) == [LIMIT]


def test_two_hundred_at_once_from_the_first_on(lines):
    for number in range(10, 13):
        assert _verify(lines, f"198.51.100.{number}", 200) == LIMIT


def test_killed_in_the_middle_it_opens_no_more_than_a_window(lines, redis):
    address = "198.51.100.20"
    passed = _verify(lines, address, LIMIT // 2)
    redis.kill()
    try:
        passed += _verify(lines, address, 200)
    finally:
        redis.start()
    passed += _verify(lines, address, 200)
    figures.info("killed after %s of %s: %s got through", LIMIT // 2, LIMIT, passed)
    assert passed == LIMIT // 2 + LIMIT
    assert _rows(lines[0], address) == [LIMIT]
