"""What was skipped is asked for until it has come or does not matter any more."""

from authkit.kernel.gaps import MANY, Gaps


def test_a_skipped_number_is_asked_for_until_it_has_come():
    gaps = Gaps()
    gaps.leave(range(5, 8), until=100.0)
    gaps.fill(6)
    gaps.fill(9)
    assert gaps.to_ask_for(8) == (8, [5, 7])


def test_a_skipped_number_is_asked_for_as_long_as_it_matters():
    gaps = Gaps()
    gaps.leave(range(5, 6), until=100.0)
    gaps.leave(range(10, 11 + MANY), until=100.0)
    gaps.drop_over(100.0)
    assert gaps.to_ask_for(900) == (10, [5])
    gaps.drop_over(100.5)
    assert gaps.to_ask_for(900) == (900, [])


def test_of_a_long_run_all_is_read_again():
    gaps = Gaps()
    gaps.leave(range(10, 11 + MANY), until=100.0)
    assert gaps.to_ask_for(500) == (10, [])


def test_of_many_short_ones_all_is_read_again():
    gaps = Gaps()
    for number in range(10, 2 * MANY + 20, 2):
        gaps.leave(range(number, number + 1), until=100.0)
    assert gaps.to_ask_for(900) == (10, [])
