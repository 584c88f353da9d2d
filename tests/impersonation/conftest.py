"""Ada of the support, who may sign in as others, and Bob, who is one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from tests.api.world import start_process
from tests.impersonation.world import ON, Browser, make_support
from tests.people import make_person


@pytest.fixture(autouse=True)
def _switched_on() -> Iterator[None]:
    start_process()
    with override_settings(AUTHKIT=ON):
        yield


@pytest.fixture
def ada() -> Any:
    return make_support("ada")


@pytest.fixture
def bob() -> Any:
    return make_person("bob")


@pytest.fixture
def browser_of_ada(ada: Any) -> Browser:
    return Browser(ada)


@pytest.fixture
def as_bob(browser_of_ada: Browser, bob: Any) -> Browser:
    """Ada's browser, in which she is Bob."""
    assert browser_of_ada.impersonate(bob).status_code == 302
    return browser_of_ada
