"""Numbers that were skipped in a list that grows, and may yet be filled.

Transactions commit out of the order of their ids: a reader that has seen 7 must go on
asking for 6, until nothing that 6 could say matters any more.
"""

from __future__ import annotations

#: So many are asked for one by one; of more, all from the first of them on.
MANY = 200


class Gaps:
    """The skipped numbers, each with the time from which it does not matter any more."""

    def __init__(self) -> None:
        self._single: dict[int, float] = {}
        self._long: dict[int, float] = {}  # where a very long run of them begins

    def leave(self, numbers: range, *, until: float) -> None:
        """Skip these; they matter until this time."""
        if len(numbers) > MANY:
            self._long[numbers.start] = until
        else:
            self._single.update(dict.fromkeys(numbers, until))

    def fill(self, number: int) -> None:
        """Take a number that has come, skipped before or not."""
        self._single.pop(number, None)

    def drop_over(self, now: float) -> None:
        """Forget what does not matter any more."""
        self._single = {number: until for number, until in self._single.items() if until >= now}
        self._long = {number: until for number, until in self._long.items() if until >= now}

    def to_ask_for(self, last: int) -> tuple[int, list[int]]:
        """From which number on to read, at most `last`, and which single ones besides."""
        single = list(self._single)
        begin = min([last, *self._long])
        if len(single) > MANY:
            return min(begin, *single), []
        return begin, single
