"""Where a reader stands in a list that grows at its end, but not always in order.

Transactions commit out of the order of their ids, so a number that is skipped is remembered
and asked for again until nothing that it could say matters any more; so are all numbers below
the first row that was ever seen.
"""

from __future__ import annotations

from authkit.kernel.gaps import Gaps


class Place:
    """The row that a reader has come to, and what before it may yet appear."""

    def __init__(self) -> None:
        """Stand nowhere yet."""
        self.last: tuple[int, str] | None = None  # its number, and what it says
        self.gaps = Gaps()
        self._first = 0
        self._lower_matter_until = 0.0

    def leave(self) -> None:
        """Stand nowhere again: the list is read from its beginning."""
        self.last = None

    def pass_by(self, number: int, says: str, *, matters_until: float) -> None:
        """Take a row; whatever has been skipped on the way to it matters until that time."""
        self.gaps.fill(number)
        if self.last is None:
            self._first = number
            self._lower_matter_until = matters_until
        elif number > self.last[0]:
            self.gaps.leave(range(self.last[0] + 1, number), until=matters_until)
        if self.last is None or number > self.last[0]:
            self.last = (number, says)

    def below(self, *, now: float) -> int | None:
        """The number below which a row that matters may still appear; None if none may."""
        return self._first if self._lower_matter_until >= now else None
