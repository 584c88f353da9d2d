"""A real Redis counts, and is flushed, stopped and killed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import override_settings

from authkit.accounts import cached_counts
from authkit.models import Throttle
from tests.accounts.test_throttle_cache import (
    AUTHKIT,
    LIMIT,
    WINDOW,
    let_through,
    spend,
    the_cache,
    wake,
)
from tests.redis_server import RedisServer, redis_server, why_not

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.default_user_only,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as found:
        yield found


@pytest.fixture(autouse=True)
def redis(server: RedisServer) -> Iterator[RedisServer]:
    """Empty, and the cache that counts."""
    cached_counts.start_anew()
    with override_settings(
        AUTHKIT=AUTHKIT, CACHES={"default": server.settings(), "counts": server.settings()}
    ):
        caches["counts"].clear()
        yield server
    cached_counts.start_anew()


def stored() -> dict[bytes, Any]:
    """Each key of the server with the seconds that it has left."""
    client = the_cache()._cache.get_client()
    return {key: client.ttl(key) for key in client.keys("*")}


def test_redis_counts_to_the_limit_and_the_row_locks_out():
    assert let_through(LIMIT) == LIMIT
    assert not Throttle.objects.exists()
    assert let_through() == 0
    assert Throttle.objects.get().locked_at is not None


def test_each_key_goes_by_itself():
    spend()
    spend("ada@example.com", scope="mail")
    keys = stored()
    assert len(keys) == 2
    assert all(0 < left <= WINDOW.total_seconds() + 61 for left in keys.values())
    assert not any(text in key for text in (b"ada@", b"example", b"192.0.2") for key in keys)


def test_what_expires_between_two_words_to_redis_is_not_kept_for_ever(monkeypatch):
    """It sees that there is a key, and adds to what is gone by then."""
    client: Any = type(the_cache()._cache.get_client())
    monkeypatch.setattr(client, "exists", lambda self, key: self.delete(key) or True)
    assert spend()
    assert let_through() == LIMIT  # and it gets nobody past the limit, however often it happens
    assert all(left > 0 for left in stored().values())


def test_flushed_it_begins_a_window_anew_and_ends_no_lock_out(redis):
    assert let_through(LIMIT) == LIMIT
    caches["counts"].clear()
    assert let_through() == LIMIT - 1  # the one that noticed counts twice
    caches["counts"].clear()
    assert let_through() == 0


@pytest.mark.parametrize("before", [0, 3, LIMIT])
def test_killed_in_the_middle_it_gives_no_more_than_a_window(redis, before):
    assert let_through(before) == before
    redis.kill()
    try:
        assert let_through() == LIMIT
    finally:
        redis.start()
    wake()
    assert let_through() == 0


def test_restarted_between_two_attempts_it_counts_on(redis):
    """The connection that is broken costs one attempt, which the database has counted."""
    spend()
    redis.kill()
    redis.start()
    passed = 0
    for _ in range(3 * LIMIT):
        wake()
        passed += spend()
    assert passed <= LIMIT


def test_hanging_it_keeps_nobody_waiting_but_the_first(redis):
    patient = redis.settings(socket_timeout=1)
    with override_settings(CACHES={"default": patient, "counts": patient}):
        spend()
        started = time.monotonic()
        with redis.hanging():
            assert let_through() == LIMIT
    assert 1 <= time.monotonic() - started < 4  # each of six for itself would wait for six


@pytest.mark.django_db(transaction=True)
@pytest.mark.vendor("postgresql")
@pytest.mark.parametrize("cost", [1, 2])
def test_of_two_hundred_threads_as_many_get_through_as_the_limit_says(cost):
    def one(_: int) -> bool:
        try:
            return spend("198.51.100.9", cost=cost)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(200))) == -(-LIMIT // cost)
