"""Failed sign-ins have a limit, under any name, from any address, at every door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.backends import BaseBackend
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory, override_settings
from django.utils import timezone

from authkit import audit, signals
from authkit.accounts import attempts, lockouts, passwords, tally, throttle
from authkit.accounts.client import network_of
from authkit.exceptions import TooManyAttempts
from authkit.kernel.client import Client
from authkit.models import AuditEvent, Throttle
from tests.api.world import Clock, Outage, Queries
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db

HOME = "192.0.2.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords of people that were looked at."""
    seen: list[str] = []
    check = passwords.is_password_of

    def watch(user: Any, password: str) -> bool:
        seen.append(password)
        return check(user, password)

    monkeypatch.setattr(passwords, "is_password_of", watch)
    return seen


def guess(name: str, password: str = "wrong", ip: str = HOME, **headers: str) -> str:
    """What became of it: in, wrong, or too many."""
    request = RequestFactory().post("/", REMOTE_ADDR=ip, headers=headers)
    if authenticate(request, username=name, password=password) is not None:
        return "in"
    return "wrong" if attempts.refusal_of(request) is None else "too many"


def test_after_five_failures_the_right_password_is_not_even_looked_at(person, judged):
    name = person.get_username()
    assert [guess(name) for _ in range(7)] == ["wrong"] * 5 + ["too many"] * 2
    assert guess(name, PASSWORD) == "too many"
    assert len(judged) == 5


def test_a_name_that_nobody_has_is_answered_alike(person):
    assert [guess("nobody") for _ in range(7)] == ["wrong"] * 5 + ["too many"] * 2
    assert not lockouts.live(now=timezone.now()).exists()


def test_the_limit_is_over_when_its_time_is(person, clock):
    name = person.get_username()
    for _ in range(6):
        guess(name)
    clock.advance(minutes=14, seconds=59)
    assert guess(name, PASSWORD) == "too many"
    clock.advance(seconds=2)
    assert guess(name, PASSWORD) == "in"


@pytest.mark.parametrize("spelling", [str.upper, str.title, "  {} ".format, "\u3000{}".format])
def test_spellings_of_a_name_are_one(person, judged, spelling):
    name = person.get_username()
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    for each in (name, spelling(name), wide, name, spelling(name)):
        guess(each)
    assert guess(name, PASSWORD) == "too many"
    assert len(judged) <= 5


def test_a_second_name_of_an_account_is_good_for_no_more_guesses(judged):
    """And it is answered as wrong, or one would learn that both are the same person's."""
    person = make_person("ada", email="lovelace@example.com")
    names = list(dict.fromkeys([person.get_username(), "lovelace@example.com"]))
    for _ in range(5):
        guess(names[0])
    outcomes = [guess(names[-1], PASSWORD) for _ in range(6)]
    assert "in" not in outcomes
    assert len(judged) == 5
    if len(names) == 2:
        assert outcomes == ["wrong"] * 5 + ["too many"]


def test_elsewhere_the_owner_gets_in(person):
    name = person.get_username()
    for _ in range(6):
        guess(name)
    assert guess(name, PASSWORD, ip="198.51.100.7") == "in"


def test_an_account_is_guessed_at_only_so_often_from_many_addresses(person, judged):
    name = person.get_username()
    outcomes = [guess(name, ip=f"192.0.2.{number}") for number in range(60)]
    assert outcomes == ["wrong"] * 50 + ["too many"] * 10
    assert guess(name, PASSWORD, ip="203.0.113.5") == "too many"
    assert len(judged) == 50


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "LIMITS": {"sign_in_from_address": (20, 900)}})
def test_an_address_tries_only_so_many_names_and_the_table_stays_small(person):
    outcomes = [guess(f"name-{number}") for number in range(200)]
    assert outcomes == ["wrong"] * 20 + ["too many"] * 180
    assert guess(person.get_username(), PASSWORD) == "too many"
    assert guess(person.get_username(), PASSWORD, ip="198.51.100.7") == "in"
    assert Throttle.objects.filter(address__in=["", HOME], failed__gt=0).count() == 20 * 4 + 1
    assert Throttle.objects.count() == 20 * 4 + 1 + 5  # whoever is refused leaves nothing


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "LIMITS": {"sign_in_from_address": (10, 900)}})
def test_ipv6_counts_by_the_network_that_a_customer_has(db):
    for number in range(10):
        guess(f"name-{number}", ip=f"2001:db8:0:1::{number}")
    assert guess("another", ip="2001:db8:0:1:ffff::1") == "too many"
    assert guess("another", ip="2001:db8:0:2::1") == "wrong"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_the_network_of_an_address(ip, network):
    assert network_of(ip) == network


def test_forged_headers_make_no_new_address(person):
    name = person.get_username()
    forged = ["1.2.3.4", "garbage", "", "::1", "127.0.0.1, 9.9.9.9", "\x00"]
    for number, text in enumerate(forged[:5]):
        headers = {"X-Forwarded-For": text, "X-Real-IP": f"9.9.9.{number}", "Forwarded": "for=x"}
        assert guess(name, **headers) == "wrong"
    assert guess(name, PASSWORD, **{"X-Forwarded-For": "5.6.7.8"}) == "too many"


def test_behind_a_proxy_each_client_counts_for_itself_and_garbage_for_the_proxy(person):
    name = person.get_username()
    with override_settings(AUTHKIT={"REFUSAL_TIME": 0, "TRUSTED_PROXIES": ["10.0.0.0/8"]}):
        for _ in range(6):
            guess(name, ip="10.0.0.1", **{"X-Forwarded-For": "192.0.2.9"})
        assert guess(name, PASSWORD, "10.0.0.1", **{"X-Forwarded-For": "192.0.2.9"}) == "too many"
        assert guess(name, PASSWORD, "10.0.0.1", **{"X-Forwarded-For": "192.0.2.8"}) == "in"
        for text in ("?", "x", "…", "", "1.2.3"):
            guess(name, ip="10.0.0.1", **{"X-Forwarded-For": text})
        assert guess(name, PASSWORD, "10.0.0.1", **{"X-Forwarded-For": "!"}) == "too many"


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "LIMITS": {"sign_in_from_address": (9, 900)}})
def test_an_attackers_own_success_gives_nothing_back(person):
    make_person("mallory")
    own = make_person("eve").get_username()
    for _ in range(3):
        for _ in range(3):
            assert guess(person.get_username()[:3] + str(timezone.now())) == "wrong"
        guess(own, PASSWORD)
    assert guess(own, PASSWORD) == "too many"


def test_a_success_in_between_costs_nothing_and_resets_nothing(person):
    name = person.get_username()
    for _ in range(4):
        assert guess(name) == "wrong"
        for _ in range(3):
            assert guess(name, PASSWORD) == "in"
    assert guess(name) == "wrong"
    assert guess(name, PASSWORD) == "too many"
    assert not Throttle.objects.filter(pending__gt=0).exists()


def test_those_without_an_address_are_counted_too(person):
    for _ in range(5):
        assert authenticate(None, username=person.get_username(), password="x") is None
    assert authenticate(None, username=person.get_username(), password=PASSWORD) is None


class Yes(BaseBackend):
    """Lets in anybody."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return make_person(f"somebody-{timezone.now():%f}")


def test_no_backend_behind_ours_is_asked_once_the_limit_is_reached(person):
    name = person.get_username()
    for _ in range(5):
        guess(name)
    ours = "authkit.backends.AuthkitBackend"
    with override_settings(AUTHENTICATION_BACKENDS=[ours, f"{__name__}.Yes"]):
        assert guess(name, PASSWORD) == "too many"
        assert guess("another") == "in"


@pytest.mark.parametrize("name", ["\x00", "\ud800", "x" * 10_000, "\u202e", " "])
def test_names_that_no_database_holds_are_counted_too(name):
    assert [guess(name) for _ in range(6)] == ["wrong"] * 5 + ["too many"]


# What is told


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []

    def receive(**said: Any) -> None:
        told.append(said)

    signals.locked_out.connect(receive)
    yield told
    signals.locked_out.disconnect(receive)


def _events(prefix: str) -> list[str]:
    kinds = AuditEvent.objects.filter(kind__startswith=prefix).order_by("pk")
    return list(kinds.values_list("kind", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_lock_out_is_told_once_when_it_begins_and_once_when_it_ends(person, clock, heard):
    for _ in range(20):
        guess(person.get_username())
    event = AuditEvent.objects.get(kind="lockout.began")
    assert (event.subject, event.ip) == (str(person.pk), HOME)
    assert event.data["failed"] == 5
    assert [said["user_id"] for said in heard] == [person.pk]
    assert len(_events("login.failed")) == 5
    clock.advance(minutes=16)
    for _ in range(3):
        guess(person.get_username(), PASSWORD)
    assert _events("lockout.") == ["lockout.began", "lockout.ended"]


def test_pruning_tells_of_the_end_and_leaves_nothing(person, clock):
    for _ in range(6):
        guess(person.get_username())
    clock.advance(minutes=16)
    lockouts.end_expired(now=timezone.now())
    lockouts.end_expired(now=timezone.now())
    assert _events("lockout.") == ["lockout.began", "lockout.ended"]
    tally.over(now=timezone.now()).delete()
    assert not Throttle.objects.exists()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lot falls on each attempt to clean up."""
    monkeypatch.setattr(tally, "_CLEAN_UP_ONCE_IN", 0)


def test_an_attempt_now_and_then_cleans_up_what_is_over_and_no_lock_out(person, clock, drawn):
    for _ in range(6):
        guess(person.get_username())
    guess("nobody", ip="198.51.100.7")
    clock.advance(minutes=16)
    guess("another", ip="203.0.113.5")
    rows = Throttle.objects.filter(ends_at__lt=clock.now)
    assert rows.exists()
    assert not rows.filter(locked_at=None).exists()  # lock-outs wait until their end is told


def test_a_failure_to_clean_up_is_not_a_failure_to_sign_in(person, clock, drawn):
    guess("nobody")
    clock.advance(minutes=16)

    def refuse_deletes(execute: Any, sql: str, *more: Any) -> Any:
        if sql.startswith("DELETE"):
            raise OperationalError("database is locked")
        return execute(sql, *more)

    with connection.execute_wrapper(refuse_deletes):
        assert guess(person.get_username(), PASSWORD) == "in"


def test_no_name_that_was_typed_stands_in_the_table(person):
    guess("a password typed in the wrong field")
    stored = str(list(Throttle.objects.values()))
    assert "password typed" not in stored


# When the database says no


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("writes_only", [False, True])
def test_what_cannot_be_counted_is_not_tried(person, judged, writes_only):
    with Outage(writes_only=writes_only), pytest.raises(OperationalError):
        guess(person.get_username(), PASSWORD)
    assert judged == []


@pytest.mark.django_db(transaction=True)
def test_a_failure_stays_counted_when_the_callers_transaction_does_not(person):
    name = person.get_username()
    for _ in range(5):
        written: list[audit.Written] = []
        with audit.of_request(written), transaction.atomic():
            assert guess(name) == "wrong"
            transaction.set_rollback(True)
        audit.rescue(written)
    assert guess(name, PASSWORD) == "too many"


# The same for everything else


def spend(scope: str = "registration", text: str = HOME, cost: int = 1) -> None:
    throttle.spend(throttle.Scope(scope), text, client=Client(ip=HOME), cost=cost)


@pytest.mark.parametrize(
    "scope", ["registration", "password_reset", "verification", "mail", "token", "social"]
)
def test_every_other_limit_counts_each_time(scope, clock):
    with override_settings(
        AUTHKIT={"REFUSAL_TIME": 0, "LIMITS": {scope: (3, timedelta(minutes=5))}}
    ):
        for _ in range(3):
            spend(scope)
        for _ in range(3):
            with pytest.raises(TooManyAttempts) as caught:
                spend(scope)
        assert 0 < caught.value.retry_after <= 300
        spend(scope, "another")
        assert len(_events("lockout.began")) == 1
        clock.advance(minutes=6)
        spend(scope)


def test_the_address_of_a_request_is_counted(db):
    request = RequestFactory().post("/", REMOTE_ADDR="2001:db8::1")
    throttle.spend_of(throttle.Scope.SOCIAL, request)
    assert Throttle.objects.get().address == "2001:db8::/64"


def test_a_sign_in_that_is_known_costs_few_queries(person: AbstractUser):
    guess(person.get_username(), PASSWORD)
    with Queries() as queries:
        assert guess(person.get_username(), PASSWORD) == "in"
    assert len(queries) <= 6, queries.sql  # two to find the person: see `identify.person_named`


def test_cleaning_up_costs_two_queries_more(person: AbstractUser, clock, drawn):
    guess("nobody", ip="198.51.100.7")
    clock.advance(minutes=10)
    guess(person.get_username(), PASSWORD)
    clock.advance(minutes=6)
    with Queries() as queries:
        assert guess(person.get_username(), PASSWORD) == "in"
    assert any(sql.startswith("DELETE") for sql in queries.sql)
    assert len(queries) <= 6 + 2, queries.sql
