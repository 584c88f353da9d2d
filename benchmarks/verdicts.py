"""What authkit has promised of its speed, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One promise: `measured` is to be at most `at_most`.

    `quiet` is the same ratio, of the lower quartiles: that of the rounds in which the
    machine left us alone. It says how much the medians can be trusted.
    """

    promise: str
    measured: float
    at_most: float
    quiet: float | None = None

    @property
    def is_reached(self) -> bool:
        return self.measured <= self.at_most

    def as_dict(self) -> dict[str, object]:
        return {
            "promise": self.promise,
            "measured": round(self.measured, 3),
            "quiet": None if self.quiet is None else round(self.quiet, 3),
            "at_most": self.at_most,
            "reached": self.is_reached,
        }


def show(verdicts: Iterable[Verdict]) -> None:
    """Print a table of verdicts."""
    print(f"\n{'promise':70} {'median':>7} {'quiet':>6} {'at most':>7}")
    for verdict in verdicts:
        word = "reached" if verdict.is_reached else "NOT REACHED"
        quiet = "" if verdict.quiet is None else f"{verdict.quiet:.2f}"
        figures = f"{verdict.measured:7.2f} {quiet:>6} {verdict.at_most:7.2f}"
        print(f"{verdict.promise:70} {figures}  {word}")
