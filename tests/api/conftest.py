"""Fixtures of the tests that drive HTTP."""

from __future__ import annotations

import pytest

from tests.api.world import Clock, start_process


@pytest.fixture(autouse=True)
def new_process() -> None:
    start_process()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
