"""What the tests of checks share."""

from __future__ import annotations

from weakref import WeakSet

import pytest

from authkit.access import declarations


@pytest.fixture(autouse=True)
def _nothing_is_declared_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The views of other tests are in this process, and in no URLconf of these."""
    monkeypatch.setattr(declarations, "_targets", WeakSet())
