"""429 over HTTP: at every door the same, for names that exist and for those that do not."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.test import Client, override_settings

from authkit.accounts import guessing, hashing
from authkit.kernel import opaque
from authkit.models import UserSession
from tests.api.callers import SIGN_INS, bearer, browser, sign_in, stranger
from tests.api.world import Outage, Queries
from tests.people import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _new_process(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "django.request")
    guessing.forget()
    yield
    guessing.forget()


def knock(kind: str, name: str, password: str = "wrong") -> Any:
    body = {"username": name, "password": password}
    return browser().post(f"/auth/{kind}/", body)


@pytest.mark.parametrize("kind", SIGN_INS)
def test_known_and_unknown_names_are_told_the_same(kind: str, person: AbstractUser):
    answers = set()
    for name in (person.get_username(), "nobody", "nobody@example.com"):
        assert [knock(kind, name).status_code for _ in range(6)] == [401] * 5 + [429]
        response = knock(kind, name, PASSWORD)
        assert response.status_code == 429
        assert 890 <= int(response["Retry-After"]) <= 900
        left_out = {"Set-Cookie", "Retry-After"}
        headers = sorted(h for h in response.headers.items() if h[0] not in left_out)
        answers.add((response.content, str(headers)))
    [(content, _)] = answers
    assert b'"code":"too_many_attempts"' in content
    assert not UserSession.objects.exists()


def test_all_doors_count_together(person: AbstractUser):
    name = person.get_username()
    for kind in SIGN_INS:
        assert knock(kind, name).status_code == 401
    for path in ("/admin/login/", "/login/"):
        assert Client().post(path, {"username": name, "password": "x"}).status_code == 200
    assert [knock(kind, name, PASSWORD).status_code for kind in SIGN_INS] == [429] * 3


@pytest.mark.parametrize("path", ["/admin/login/", "/login/"])
def test_forms_of_django_answer_429_as_well(path: str, person: AbstractUser):
    form = {"username": person.get_username(), "password": "x"}
    statuses = [Client().post(path, form).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


@pytest.mark.parametrize("path", ["/admin/login/", "/login/"])
@override_settings(AUTHKIT={"PASSWORD_HASHING_SLOTS": 1, "REFUSAL_TIME": 0})
def test_a_busy_moment_is_503_at_djangos_forms_and_costs_no_attempt(
    path: str, person: AbstractUser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hashing, "PATIENCE", 0.01)
    form = {"username": person.get_username(), "password": PASSWORD}
    browser_of = Client(headers={"accept": "text/html"})
    slots = hashing._slots(1)
    assert slots.acquire(timeout=1)
    try:
        answers = [browser_of.post(path, form) for _ in range(6)]
    finally:
        slots.release()
    assert [answer.status_code for answer in answers] == [503] * 6
    assert answers[0]["Retry-After"] == "5"
    assert "busy" in answers[0].text
    assert knock("token", person.get_username(), PASSWORD).status_code == 200


def test_async_sign_ins_count_as_well(person: AbstractUser):
    name = person.get_username()
    ask = async_to_sync(aauthenticate)
    assert ask(username=person.email.upper(), password=PASSWORD) == person
    assert [ask(username=name, password="wrong") for _ in range(5)] == [None] * 5
    assert ask(username=name, password=PASSWORD) is None


def test_who_is_signed_in_already_stays(person: AbstractUser):
    callers = [sign_in(kind, person) for kind in SIGN_INS]
    for _ in range(8):
        knock("token", person.get_username())
    for caller in callers:
        assert caller.get("/auth/me/").status_code == 200
    refresh = callers[-1].refresh
    assert stranger().post("/auth/jwt/refresh/", {"refresh": refresh}).status_code == 200


@pytest.mark.parametrize("kind", SIGN_INS)
def test_where_it_cannot_be_counted_nobody_gets_in(kind: str, person: AbstractUser):
    caller = browser()
    body = {"username": person.get_username(), "password": PASSWORD}
    with Outage(writes_only=True):
        response = caller.post(f"/auth/{kind}/", body)
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"


MADE_UP = {"AUTHKIT": {"LIMITS": {"token": (60, 900)}}}


@override_settings(**MADE_UP)
def test_whoever_makes_up_tokens_is_told_to_slow_down(person: AbstractUser):
    real = sign_in("token", person)
    statuses = [
        bearer(opaque.mint("ak_", random=secrets.token_bytes).text).get("/auth/me/").status_code
        for _ in range(90)
    ]
    assert statuses[:60] == [401] * 60
    assert statuses[-10:] == [429] * 10
    assert real.get("/auth/me/").status_code == 200  # a good one is never asked
    response = stranger().post("/auth/jwt/refresh/", {"refresh": "a.b.c"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    with Queries() as queries:
        assert stranger().post("/auth/jwt/verify/", {"token": "a.b.c"}).status_code == 429
    assert len(queries) == 0


#: A view of each kind: of DRF with our classes, of DRF with one of them, a plain one.
VIEWS = ["/api/closed/", "/mixed/token/jwt/", "/plain/"]


def made_up(kind: str) -> str:
    """A token that is well formed and none of ours, or a JWT with another signature."""
    if kind == "token":
        return opaque.mint("ak_", random=secrets.token_bytes).text
    return "eyJhbGciOiJIUzI1NiIsImtpZCI6IngifQ.e30.AAAA"


@override_settings(**MADE_UP)
@pytest.mark.parametrize("path", VIEWS)
def test_every_view_tells_whoever_makes_up_tokens_to_slow_down(path: str, person: AbstractUser):
    real = sign_in("token", person)
    answers = [bearer(made_up("token")).get(path) for _ in range(90)]
    assert [answer.status_code for answer in answers] == [401] * 79 + [429] * 11
    assert answers[-1].json()["code"] == "too_many_attempts"
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    assert real.get(path).status_code == 200


@override_settings(**MADE_UP)
def test_a_signature_that_is_not_ours_counts_once(person: AbstractUser):
    head, claims, signature = sign_in("jwt", person).access.split(".")
    forged = f"{head}.{claims}.{signature[:-4]}AAAA"
    statuses = [bearer(forged).get("/plain/").status_code for _ in range(90)]
    assert statuses == [401] * 79 + [429] * 11


@override_settings(**MADE_UP)
@pytest.mark.parametrize("path", [*VIEWS, "/auth/me/"])
@pytest.mark.parametrize("broken", ["wrong checksum", "no JWT", "nothing like it"])
def test_what_is_no_token_at_all_is_refused_for_nothing(path: str, broken: str, db: None):
    text = made_up("token")
    text = {
        "wrong checksum": text[:-1] + ("a" if text[-1] != "a" else "b"),
        "no JWT": made_up("jwt"),
        "nothing like it": "hello",
    }[broken]
    with Queries() as queries:
        statuses = {bearer(text).get(path).status_code for _ in range(90)}
    assert (statuses, len(queries)) == ({401}, 0)


@override_settings(**MADE_UP)
def test_tokens_that_were_real_once_are_not_guesses(person: AbstractUser):
    gone = sign_in("token", person)
    assert gone.delete("/auth/token/").status_code == 204
    statuses = {gone.get("/auth/me/").status_code for _ in range(100)}
    assert statuses == {401}


@override_settings(**MADE_UP)
def test_made_up_tokens_are_refused_also_where_they_cannot_be_counted(person: AbstractUser):
    for _ in range(50):
        with Outage():
            assert bearer("a.b.c").get("/auth/me/").status_code == 401
