"""A shared cache may count what costs each time, and whatever it does, it opens nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import OperationalError, connections, transaction
from django.test import override_settings
from django.utils import timezone

from authkit import audit
from authkit.accounts import cached_counts, lockouts, throttle
from authkit.accounts.tally import Counted
from authkit.exceptions import TooManyAttempts
from authkit.kernel.client import Client
from authkit.kernel.limits import Limit
from authkit.models import AuditEvent, Throttle
from tests.accounts.caches import Failing
from tests.api.world import Clock, Outage, Queries

pytestmark = pytest.mark.django_db

HOME = "192.0.2.1"
LIMIT = 5
WINDOW = timedelta(minutes=10)
AUTHKIT = {
    "REFUSAL_TIME": 0,
    "THROTTLE_CACHE": "counts",
    "LIMITS": {"registration": (LIMIT, WINDOW), "token": (LIMIT, WINDOW), "mail": (LIMIT, WINDOW)},
}
_IN_MEMORY = "django.core.cache.backends.locmem.LocMemCache"


def use(backend: str, **options: Any) -> Any:
    """Settings under which a cache of this kind counts."""
    counts = {"BACKEND": backend, "LOCATION": "counts", **options}
    return override_settings(
        AUTHKIT=AUTHKIT, CACHES={"default": {"BACKEND": _IN_MEMORY}, "counts": counts}
    )


@pytest.fixture(autouse=True)
def cache() -> Iterator[Any]:
    """The cache that counts; a test breaks it by its `trouble`."""
    cached_counts.start_anew()
    with use("tests.accounts.caches.Failing"):
        caches["counts"].clear()
        yield Failing
    Failing.trouble, Failing.asked = "", 0
    cached_counts.start_anew()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands still, at the beginning of a window of what is counted here."""
    found = Clock(monkeypatch)
    counted = Counted(throttle.Scope.REGISTRATION, HOME, Limit(LIMIT, WINDOW))
    found.now = cached_counts.window_of(counted.digest, counted.limit, found.now).ends_at
    return found


def spend(text: str = HOME, *, scope: str = "registration", cost: int = 1) -> bool:
    """Whether one more was let through."""
    try:
        throttle.spend(throttle.Scope(scope), text, client=Client(ip=HOME), cost=cost)
    except TooManyAttempts:
        return False
    return True


def the_cache() -> Any:
    """What the project has under the alias."""
    return caches["counts"]


def wake() -> None:
    """Ask the cache again, before a process would by itself."""
    cached_counts._rest.end()


def let_through(count: int = 3 * LIMIT, **what: Any) -> int:
    return sum(spend(**what) for _ in range(count))


def began() -> int:
    return AuditEvent.objects.filter(kind="lockout.began").count()


def test_what_is_let_through_writes_no_row_and_what_is_not_begins_a_lock_out(clock):
    with Queries() as queries:
        assert let_through(LIMIT) == LIMIT
    assert len(queries) == LIMIT
    assert all(sql.startswith("SELECT") for sql in queries.sql)
    assert not Throttle.objects.exists()
    assert let_through() == 0
    row = lockouts.live(now=timezone.now()).get()
    assert (row.scope, row.failed, row.address) == ("registration", LIMIT, HOME)
    assert row.ends_at == clock.now + WINDOW
    assert began() == 1


def test_a_refusal_says_until_when(clock):
    let_through(LIMIT)
    clock.advance(minutes=4)
    for _ in range(2):
        with pytest.raises(TooManyAttempts) as caught:
            throttle.spend(throttle.Scope.REGISTRATION, HOME, client=Client(ip=HOME))
        assert caught.value.retry_after == 6 * 60


def test_who_is_locked_out_does_not_trouble_the_cache(cache, clock):
    let_through()
    asked = cache.asked
    assert let_through() == 0
    assert cache.asked == asked == LIMIT + 1


def test_others_count_for_themselves(clock):
    assert let_through() == let_through(text="198.51.100.7") == let_through(scope="mail") == LIMIT


@pytest.mark.parametrize(("cost", "allowed"), [(1, 5), (2, 3), (4, 2), (5, 1), (20, 1)])
def test_what_costs_more_is_let_through_less_often(clock, cost, allowed):
    """As often as the database lets it through."""
    assert let_through(cost=cost) == allowed
    assert Throttle.objects.get().failed >= LIMIT
    with override_settings(AUTHKIT={**AUTHKIT, "THROTTLE_CACHE": None}):
        assert let_through(cost=cost, text="198.51.100.7") == allowed


def test_costs_may_differ(clock):
    assert [spend(cost=cost) for cost in (2, 1, 1, 7, 1)] == [True, True, True, True, False]


def test_neither_an_address_nor_a_name_stands_in_a_key(clock):
    spend()
    spend("ada@example.com", scope="mail")
    keys = list(the_cache()._cache)
    assert len(keys) == 2
    assert not [key for key in keys if HOME in key or "ada" in key or "mail" in key]


def test_two_sites_with_one_cache_do_not_count_together(clock):
    let_through(LIMIT)
    with override_settings(
        SECRET_KEY="another site's, which is as long as any such key ought to be"
    ):
        assert spend()
    with use("tests.accounts.caches.Failing", KEY_PREFIX="another"):
        assert spend()


def test_not_all_windows_are_over_at_once(clock):
    let_through()
    let_through(text="198.51.100.7")
    ends = set(Throttle.objects.values_list("ends_at", flat=True))
    assert len(ends) == 2
    assert all(clock.now < end <= clock.now + WINDOW for end in ends)


# A cache that forgets


def test_a_flushed_cache_ends_no_lock_out(cache, clock):
    let_through()
    for _ in range(3):
        caches["counts"].clear()
        assert let_through() == 0
    assert began() == 1


def test_a_flushed_cache_begins_one_window_anew_and_no_more(clock):
    let_through(LIMIT)
    caches["counts"].clear()
    assert let_through() == LIMIT - 1  # the one that noticed counts twice
    caches["counts"].clear()
    assert let_through() == 0


def test_a_cache_that_is_flushed_again_and_again_is_no_way_round(clock):
    """What begins once more is counted in the database."""
    assert let_through(1) == 1
    passed = 0
    for _ in range(3 * LIMIT):
        caches["counts"].clear()
        passed += spend()
    assert passed == LIMIT


def test_a_process_that_has_just_started_learns_of_a_flush_too(clock):
    let_through(LIMIT)
    caches["counts"].clear()
    cached_counts.start_anew()
    assert let_through() == LIMIT


def test_a_process_remembers_only_so_many_counts(clock, monkeypatch):
    monkeypatch.setattr(cached_counts, "_MANY_COUNTS", 3)
    for number in range(10):
        spend(f"198.51.100.{number}")
    assert len(cached_counts._met._keys) == 3


@pytest.mark.parametrize("trouble", ["evicts", "evicts later"])
def test_what_is_evicted_at_once_is_counted_in_the_database(cache, clock, trouble):
    cache.trouble = trouble
    assert let_through() == LIMIT
    assert Throttle.objects.get().locked_at is not None


def test_what_is_evicted_in_between_is_counted_in_the_database(cache, clock):
    assert let_through(2) == 2
    cache.trouble = "evicts"
    assert let_through() <= LIMIT
    cache.trouble = ""
    assert let_through() == 0


# A cache that fails


@pytest.mark.parametrize("trouble", ["down", "slow", "none", "text", "yes", "zero", "float"])
def test_without_the_cache_the_database_counts_in_the_same_request(cache, clock, trouble):
    cache.trouble = trouble
    assert let_through() == LIMIT
    assert Throttle.objects.get().failed == LIMIT
    assert began() == 1


@pytest.mark.parametrize("trouble", ["down", "none"])
@pytest.mark.parametrize("before", range(LIMIT + 1))
def test_a_cache_that_fails_in_the_middle_gives_at_most_what_a_flushed_one_does(
    cache, clock, before, trouble
):
    assert let_through(before) == before
    cache.trouble = trouble
    assert let_through() <= LIMIT
    cache.trouble = ""
    wake()
    assert let_through() == 0
    assert began() == 1


@pytest.mark.parametrize("during", range(LIMIT + 1))
def test_what_the_database_counted_counts_when_the_cache_is_back(cache, clock, during):
    cache.trouble = "down"
    assert let_through(during) == during
    cache.trouble = ""
    wake()
    assert let_through() == LIMIT - during
    assert began() == 1


def test_what_the_database_counted_long_ago_does_not(cache, clock):
    cache.trouble = "down"
    assert let_through(LIMIT - 1) == LIMIT - 1
    cache.trouble = ""
    clock.advance(seconds=WINDOW.total_seconds())
    assert let_through() == LIMIT


def test_a_lock_out_lasts_until_neither_count_counts(cache, clock):
    clock.advance(minutes=5)
    cache.trouble = "down"
    let_through(2)
    cache.trouble = ""
    wake()
    assert let_through() == LIMIT - 2
    assert Throttle.objects.get().ends_at == clock.now + WINDOW


def test_a_cache_that_comes_and_goes_adds_up_to_one_limit_each(cache, clock):
    passed = 0
    for number in range(20 * LIMIT):
        cache.trouble = "down" if number % 2 else ""
        wake()
        passed += spend()
    assert passed <= 2 * LIMIT


def test_after_a_failure_the_cache_is_left_alone_for_a_while(cache, clock):
    cache.trouble = "down"
    spend()
    asked = cache.asked
    spend("198.51.100.7")
    assert cache.asked == asked
    clock.advance(seconds=cached_counts.PAUSE + 1)
    cache.trouble = ""
    spend("198.51.100.7")
    assert cache.asked == asked + 1


def test_a_failure_is_logged_once_and_shows_no_secret(cache, clock, caplog):
    cache.trouble = "down"
    with caplog.at_level(logging.ERROR, "authkit"):
        let_through()
    assert [record.name for record in caplog.records] == ["authkit"]
    assert HOME not in caplog.text


@pytest.mark.parametrize(
    "backend",
    [
        "django.core.cache.backends.dummy.DummyCache",
        "django.core.cache.backends.db.DatabaseCache",
        "django.core.cache.backends.filebased.FileBasedCache",
        "no.such.Cache",
    ],
)
def test_a_cache_that_cannot_count_is_not_used(clock, backend, tmp_path):
    with use(backend, LOCATION=str(tmp_path)):
        assert let_through() == LIMIT
    assert Throttle.objects.get().failed == LIMIT
    assert not list(tmp_path.iterdir())


def test_an_alias_that_there_is_not_leaves_it_to_the_database(clock):
    with override_settings(AUTHKIT={**AUTHKIT, "THROTTLE_CACHE": "nowhere"}):
        assert let_through() == LIMIT


# When the database says no


@pytest.mark.django_db(transaction=True)
def test_without_the_database_nothing_is_let_through(cache):
    """Whether somebody is locked out, it alone knows."""
    with Outage(), pytest.raises(OperationalError):
        spend()
    assert cache.asked == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_counted_stays_counted_when_the_callers_transaction_does_not():
    for number in range(LIMIT + 2):
        written: list[audit.Written] = []
        with audit.of_request(written), transaction.atomic():
            assert spend() == (number < LIMIT)
            transaction.set_rollback(True)
        audit.rescue(written)
    caches["counts"].clear()
    assert not spend()  # nor is the lock-out undone


# Time


def test_when_the_window_is_over_the_lock_out_is_and_is_told_once(clock):
    let_through()
    clock.advance(seconds=WINDOW.total_seconds() - 1)
    assert let_through() == 0
    clock.advance(seconds=1)
    assert let_through() == LIMIT
    assert let_through() == 0
    kinds = AuditEvent.objects.filter(kind__startswith="lockout.").order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == [
        "lockout.began",
        "lockout.ended",
        "lockout.began",
    ]


def test_a_cache_that_forgets_nothing_locks_nobody_out_for_ever(cache, clock, monkeypatch):
    monkeypatch.setattr(cache, "_has_expired", lambda self, key: key not in self._cache)
    let_through()
    clock.advance(seconds=WINDOW.total_seconds())
    assert let_through() == LIMIT


def test_a_clock_that_is_set_back_gives_nothing(clock):
    assert let_through(LIMIT) == LIMIT
    clock.advance(seconds=WINDOW.total_seconds())
    assert let_through(1) == 1
    clock.advance(seconds=-30)
    assert let_through() == 0


def test_the_cache_outlasts_the_window_by_what_clocks_differ(clock):
    """A process that is late finds the count of its window."""
    spend()
    left = max(the_cache()._expire_info.values()) - clock.now.timestamp()
    assert left == pytest.approx(WINDOW.total_seconds() + 60, abs=1)


# Unlocking


def test_unlocking_clears_the_count_in_the_cache_too(clock):
    let_through()
    call_command("authkit", "unlock", "--address", HOME, verbosity=0)
    assert let_through() == LIMIT
    assert let_through() == 0


def test_a_cache_that_is_down_keeps_nobody_from_unlocking(cache, clock, monkeypatch, caplog):
    let_through()

    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("nobody listens")

    monkeypatch.setattr(cache, "delete_many", fail)
    with caplog.at_level(logging.ERROR, "authkit"):
        assert lockouts.lift(lockouts.of_address(HOME), now=timezone.now()) == 1
    assert "unlocking" in caplog.text
    assert not Throttle.objects.exists()


def test_a_cache_that_is_not_used_is_not_asked_when_unlocking(clock, caplog):
    """A statement about a table that there is not would end the transaction."""
    with use("django.core.cache.backends.db.DatabaseCache", LOCATION="no_such_table"):
        let_through()
        assert lockouts.lift(lockouts.of_address(HOME), now=timezone.now()) == 1
    assert not caplog.records


def test_unlocking_somebody_who_failed_to_sign_in_asks_no_cache(cache, person, monkeypatch):
    monkeypatch.setattr(cache, "delete_many", None)
    assert lockouts.lift(lockouts.of_person(person.pk), now=timezone.now()) == 0


# At once


@pytest.mark.django_db(transaction=True)
@pytest.mark.vendor("postgresql")
def test_threads_that_come_at_once_get_no_further_than_the_limit():
    def one(number: int) -> bool:
        try:
            return spend("198.51.100.9")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(200))) == LIMIT
    assert began() == 1
