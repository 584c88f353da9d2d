"""What authkit has promised of its speed, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One promise: `measured` is to be at most `at_most`."""

    promise: str
    measured: float
    at_most: float

    @property
    def is_reached(self) -> bool:
        return self.measured <= self.at_most

    def as_dict(self) -> dict[str, object]:
        return {
            "promise": self.promise,
            "measured": round(self.measured, 3),
            "at_most": self.at_most,
            "reached": self.is_reached,
        }


def show(verdicts: Iterable[Verdict]) -> None:
    """Print a table of verdicts."""
    print(f"\n{'promise':74} {'measured':>8} {'at most':>8}")
    for verdict in verdicts:
        word = "reached" if verdict.is_reached else "NOT REACHED"
        print(f"{verdict.promise:74} {verdict.measured:8.2f} {verdict.at_most:8.2f}  {word}")
