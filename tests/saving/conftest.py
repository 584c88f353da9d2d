"""What stands around the tests of saving."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.api.world import start_process
from tests.saving import urls


@pytest.fixture(autouse=True)
def _sound(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A new process, whose database breaks when it is told to."""
    caplog.set_level(logging.CRITICAL, "django.request")
    start_process()
    yield
    urls.at_the_end.clear()
    urls.opened_files.clear()
