"""The shape of a subcommand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.core.management.base import OutputWrapper
from django.core.management.color import Style


class Subcommand(ABC):
    """One word after ``manage.py authkit`` and what it does.

    `run` does what it was asked or raises CommandError, which exits non-zero. What a
    program may want to read goes to `stdout`, what only a person reads to `stderr`.
    """

    name: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, stdout: OutputWrapper, stderr: OutputWrapper, style: Style) -> None:
        """Write where Django's command writes."""
        self.stdout = stdout
        self.stderr = stderr
        self.style = style

    @classmethod  # noqa: B027 - a hook: not every subcommand has options
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Say which options there are."""

    @abstractmethod
    def run(self, *args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError: it could not be done, or not all of it.
        """

    def say(self, text: str = "") -> None:
        """Write a line for people."""
        self.stderr.write(text, lambda line: line)

    def show_table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under each other, each column as wide as it needs."""
        table = [head, *rows]
        widths = [max(len(row[column]) for row in table) for column in range(len(head))]
        for row in table:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def common_options() -> ArgumentParser:
    """Django's own options, which people also write behind the subcommand."""
    common = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("-v", "--verbosity", type=int, choices=range(4), help=SUPPRESS)
    for name in ("--settings", "--pythonpath"):
        common.add_argument(name, help=SUPPRESS)
    for name in ("--traceback", "--no-color", "--force-color"):
        common.add_argument(name, action="store_true", help=SUPPRESS)
    return common
