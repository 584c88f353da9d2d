"""Time is cut into windows of equal length, at places that follow from what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from authkit.kernel.limits import Limit

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - given zones below
LENGTHS = st.timedeltas(timedelta(seconds=1), timedelta(days=1))
SEEDS = st.integers(0, 2**256)
TICK = timedelta(microseconds=1)


@given(MOMENTS, LENGTHS, SEEDS, st.sampled_from([None, UTC]))
def test_each_moment_is_in_one_window(moment, length, seed, zone):
    now, limit = moment.replace(tzinfo=zone), Limit(1, length)
    window = limit.window_at(now, seed=seed)
    assert now < window.ends_at <= now + length
    assert limit.window_at(window.ends_at - length, seed=seed) == window
    assert limit.window_at(window.ends_at - TICK, seed=seed) == window
    following = limit.window_at(window.ends_at, seed=seed)
    assert (following.number, following.ends_at) == (window.number + 1, window.ends_at + length)
