"""What was counted stays counted, also if the caller's transaction is rolled back."""

from __future__ import annotations

from collections.abc import Callable

from authkit import audit
from authkit.accounts import tally


class Kept(audit.Written):
    """What was counted in a transaction that may yet be rolled back; it is then counted again."""

    def __init__(self, count: Callable[[], object]) -> None:
        self._count = count
        self._is_committed = False

    def keep(self) -> None:
        """Watch the end of the transaction, if there is one."""
        audit.watch(self, tally.database())
        self.hear(tally.database())

    def tell(self) -> None:
        """There is nothing to tell."""

    def rescue(self) -> None:
        """Count it again if its transaction was rolled back."""
        if not self._is_committed and not audit.is_open(self, tally.database()):
            self._count()
