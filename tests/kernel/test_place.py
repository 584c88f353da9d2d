"""A reader goes on from where it stands, and asks again for what it went past."""

from authkit.kernel.place import Place


def test_a_reader_stands_on_the_highest_row_that_it_has_passed():
    place = Place()
    for number in (4, 6, 5):
        place.pass_by(number, f"row {number}", matters_until=100.0)
    assert place.last == (6, "row 6")


def test_what_was_skipped_on_the_way_is_asked_for_until_it_has_come():
    place = Place()
    place.pass_by(4, "", matters_until=100.0)
    place.pass_by(7, "", matters_until=100.0)
    place.pass_by(5, "", matters_until=100.0)
    assert place.gaps.to_ask_for(7) == (7, [6])


def test_what_is_below_the_first_row_is_asked_for_as_long_as_it_matters():
    place = Place()
    assert place.below(now=0.5) is None
    place.pass_by(4, "", matters_until=100.0)
    place.pass_by(5, "", matters_until=200.0)
    assert place.below(now=100.0) == 4
    assert place.below(now=100.5) is None


def test_whoever_has_left_begins_with_the_next_row():
    place = Place()
    place.pass_by(9, "", matters_until=100.0)
    place.leave()
    assert place.last is None
    place.pass_by(3, "", matters_until=200.0)
    assert place.last == (3, "")
    assert place.below(now=150.0) == 3
