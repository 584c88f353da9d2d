"""Fixtures of the tests about people."""

from __future__ import annotations

import pytest

from tests.api.world import start_process


@pytest.fixture(autouse=True)
def new_process() -> None:
    start_process()
