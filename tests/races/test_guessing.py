"""Two hundred guesses at once at several worker processes: no more are judged than may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.people import PASSWORD
from tests.races.site import (
    CALLERS,
    Line,
    Request,
    Site,
    at_once,
    figures,
    make_person,
    rounds,
    sign_in_request,
)
from tests.races.stage import Stage

pytestmark = [pytest.mark.default_user_only, pytest.mark.slow]

LIMIT = 5


@pytest.fixture
def strict_site(stage: Stage) -> Iterator[Site]:
    found = stage.site(
        LOGIN_FAILURE_LIMIT=LIMIT,
        LIMITS={"sign_in_from_address": [100_000, 900]},
        TRUSTED_PROXIES=["10.0.0.0/8"],
    )
    yield found
    found.hang_up()


def _guesses(names: list[str], count: int) -> list[Request]:
    """Wrong passwords, each time with another forged address."""
    return [
        Request(
            "POST",
            f"/auth/{'jwt' if number % 2 else 'token'}/",
            {"username": names[number % len(names)], "password": f"wrong {number}"},
            {"X-Forwarded-For": f"9.9.{number // 256}.{number % 256}"},
        )
        for number in range(count)
    ]


def _at_mixed_doors(name: str, count: int) -> list[Request]:
    """Wrong passwords at every door in turn: of the API, of the pages, of the admin site."""
    token = "a" * 32
    cookie = {"Cookie": f"csrftoken={token}"}
    form = {**cookie, "Content-Type": "application/x-www-form-urlencoded"}
    made = []
    for number in range(count):
        given = {"username": name, "password": f"wrong {number}"}
        typed = urlencode({**given, "csrfmiddlewaretoken": token})
        doors = [
            Request("POST", "/auth/session/", given, {**cookie, "X-CSRFToken": token}),
            Request("POST", "/auth/token/", given),
            Request("POST", "/auth/jwt/", given),
            Request("POST", "/admin/login/", typed, form),
            Request("POST", "/account/sign-in/", typed, form),
        ]
        made.append(doors[number % len(doors)])
    return made


def _judged(line: Line, username: str) -> int:
    found: int = line.call("GET", f"/failed/{username}/").json["failed"]
    return found


def test_two_hundred_guesses_at_once_get_no_further_than_the_limit(strict_site: Site):
    lines = strict_site.lines(CALLERS)
    for _ in range(rounds(3, 50)):
        username = make_person(lines[0])
        names = [username, username.upper(), f" {username} ", username.title()]
        answers: Counter[int] = Counter()
        guesses = _guesses(names, 200)
        for start in range(0, 200, len(lines)):
            some = guesses[start : start + len(lines)]
            answers.update(answer.status for answer in at_once(lines[: len(some)], some))
        assert set(answers) == {401, 429}
        assert answers[401] == LIMIT
        assert _judged(lines[0], username) == LIMIT
        right = lines[0].call(*sign_in_request(username, "jwt").what)
        assert right.status == 429
        assert int(_retry_after(lines[0], username)) > 60
    figures.info("200 guesses at once: %s", dict(answers))


def test_two_hundred_at_once_at_mixed_doors_get_no_further_either(strict_site: Site):
    lines = strict_site.lines(CALLERS)
    username = make_person(lines[0])
    answers: Counter[int] = Counter()
    guesses = _at_mixed_doors(username, 200)
    for start in range(0, 200, len(lines)):
        some = guesses[start : start + len(lines)]
        answers.update(answer.status for answer in at_once(lines[: len(some)], some))
    assert set(answers) <= {200, 401, 429}  # a form that is shown again is 200
    assert answers[200] + answers[401] == LIMIT
    assert _judged(lines[0], username) == LIMIT
    figures.info("200 guesses at once at mixed doors: %s", dict(answers))


def test_all_get_in_who_know_the_password_however_many_at_once(strict_site: Site):
    lines = strict_site.lines(CALLERS)
    for _ in range(rounds(2, 50)):
        username = make_person(lines[0])
        answers = at_once(lines, [sign_in_request(username, "jwt")] * len(lines))
        assert Counter(answer.status for answer in answers) == {200: len(lines)}


def test_a_success_among_the_guesses_gives_back_one_attempt_and_no_more(strict_site: Site):
    lines = strict_site.lines(CALLERS)
    for _ in range(rounds(3, 50)):
        username = make_person(lines[0])
        wrong = [sign_in_request(username, "jwt", "wrong")] * (len(lines) // 2)
        right = [sign_in_request(username, "jwt", PASSWORD)] * (len(lines) - len(wrong))
        answers = at_once(lines, [*wrong, *right])
        failed = sum(answer.status == 401 for answer in answers)
        later = at_once(lines, [sign_in_request(username, "jwt", "wrong")] * len(lines))
        failed += sum(answer.status == 401 for answer in later)
        assert failed == LIMIT


def _retry_after(line: Line, username: str) -> str:
    line.send(*sign_in_request(username, "jwt").what)
    response = line._connection.getresponse()
    response.read()
    return str(response.headers["Retry-After"])


def test_a_race_leaves_nothing_taken(strict_site: Site):
    line = strict_site.line()
    username = make_person(line)
    assert line.call(*sign_in_request(username, "jwt").what).status == 200
    assert line.call("GET", f"/failed/{username}/").json["pending"] == 0
